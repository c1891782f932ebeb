#include "kit/remote_host_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

TEST_CASE_METHOD(remote_host_fixture, "what cannot be had any more has expired", "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(20s);
  const auto before = count_sent();
  kit::must(storage.open_writer()->run("UPDATE log SET body = NULL"));
  restart();
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  advance(3s);
  CHECK(count_sent() == before);
  CHECK(far().waiting == 0);
  CHECK(books().sums.expired == 1);
  CHECK(books().sums.are_balanced());
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
  auto here = kit::delivery_world{};
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

TEST_CASE_METHOD(remote_host_fixture, "the probes of an outage use up no tries of what waits",
                 "[remote_host]") {
  const auto down_for = GENERATE(2min, 5min, 90min);
  const auto is_stall = GENERATE(false, true);
  CAPTURE(down_for.count(), is_stall);
  if (is_stall)
    answer(kit::no_answer());
  else
    answer(500);
  post(0);
  advance(down_for);
  CHECK(count("SELECT count(*) FROM delivery_exception WHERE status = 2") == 0); // dead
  const auto tried = count_sent();
  answer(202);
  advance(5h); // it has been passivated by then
  CHECK(count_sent() == tried + 1);
  CHECK(count("SELECT count(*) FROM delivery_exception") == 0);
  CHECK(far().waiting == 0);
}

TEST_CASE_METHOD(remote_host_fixture,
                 "after a crash a Delete waits for the Create at which the peer may still be",
                 "[remote_host]") {
  const auto status = GENERATE(500, 400); // it waits by itself, or is a dead letter
  answer(kit::no_answer());
  post(0, 7);
  REQUIRE(count_sent() == 1);
  restart();
  peers->set_rule("far.example", [status](const outgoing_request& request) {
    return kit::peer_answer{.status = *request.body == "post 1" ? status : 202};
  });
  post(0, 0, 2);
  advance(5s);
  REQUIRE(waiting().size() + dead().size() == 1);
  post(0, 7, 1, log_kind::remove);
  const auto has_delete = [this] { return std::ranges::count(sent(), "post 3") == 1; };
  advance(5s);
  CHECK_FALSE(has_delete());
  advance(remote_host_options{}.request_limit);
  CHECK(has_delete());
  CHECK(waiting().empty());
}
