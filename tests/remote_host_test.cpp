#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "kit/delivery_world.hpp"
#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using texts = std::vector<std::string>;

struct remote_host_fixture : kit::delivery_world {
  std::vector<endpoint_id> at; ///< Of far.example: the shared inbox and two personal ones.
  int written = 0;

  explicit remote_host_fixture(kit::delivery_world_options options = {})
      : delivery_world{std::move(options)} {
    peers->keep_requests();
    at = add_host("far.example");
  }

  /// Writes one post to an endpoint of far.example; returns its text.
  std::string post(std::size_t endpoint = 0, std::int64_t object = 0, int author = 1,
                   log_kind kind = log_kind::create) {
    const auto text = "post " + std::to_string(++written);
    write({.text = text,
           .author = account_id{author},
           .kind = kind,
           .object = object ? object : 1'000 + written,
           .extra = {at[endpoint]}});
    settle();
    return text;
  }

  host_report far() { return report("far.example"); }
  texts sent() const { return peers->bodies("far.example"); }
  std::size_t count_sent() const { return sent().size(); }
  host_address address() const { return delivery_world::address("far.example"); }
  void answer(int status, http_headers headers = {}) {
    peers->set_status("far.example", status, std::move(headers));
  }
  void answer(kit::peer_answer fixed) {
    peers->set_rule("far.example", [fixed](const outgoing_request&) { return fixed; });
  }
  std::vector<std::string> dead() {
    return all("SELECT seq, error, attempts FROM delivery_exception WHERE status = 2 ORDER BY seq");
  }
  std::vector<std::string> waiting() {
    return all("SELECT seq, error, attempts FROM delivery_exception WHERE status = 1 ORDER BY seq");
  }
  kit::pending_reply<fetched_document> fetch(const std::string& host = "far.example") {
    auto reply = actors.start<fetched_document>(
        hosts, fetch_document{.host = delivery_world::address(host),
                              .url = "https://" + host + "/actor",
                              .accept = "application/activity+json"});
    settle();
    return reply;
  }
};

} // namespace

