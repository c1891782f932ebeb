#include "actors/host_gate.hpp"

#include "actors/host_records.hpp"
#include "actors/messages.hpp"
#include "kit/fake_hosts.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

const auto near_host = host_address{.scheme = "https", .name = "near.example", .port = 443};
const auto far_host = host_address{.scheme = "https", .name = "far.example", .port = 443};

std::uint8_t shard_of(const host_address& host) {
  return host_shard(host.scheme, host.name, static_cast<std::uint16_t>(host.port));
}

fetch_document page_of(const host_address& host, const std::string& path = "/a") {
  return {.host = host,
          .url = "https://" + host.name + path,
          .accept = "application/activity+json",
          .bytes_max = 1'000,
          .is_signed = false};
}

/// n1 with the hosts of one shard, beside n2.
struct gate_fixture {
  struct asked_node {
    std::string node;
    ask_peer asked;
  };

  gate_fixture() { lead(far_host, "n2"), lead(near_host, "n1"); }

  void lead(const host_address& host, const std::string& node) {
    nodes[shard_of(host)] = node;
    routes->set(nodes);
  }

  remote_host_handle gate() {
    if (!gate_)
      gate_ =
          actors.spawn(host_gate,
                       host_gate_dependencies{
                           .region = hosts.region(),
                           .own_name = "n1",
                           .is_here = [here = here](std::uint8_t shard) { return *here == shard; },
                           .routes = routes,
                           .ask =
                               [this](const std::string& node, ask_peer question) {
                                 asked.push_back({node, std::move(question)});
                               }},
                       host_gate_options{.waiting_per_shard = 3});
    return caf::actor_cast<remote_host_handle>(gate_);
  }

  kit::pending_reply<fetched_document> fetch(fetch_document wanted) {
    auto reply = actors.start<fetched_document>(gate(), std::move(wanted));
    actors.settle();
    return reply;
  }

  void answer(std::size_t number, const caf::expected<std::string>& given) {
    asked.at(number).asked.reply(given);
    actors.settle();
  }

  /// What a peer hears that asks for `wanted`.
  caf::expected<std::string> serve(const std::string& body) {
    gate();
    auto heard = std::make_shared<std::vector<caf::expected<std::string>>>();
    caf::anon_send(gate_,
                   serve_peer_fetch{body, peer_reply{[heard](caf::expected<std::string> told) {
                                      heard->push_back(std::move(told));
                                    }}});
    actors.settle();
    REQUIRE(heard->size() == 1);
    return heard->front();
  }

  kit::deterministic_system actors{3};
  kit::fake_hosts hosts{actors};
  std::shared_ptr<std::uint8_t> here = std::make_shared<std::uint8_t>(shard_of(near_host));
  shard_routes::nodes nodes;
  std::shared_ptr<shard_routes> routes = std::make_shared<shard_routes>();
  std::vector<asked_node> asked;
  host_gate_handle gate_;
};

const auto moved_away = make_error(errc::conflict, "not here");

} // namespace

TEST_CASE("a host of this node is asked here", "[host_gate]") {
  auto at = gate_fixture{};
  at.hosts.serve("https://near.example/a", "near");
  const auto got = at.fetch(page_of(near_host));
  REQUIRE(got.ready());
  CHECK(got.get()->body == "near");
  CHECK(at.asked.empty());
}

