// How the admin APIs of two nodes work together, with all that travels as it travels over a link.

#include "engine/peer_admin.hpp"

#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/fake_region.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

host_address address_of(const std::string& name) {
  return {.scheme = "https", .name = name};
}

/// Nodes n1 and n2; n2 has a.example on its board, n1 asks.
struct two_nodes {
  two_nodes() {
    for (const auto* name : {"n1", "n2"}) {
      boards[name] = std::make_shared<host_board>();
      books[name] = std::make_shared<fake_books>();
      nodes.emplace(name, peer_admin{parts_of(name)});
    }
    add("n2", 1, "a.example");
  }

  void add(const std::string& node, int id, const std::string& name, log_seq flushed_upto = 0) {
    auto line = host_line{};
    line.address = address_of(name);
    line.health.facts.id = host_id{id};
    line.health.facts.flushed_upto = flushed_upto;
    boards[node]->load(line);
    owners[name] = node;
  }

  peer_admin_parts parts_of(const std::string& name) {
    return {.own_name = name,
            .system = actors.system(),
            .ask =
                [this](const std::string& node, const ask_peer& question) {
                  asked.push_back(question);
                  if (failure)
                    return question.reply(failure);
                  CHECK(nodes.at(node).serve(question.topic, question.body, question.reply));
                },
            .others = [name] { return words{name == "n1" ? "n2" : "n1"}; },
            .node_of = [this](const host_address& host) { return owners[host.name]; },
            .board = boards[name],
            .budget = std::make_shared<delivery_budget>(),
            .dispatcher = actors.spawn(books_of, books[name]),
            .stuck =
                [] {
                  return std::vector<stuck_actor>{{"account 1", time_point{1s}}};
                },
            .admin =
                [this](http_request request, const http_reply& reply) {
                  served.push_back(std::move(request));
                  reply({.status = 418, .body = "tea", .headers = {{"X-A", "b"}}});
                },
            .own_uid = 33};
  }

  caf::expected<board_answer> ask(board_question question) {
    auto got = std::make_shared<std::optional<caf::expected<board_answer>>>();
    nodes.at("n1").boards().ask("n2", std::move(question), 1s,
                                [got](caf::expected<board_answer> answer) {
                                  CHECK_FALSE(*got);
                                  got->emplace(std::move(answer));
                                });
    actors.settle();
    REQUIRE(*got);
    return **got;
  }

  http_response pass(const http_request& request) {
    auto got = std::make_shared<std::optional<http_response>>();
    nodes.at("n1").owners().pass_on("n2", request, http_reply{[got](http_response response) {
                                      got->emplace(std::move(response));
                                    }});
    actors.settle();
    REQUIRE(*got);
    return **got;
  }

  deterministic_system actors{5};
  std::map<std::string, std::shared_ptr<host_board>> boards;
  std::map<std::string, std::shared_ptr<fake_books>> books;
  std::map<std::string, std::string> owners;
  std::map<std::string, peer_admin> nodes;
  std::vector<ask_peer> asked;
  std::vector<http_request> served;
  caf::error failure;
};

template <class Answer>
Answer given(const caf::expected<board_answer>& answer) {
  REQUIRE(answer);
  REQUIRE(std::holds_alternative<Answer>(answer->what));
  return std::get<Answer>(answer->what);
}

} // namespace

TEST_CASE("a node tells another one what is on its board and in its books", "[peer_admin]") {
  auto world = two_nodes{};
  CHECK(world.nodes.at("n1").boards().others() == words{"n2"});
  world.add("n2", 2, "b.example", 4);
  using lines = std::vector<host_line>;
  const auto listed = given<lines>(world.ask({host_list_wish{.order = host_order::name}}));
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].address == address_of("a.example"));
  const auto found = given<lines>(
      world.ask({ask_lines{{address_of("b.example"), address_of("unknown.example")}}}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].health.facts.id == host_id{2});
  const auto overview = given<board_overview>(world.ask({ask_overview{time_point{9s}}}));
  CHECK(overview.totals.hosts == 2);
  CHECK(overview.budgets.size() == 5);
  CHECK(overview.stuck.size() == 1);
  given<books_flushed>(world.ask({flush_books{}}));
  CHECK(world.books["n2"]->flushes == 1);
  CHECK(world.books["n1"]->flushes == 0);
  world.books["n2"]->dispatched = 77;
  world.books["n2"]->is_open = [](const auto& unit) { return unit.host == host_id{2}; };
  const auto standing = given<books_standing>(
      world.ask({ask_open_units{{{.host = host_id{1}}, {.host = host_id{2}}}}}));
  CHECK(standing.open == std::vector<bool>{false, true});
  CHECK(standing.dispatched == 77);
  REQUIRE(standing.cancelled.size() == 1);
  CHECK(standing.cancelled[0].address == address_of("b.example"));
  for (const auto& question : world.asked) {
    CHECK(question.topic == link_topic::board);
    CHECK(question.limit == 1s);
  }
}