TEST_CASE_METHOD(remote_host_fixture, "what is taken is settled within a second, without a row",
                 "[remote_host]") {
  post(0);
  post(1);
  advance(1s);
  CHECK(count_sent() == 2);
  CHECK(far().state == "healthy");
  CHECK(far().delivered == 2);
  CHECK(far().waiting == 0);
  advance(2s);
  CHECK(books().hosts_open == 0);
  CHECK(count("SELECT count(*) FROM host_backlog") == 0);
  CHECK(count("SELECT count(*) FROM delivery_exception") == 0);
  CHECK(count("SELECT count(*) FROM shard_mark") == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "a stalled host holds at most its window", "[remote_host]") {
  answer(kit::no_answer());
  for (auto more = 0; more < 6; ++more)
    post(0, 0, 1 + more); // six lanes
  CHECK(peers->in_flight() == 2);
  CHECK(far().in_flight == 2);
  CHECK(far().waiting == 6);
  advance(10s); // both have ended
  CHECK(far().window == 1);
  CHECK(far().state == "unproven");
  advance(3s);
  CHECK(peers->in_flight() == 1); // one at a time while it fails
  advance(9s);
  CHECK(far().state == "suspended");
  CHECK(far().next_try_reason.find("no answer") != std::string::npos);
  CHECK(peers->most_in_flight() == 2);
}

TEST_CASE_METHOD(remote_host_fixture, "a suspended host sees one probe, and then all that waits",
                 "[remote_host]") {
  answer(503);
  for (auto more = 0; more < 5; ++more)
    post(0, 0, 1 + more);
  advance(8s);
  REQUIRE(far().state == "suspended");
  const auto before = count_sent();
  post(0, 0, 9);
  CHECK(count_sent() == before); // it only counts
  CHECK(far().waiting == 6);
  CHECK(far().next_try_at);
  advance(30s);
  CHECK(count_sent() <= before + 5); // 2, 4, 8, 16 s, the shortest halved
  CHECK(peers->most_in_flight() == 2);
  answer(202);
  advance(40s);
  CHECK(far().state == "healthy");
  CHECK(far().waiting == 0);
  CHECK(far().delivered == 6);
  advance(2s);
  CHECK(count("SELECT count(*) FROM host_backlog") == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "a state outlives the actor", "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(15s);
  REQUIRE(far().state == "suspended");
  const auto next = far().next_try_at;
  advance(1s);
  restart();
  advance(100ms);
  CHECK(far().state == "suspended");
  CHECK(far().next_try_at == next);
  CHECK(far().waiting == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "an unproven host that refuses is asked once more, and known",
                 "[remote_host]") {
  const auto status = GENERATE(400, 401);
  peers->set_rule("far.example", [status](const outgoing_request& request) {
    const auto is_new = find_header(request.headers, "Signed") == "rfc9421";
    return kit::peer_answer{.status = is_new ? 202 : status};
  });
  post();
  advance(1s);
  CHECK(sent() == texts{"post 1", "post 1"});
  CHECK(signatures[signature_scheme::cavage] == 1);
  CHECK(far().delivered == 1);
  CHECK(far().dead == 0);
  post();
  advance(2s);
  CHECK(count_sent() == 3); // the first signature is the right one
  restart();
  post();
  advance(2s);
  CHECK(count_sent() == 4); // after a restart as well
  CHECK(signatures[signature_scheme::cavage] == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "both kinds of signature are refused but once",
                 "[remote_host]") {
  answer(400);
  post();
  advance(1s);
  CHECK(count_sent() == 2);
  CHECK(far().dead == 1);
  advance(1s);
  CHECK(dead() == texts{"1|status 400|1"});
}

TEST_CASE_METHOD(remote_host_fixture, "F20: a personal inbox that is gone is a dead letter",
                 "[remote_host]") {
  post(); // the host is proven by its shared inbox
  advance(1s);
  const auto status = GENERATE(404, 410);
  answer(status);
  post(1);
  advance(2s);
  CHECK(dead() == texts{"2|status " + std::to_string(status) + "|1"});
  REQUIRE(missing.size() == 1); // the actor is looked up again
  CHECK(missing[0].endpoint.id == at[1]);
  CHECK_FALSE(missing[0].endpoint.shared);
  CHECK(missing[0].status == status);
  CHECK(far().state == "healthy");
  CHECK(books().hosts_open == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "F20: a shared inbox that is gone is tried again",
                 "[remote_host]") {
  post();
  advance(1s);
  answer(410);
  post();
  advance(2s);
  CHECK(waiting() == texts{"2|status 410|1"});
  CHECK(missing.at(0).endpoint.shared);
  CHECK(far().state == "healthy"); // one 410 never suspends a host
  answer(202);
  advance(30s);
  CHECK(far().exceptions == 0);
  advance(2s);
  CHECK(waiting().empty());
  CHECK(dead().empty());
}

TEST_CASE_METHOD(remote_host_fixture, "an item that fails where its host is well lets others pass",
                 "[remote_host]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return kit::peer_answer{.status = request.body && *request.body == "post 1" ? 500 : 202};
  });
  post(0, 7);
  post(0, 8);
  post(1, 9, 2);
  advance(5s);
  CHECK(far().delivered == 2);
  CHECK(far().exceptions == 1);
  post(0, 7); // about the same object: waits behind it
  advance(2s);
  CHECK(far().delivered == 2);
  CHECK(far().exceptions == 2);
  CHECK(far().state == "healthy");
  peers->set_status("far.example", 202);
  advance(65s);
  CHECK(sent().back() == "post 4");
  CHECK(far().exceptions == 0);
  advance(2s);
  CHECK(waiting().empty());
}

TEST_CASE_METHOD(remote_host_fixture, "an exception is tried seven times and is a dead letter",
                 "[remote_host]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return kit::peer_answer{.status = request.body && *request.body == "post 1" ? 500 : 202};
  });
  post();
  post(1, 0, 2);
  advance(3s);
  REQUIRE(far().exceptions == 1);
  for (const auto wait : {30s, 120s, 600s, 3'600s, 21'600s, 86'400s}) {
    const auto before = count_sent();
    actors.step_wall_clock(wait - 5s);
    CHECK_FALSE(tell(retry_host{address()})); // is no reason to try an exception
    CHECK(count_sent() == before);
    actors.step_wall_clock(6s);
    CHECK_FALSE(tell(retry_host{address()}));
    CHECK(count_sent() == before + 1);
  }
  advance(2s);
  CHECK(far().exceptions == 0);
  CHECK(far().dead == 1);
  CHECK(dead() == texts{"1|status 500|7"});
  CHECK(far().state == "healthy");
}

TEST_CASE_METHOD(remote_host_fixture, "a Delete replaces the exceptions of its object",
                 "[remote_host]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return kit::peer_answer{.status = request.body && *request.body == "post 1" ? 500 : 202};
  });
  post(0, 7);
  post(1, 8, 2);
  advance(3s);
  REQUIRE(far().exceptions == 1);
  post(0, 7, 1, log_kind::remove);
  advance(35s);
  CHECK(sent().back() == "post 3");
  CHECK(far().exceptions == 0);
  advance(2s);
  CHECK(waiting().empty());
}