TEST_CASE("a host of another node is asked there, once and whole", "[host_gate]") {
  auto at = gate_fixture{};
  const auto got = at.fetch(page_of(far_host));
  REQUIRE(at.asked.size() == 1);
  CHECK(at.asked[0].node == "n2");
  CHECK(at.asked[0].asked.topic == link_topic::fetch);
  const auto wanted = *decode_fetch(at.asked[0].asked.body);
  CHECK(wanted.host == far_host);
  CHECK(wanted.url == "https://far.example/a");
  CHECK(wanted.accept == "application/activity+json");
  CHECK(wanted.bytes_max == 1'000);
  CHECK_FALSE(wanted.is_signed);
  CHECK(at.hosts.asked().empty());
  CHECK_FALSE(got.ready());

  SECTION("its document arrives") {
    at.answer(0, encode(caf::expected<fetched_document>{
                     fetched_document{.status = 200, .headers = {{"A", "b"}}, .body = "far"}}));
    REQUIRE(got.ready());
    CHECK(got.get()->body == "far");
    CHECK(got.get()->headers == http_headers{{"A", "b"}});
  }
  SECTION("so does the host's failure, and until when it holds") {
    const auto until = time_point{std::chrono::hours{4}};
    at.answer(0, encode(caf::expected<fetched_document>{
                     make_error(errc::unavailable, "it asked to wait", until)}));
    REQUIRE(got.ready());
    CHECK(code_of(got.get().error()) == errc::unavailable);
    CHECK(until_of(got.get().error()) == until);
  }
  SECTION("of a node that was lost nobody knows what it did: nobody else is asked") {
    at.answer(0, make_error(errc::timed_out, "the node was lost"));
    REQUIRE(got.ready());
    CHECK(code_of(got.get().error()) == errc::timed_out);
    CHECK(at.asked.size() == 1);
  }
  SECTION("what is no document is none") {
    at.answer(0, std::string{"?"});
    REQUIRE(got.ready());
    CHECK(code_of(got.get().error()) == errc::malformed);
  }
}

TEST_CASE("a fetch waits while its host is on the way to another node", "[host_gate]") {
  auto at = gate_fixture{};
  at.hosts.serve("https://far.example/a", "arrived");
  SECTION("the node that had it has it no more") {
    const auto got = at.fetch(page_of(far_host));
    at.answer(0, moved_away);
    CHECK_FALSE(got.ready());
    SECTION("and it comes here") {
      *at.here = shard_of(far_host);
      at.actors.advance(200ms);
      REQUIRE(got.ready());
      CHECK(got.get()->body == "arrived");
    }
    SECTION("and it goes to a third one") {
      at.lead(far_host, "n3");
      at.actors.advance(200ms);
      REQUIRE(at.asked.size() >= 2);
      CHECK(at.asked.back().node == "n3");
    }
  }
  SECTION("nobody has it: at most three wait, for three seconds") {
    at.lead(far_host, "");
    auto waiting = std::vector<kit::pending_reply<fetched_document>>{};
    for (auto i = 0; i < 3; ++i)
      waiting.push_back(at.fetch(page_of(far_host)));
    const auto fourth = at.fetch(page_of(far_host));
    REQUIRE(fourth.ready());
    CHECK(code_of(fourth.get().error()) == errc::unavailable);
    at.actors.advance(2'800ms);
    CHECK(std::ranges::none_of(waiting, [](const auto& one) { return one.ready(); }));
    at.actors.advance(500ms);
    for (const auto& one : waiting) {
      REQUIRE(one.ready());
      CHECK(code_of(one.get().error()) == errc::unavailable);
    }
    CHECK(at.asked.empty());
  }
}

TEST_CASE("what a peer asks is done here or nowhere", "[host_gate]") {
  auto at = gate_fixture{};
  at.hosts.serve("https://near.example/a", "near");
  const auto found = at.serve(encode(page_of(near_host)));
  REQUIRE(found);
  CHECK(decode_fetched(*found)->body == "near");

  const auto elsewhere = at.serve(encode(page_of(far_host)));
  REQUIRE_FALSE(elsewhere);
  CHECK(code_of(elsewhere.error()) == errc::conflict);
  CHECK(at.asked.empty());

  const auto bytes = encode(page_of(near_host));
  for (auto length = std::size_t{0}; length < bytes.size(); ++length)
    CHECK_FALSE(at.serve(bytes.substr(0, length)));
  auto large = page_of(near_host);
  large.bytes_max = fetch_document{}.bytes_max + 1;
  CHECK_FALSE(at.serve(encode(large)));
}

TEST_CASE("a sign of life goes to the node of its host", "[host_gate]") {
  auto at = gate_fixture{};
  caf::anon_send(at.gate(), note_sign_of_life{near_host});
  caf::anon_send(at.gate(), note_sign_of_life{far_host});
  at.actors.settle();
  CHECK(at.hosts.table().alive == std::vector<std::string>{near_host.name});
  REQUIRE(at.asked.size() == 1);
  CHECK(at.asked[0].asked.topic == link_topic::sign_of_life);
  CHECK(*decode_host(at.asked[0].asked.body) == far_host);

  caf::anon_send(at.gate_, serve_peer_sign_of_life{far_host}); // not here
  caf::anon_send(at.gate_, serve_peer_sign_of_life{near_host});
  at.actors.settle();
  CHECK(at.hosts.table().alive.size() == 2);
  CHECK(at.asked.size() == 1);
}