TEST_CASE("a question that is none is refused, and another topic is left alone", "[peer_admin]") {
  auto world = two_nodes{};
  auto got = std::optional<caf::expected<std::string>>{};
  const auto reply = peer_reply{[&](caf::expected<std::string> answer) { got = answer; }};
  CHECK_FALSE(world.nodes.at("n2").serve(link_topic::web, "", reply));
  CHECK_FALSE(world.nodes.at("n2").serve(link_topic::admin, "", reply));
  CHECK_FALSE(got);
  CHECK(world.nodes.at("n2").serve(link_topic::board, "\xff", reply));
  REQUIRE(got);
  CHECK(code_of(got->error()) == errc::malformed);
  CHECK(world.nodes.at("n2").serve(link_topic::admin_here, "\xff", {}));
  CHECK(world.served.empty());
}

TEST_CASE("a node that cannot be asked has not answered", "[peer_admin]") {
  auto world = two_nodes{};
  world.failure = make_error(errc::unavailable, "it is away");
  CHECK(code_of(world.ask({flush_books{}}).error()) == errc::unavailable);
}

TEST_CASE("a host belongs to the node that the map says", "[peer_admin]") {
  auto world = two_nodes{};
  CHECK(world.nodes.at("n1").owners().node_of(address_of("a.example")) == "n2");
  CHECK(world.nodes.at("n2").owners().node_of(address_of("a.example")).empty());
}

TEST_CASE("a request that is passed on is answered by the other node, which passes on nothing",
          "[peer_admin]") {
  auto world = two_nodes{};
  const auto answer = world.pass({.method = http_method::post,
                                  .path = "/admin/v1/hosts/a.example:flush",
                                  .query = "reason=x",
                                  .headers = {{"Idempotency-Key", "k"}},
                                  .body = "{}",
                                  .peer = "192.0.2.1",
                                  .peer_uid = 1'000,
                                  .over_unix_socket = true});
  CHECK(answer.status == 418);
  CHECK(answer.body == "tea");
  CHECK(answer.headers == http_headers{{"X-A", "b"}});
  REQUIRE(world.asked.size() == 1);
  CHECK(world.asked[0].topic == link_topic::admin_here);
  REQUIRE(world.served.size() == 1);
  const auto& request = world.served[0];
  CHECK(request.method == http_method::post);
  CHECK(request.path == "/admin/v1/hosts/a.example:flush");
  CHECK(request.query == "reason=x");
  CHECK(request.header("Idempotency-Key") == "k");
  CHECK(request.body == "{}");
  CHECK(request.is_passed_on);
  CHECK(request.over_unix_socket);
  CHECK(request.peer_uid == 33); // user ids of another machine mean nothing here
  world.pass({.path = "/", .peer = "192.0.2.1"});
  CHECK(world.served.at(1).peer_uid == UINT32_MAX);
}

TEST_CASE("who is not answered is told which node it is, and whether anything was done",
          "[peer_admin]") {
  auto world = two_nodes{};
  const auto told = [&](errc code) {
    world.failure = make_error(code, "it is away");
    return world.pass({.path = "/"});
  };
  const auto refused = told(errc::unavailable);
  CHECK(refused.status == 503);
  CHECK(refused.content_type == "application/problem+json");
  CHECK(refused.body.find("The host belongs to node n2, which cannot be asked: it is away; nothing "
                          "was done") != std::string::npos);
  CHECK(told(errc::too_large).status == 413);
  for (const auto code : {errc::timed_out, errc::malformed, errc::crashed}) {
    const auto lost = told(code);
    CHECK(lost.status == 504);
    CHECK(lost.body.find("node n2, and whether this was done there is not known") !=
          std::string::npos);
  }
  CHECK(world.served.empty());
}