TEST_CASE_METHOD(remote_host_fixture, "a host that is busy is left alone for as long as it says",
                 "[remote_host]") {
  post();
  advance(1s);
  answer(429, {{"Retry-After", "20"}});
  post();
  advance(1s);
  const auto before = count_sent();
  CHECK(far().state == "healthy"); // no failure
  CHECK(far().next_try_at);
  answer(202);
  advance(18s);
  CHECK(count_sent() == before);
  advance(2s);
  CHECK(count_sent() == before + 1);
  CHECK(far().waiting == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "a broken host is not tried before it says",
                 "[remote_host]") {
  answer(503, {{"Retry-After", "100"}});
  post();
  advance(90s);
  CHECK(count_sent() == 1);
  answer(202);
  advance(11s);
  CHECK(count_sent() == 2);
}

TEST_CASE_METHOD(remote_host_fixture, "a paused host gets nothing until it is resumed",
                 "[remote_host]") {
  post();
  advance(2s);
  CHECK_FALSE(tell(pause_host{address()}));
  post();
  advance(60s);
  CHECK(count_sent() == 1);
  CHECK(far().paused);
  CHECK(far().waiting == 1);
  restart();
  advance(10s);
  CHECK(far().paused); // outlives the node
  CHECK(count_sent() == 1);
  CHECK_FALSE(tell(resume_host{address()}));
  CHECK(count_sent() == 2);
  CHECK_FALSE(far().paused);
}

TEST_CASE_METHOD(remote_host_fixture, "commands come before the host has started as well",
                 "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(60s);
  REQUIRE(far().state == "suspended");
  const auto before = count_sent();
  advance(1s);
  restart(false); // the dispatcher does not know yet where the host stands
  auto paused = actors.start_done(hosts, pause_host{address()});
  auto retried = actors.start_done(hosts, retry_host{address()});
  advance(1s);
  CHECK(paused.ready());
  CHECK(retried.ready());
  begin();
  advance(3s);
  CHECK(far().paused);
  CHECK(count_sent() == before);
  CHECK(far().state == "suspended"); // what is stored of it was not overwritten
  CHECK_FALSE(far().next_try_at);
  CHECK_FALSE(tell(resume_host{address()}));
  CHECK(count_sent() == before + 1);
}

TEST_CASE_METHOD(remote_host_fixture, "retry now sends the probe at once", "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(10min);
  REQUIRE(far().state == "suspended");
  answer(202);
  REQUIRE(far().next_try_at > actors.now() + 5s);
  CHECK_FALSE(tell(retry_host{address()}));
  CHECK(far().waiting == 0);
  CHECK(far().state == "healthy");
}

TEST_CASE_METHOD(remote_host_fixture, "a sign of life triggers a probe at most once a minute",
                 "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(10min);
  const auto before = count_sent();
  for (auto more = 0; more < 5; ++more) {
    caf::anon_send(hosts, note_sign_of_life{address()});
    advance(100ms);
  }
  CHECK(count_sent() == before + 1);
  CHECK(far().state == "suspended"); // it never counts as a success
}

TEST_CASE_METHOD(remote_host_fixture, "a host that nothing reaches is dormant and then dead",
                 "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(10s);
  REQUIRE(far().state == "suspended");
  actors.step_wall_clock(7 * 24h);
  CHECK_FALSE(tell(retry_host{address()}));
  CHECK(far().state == "dormant");
  actors.step_wall_clock(24 * 24h);
  CHECK_FALSE(tell(retry_host{address()}));
  CHECK(far().state == "dead");
  CHECK(far().next_try_at > actors.now() + 11h); // one probe a day
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  CHECK(far().waiting == 0);
  CHECK(far().state == "healthy");
}

TEST_CASE_METHOD(remote_host_fixture, "fetches use at most half of the window", "[remote_host]") {
  answer({.after = 1s});
  auto replies = std::vector<kit::pending_reply<fetched_document>>{};
  for (auto more = 0; more < 5; ++more)
    replies.push_back(fetch());
  CHECK(peers->in_flight() == 1); // the window is 2
  post();
  CHECK(peers->in_flight() == 2);
  advance(6s);
  for (const auto& reply : replies) {
    REQUIRE(reply.ready());
    REQUIRE(reply.get());
    CHECK(reply.get()->status == 202);
  }
  CHECK(far().fetched == 5);
  CHECK(far().delivered == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "a fetch is answered in time or not at all",
                 "[remote_host]") {
  answer({.after = 14s});
  auto replies = std::vector<kit::pending_reply<fetched_document>>{};
  for (auto more = 0; more < 4; ++more)
    replies.push_back(fetch());
  advance(16s);
  CHECK(replies[0].get());
  REQUIRE(replies[3].ready());
  REQUIRE_FALSE(replies[3].get());
  CHECK(code_of(replies[3].get().error()) == errc::timed_out);
}

TEST_CASE_METHOD(remote_host_fixture, "a host that cannot be reached refuses fetches",
                 "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(20s);
  REQUIRE(far().state == "suspended");
  const auto reply = fetch();
  REQUIRE(reply.ready());
  REQUIRE_FALSE(reply.get());
  CHECK(code_of(reply.get().error()) == errc::unavailable);
  answer(202);
  advance(40s);
  CHECK(far().state == "healthy");
  const auto later = fetch();
  advance(1s);
  REQUIRE(later.ready());
  CHECK(later.get());
}

TEST_CASE_METHOD(remote_host_fixture, "a host whose inbox fails still answers fetches",
                 "[remote_host]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return kit::peer_answer{.status = request.method == http_method::post ? 503 : 200};
  });
  post();
  advance(10s);
  REQUIRE(far().state == "suspended");
  const auto reply = fetch();
  advance(1s);
  REQUIRE(reply.ready());
  REQUIRE(reply.get());
  CHECK(reply.get()->status == 200);
  CHECK(far().state == "suspended");
}

TEST_CASE_METHOD(remote_host_fixture, "a fetch from a stranger leaves no row", "[remote_host]") {
  const auto before = count("SELECT count(*) FROM host");
  const auto reply = fetch("stranger.example");
  advance(3s);
  REQUIRE(reply.ready());
  CHECK(reply.get());
  CHECK(count("SELECT count(*) FROM host") == before);
  const auto foreign = actors.ask<fetched_document>(
      hosts, fetch_document{.host = address(), .url = "https://else.example/actor"});
  REQUIRE_FALSE(foreign);
  CHECK(code_of(foreign.error()) == errc::invalid);
}

TEST_CASE("too many fetches are refused", "[remote_host]") {
  auto options = kit::delivery_world_options{};
  options.host.fetches_max = 2;
  auto here = remote_host_fixture{options};
  here.answer(kit::no_answer());
  auto replies = std::vector<kit::pending_reply<fetched_document>>{};
  for (auto more = 0; more < 4; ++more)
    replies.push_back(here.fetch());
  CHECK_FALSE(replies[2].ready()); // one is out, two wait
  REQUIRE(replies[3].ready());
  CHECK(code_of(replies[3].get().error()) == errc::unavailable);
}

TEST_CASE("too many exceptions suspend the host, and end", "[remote_host]") {
  auto options = kit::delivery_world_options{};
  options.host.exceptions_max = 3;
  auto here = remote_host_fixture{options};
  here.peers->set_rule("far.example", [](const outgoing_request& request) {
    const auto is_well = request.url == "https://far.example/2/inbox";
    return kit::peer_answer{.status = is_well ? 202 : 500};
  });
  for (auto more = 0; more < 6; ++more)
    here.post(0, 0, 1 + more);
  for (auto more = 0; more < 6; ++more) {
    here.post(2, 0, 1 + more);
    here.advance(3s);
  }
  CHECK(here.far().exceptions <= 3);
  CHECK(here.count("SELECT count(*) FROM delivery_exception") <= 3);
  here.answer(202);
  for (auto rounds = 0; rounds < 20 && here.far().waiting + here.far().exceptions > 0; ++rounds) {
    here.actors.step_wall_clock(1h);
    CHECK_FALSE(here.tell(retry_host{here.address()}));
  }
  CHECK(here.far().waiting == 0);
  CHECK(here.far().exceptions == 0);
}

TEST_CASE("an idle host is stopped, and nothing is lost by it", "[remote_host]") {
  auto here = remote_host_fixture{};
  here.post();
  here.advance(1s);
  CHECK(here.counters->active == 1);
  here.advance(3min);
  CHECK(here.counters->active == 0);
  here.post();
  here.advance(1s);
  CHECK(here.count_sent() == 2);
}

TEST_CASE_METHOD(remote_host_fixture, "a host that is told to stop waits for what it has sent",
                 "[remote_host]") {
  answer({.after = 3s});
  post(0, 0, 1);
  post(0, 0, 2);
  post(0, 0, 3);
  CHECK(peers->in_flight() == 2);
  caf::anon_send(hosts, passivate_host{address()});
  advance(1s);
  CHECK(counters->active == 1);
  post(0, 0, 4); // waits for its next life
  advance(10s);
  CHECK(count_sent() == 4); // each once
  const auto bodies = sent();
  CHECK(std::set<std::string>(bodies.begin(), bodies.end()).size() == 4);
}

TEST_CASE_METHOD(remote_host_fixture, "SIGTERM: what was delivered is known to the next node",
                 "[remote_host]") {
  answer({.after = 3s});
  post(0, 0, 1);
  post(0, 0, 2);
  post(0, 0, 3);
  caf::anon_send_exit(hosts, caf::exit_reason::user_shutdown); // hosts end what they have sent
  advance(4s);
  CHECK(counters->active == 0);
  const auto flushed = actors.start_done(dispatcher, flush_books{});
  settle(); // no tick is waited for
  REQUIRE(flushed.ready());
  CHECK_FALSE(flushed.failure());
  restart();
  advance(10s);
  CHECK(count_sent() == 3);
}

TEST_CASE("a signature that cannot be made waits a moment", "[remote_host]") {
  auto options = kit::delivery_world_options{};
  options.signing_lost = 100;
  auto here = remote_host_fixture{options};
  here.post();
  here.advance(500ms);
  CHECK(here.count_sent() == 0);
  CHECK(here.far().waiting == 1);
  CHECK(here.far().failed == 0); // it is not the host's failure
  CHECK(here.far().next_try_reason.starts_with("not sent"));
}

TEST_CASE_METHOD(remote_host_fixture, "a body that is gone is a dead letter", "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(20s);
  kit::must(storage.open_writer()->run("UPDATE log SET body = NULL"));
  restart();
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  advance(2s);
  CHECK(dead() == texts{"1|its text was kept long enough|0"});
  CHECK(far().waiting == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "a host tells how it is", "[remote_host]") {
  answer(503);
  post();
  advance(700ms);
  const auto report = far();
  CHECK(report.host == address());
  CHECK(report.state == "unproven");
  CHECK(report.waiting == 1);
  CHECK(report.oldest_at);
  CHECK(report.failed >= 1);
  CHECK(report.next_try_reason == "back-off after 1 failures: status 503");
  REQUIRE_FALSE(report.last_errors.empty());
  CHECK(report.last_errors[0].status == 503);
  CHECK(report.last_errors[0].text == "status 503");
  advance(1h);
  CHECK(far().last_errors.size() <= 20);
}

TEST_CASE("P3: a post to many healthy hosts costs no row per host", "[remote_host]") {
  auto here = kit::delivery_world{};
  for (auto number = 0; number < 300; ++number)
    here.follow(account_id{1}, here.add_host("h" + std::to_string(number) + ".example", 0)[0]);
  here.settle();
  here.write({.text = "first", .object = 1, .to_followers = true});
  here.advance(5s); // each host is proven, which is a change of its state
  const auto books = here.books();
  const auto written = here.storage.counters()->rows_written.load();
  for (auto number = 2; number <= 11; ++number)
    here.write({.text = "post " + std::to_string(number), .object = number, .to_followers = true});
  here.advance(5s);
  CHECK(here.books().hosts_open == 0);
  CHECK(here.count("SELECT count(*) FROM host_backlog") == 0);
  CHECK(here.count("SELECT count(*) FROM delivery_exception") == 0);
  CHECK(here.books().units - books.units == 10 * 300);
  const auto bookkeeping = here.books().rows_written - books.rows_written;
  CHECK(bookkeeping <= 5 * 256); // per second one row per shard of hosts
  CHECK(here.storage.counters()->rows_written.load() - written <= 10 + bookkeeping);
}

TEST_CASE("P1: a third of the hosts stall, and the others do not notice", "[remote_host]") {
  auto here = kit::delivery_world{{.slots = 1'024}};
  for (auto number = 0; number < 60; ++number) {
    const auto name = "h" + std::to_string(number) + ".example";
    here.follow(account_id{1}, here.add_host(name, 0)[0]);
    if (number % 3 == 0)
      here.peers->set_rule(name, [](const outgoing_request&) { return kit::no_answer(); });
  }
  here.settle();
  for (auto number = 1; number <= 5; ++number)
    here.write({.text = "post " + std::to_string(number), .object = number, .to_followers = true});
  here.advance(500ms);
  auto well = 0;
  for (auto number = 0; number < 60; ++number)
    if (number % 3 != 0)
      well += here.report("h" + std::to_string(number) + ".example").delivered == 5;
  CHECK(well == 40);
}
