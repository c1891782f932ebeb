#include "tests/kit/dispatcher_fixture.hpp"

#include <catch2/catch.hpp>

#include <numeric>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::dispatcher_fixture;

namespace {

using rows = std::vector<log_seq>;

} // namespace

TEST_CASE_METHOD(dispatcher_fixture, "the dispatcher touches nothing before it is told to begin",
                 "[dispatcher]") {
  hint(commit());
  const auto cursor = actors.start<host_cursor>(dispatcher, adopt_host{far()});
  actors.advance(60s);
  CHECK(script.reads == 0);
  CHECK(noted.offers.empty());
  CHECK_FALSE(cursor.ready());
  CHECK(kit::must(actors.ask<dispatcher_report>(dispatcher, describe_dispatcher{})).dropped == 1);

  run();
  CHECK(noted.rows() == rows{1}); // read from the log
  REQUIRE(cursor.ready());
  REQUIRE(cursor.get());
  CHECK(cursor.get()->bulk.offered_upto == 0);
}

TEST_CASE_METHOD(dispatcher_fixture, "a second order to begin changes nothing", "[dispatcher]") {
  commit();
  run();
  caf::anon_send(dispatcher, begin_delivery{});
  actors.settle();
  CHECK(noted.rows() == rows{1});
  const auto before = report().checkpoints;
  actors.advance(1s);
  CHECK(report().checkpoints <= before + 1); // one timer
}

TEST_CASE_METHOD(dispatcher_fixture, "hints that join on are not read again", "[dispatcher]") {
  run();
  const auto reads = script.reads;
  hint(commit());
  hint(commit(false));
  hint(commit());
  actors.settle();
  CHECK(noted.rows() == rows{1, 3});
  CHECK(script.reads == reads + 1); // the endpoint
  CHECK(report().dispatched == 3);
  CHECK(report().dropped == 0);
}

TEST_CASE_METHOD(dispatcher_fixture, "a lost hint is read from the log", "[dispatcher]") {
  run();
  hint(commit());
  commit();
  actors.settle();
  CHECK(noted.rows() == rows{1});
  hint(commit());
  actors.settle();
  CHECK(noted.rows() == rows{1, 2, 3});
}

TEST_CASE_METHOD(dispatcher_fixture, "a row that is committed while the log is read is not lost",
                 "[dispatcher]") {
  run();
  commit(); // its hint is lost
  script.holds = true;
  hint(commit());
  actors.settle(); // the read has begun, and sees two rows
  REQUIRE(noted.rows().empty());
  hint(commit()); // does not join on: a read is under way
  actors.settle();
  caf::anon_send(has->storage.readers.front(), read_job{});
  actors.settle();
  CHECK(noted.rows() == rows{1, 2, 3});
  CHECK(report().dispatched == 3);
}

TEST_CASE_METHOD(dispatcher_fixture, "a hint of a row that the log does not have is read once",
                 "[dispatcher]") {
  run();
  hint(commit());
  actors.settle();
  const auto reads = script.reads;
  caf::anon_send(dispatcher, dispatch_rows{.previous = 8, .upto = 9});
  actors.settle();
  CHECK(script.reads == reads + 1);
  newest = 9;
  hint(commit());
  actors.settle();
  CHECK(noted.rows() == rows{1, 10});
}

TEST_CASE_METHOD(dispatcher_fixture, "reads of the log that fail are tried again", "[dispatcher]") {
  commit();
  script.fails = true;
  run();
  CHECK(report().failed == 1);
  script.fails = false;
  actors.advance(1s);
  CHECK(noted.rows() == rows{1});
  script.fails = true;
  commit();
  hint(commit());
  actors.settle();
  CHECK(noted.rows() == rows{1});
  script.fails = false;
  actors.advance(1s);
  CHECK(noted.rows() == rows{1, 2, 3});
}

TEST_CASE_METHOD(dispatcher_fixture, "a host that asks again while it waits is told both times",
                 "[dispatcher]") {
  start({.asks_max = 2});
  auto asked = std::vector<kit::pending_reply<host_cursor>>{};
  for (auto time = 0; time < 3; ++time) {
    asked.push_back(actors.start<host_cursor>(dispatcher, adopt_host{far()}));
    actors.settle();
  }
  REQUIRE(asked[0].ready());
  CHECK_FALSE(asked[0].get()); // past the limit
  CHECK_FALSE(asked[1].ready());
  run();
  for (const auto at : {1U, 2U}) {
    REQUIRE(asked[at].ready());
    CHECK(asked[at].get());
  }
}

TEST_CASE_METHOD(dispatcher_fixture, "rows are not expanded while hosts have not taken offers",
                 "[dispatcher]") {
  start({.rows_max = 4, .batch_max = 1, .outstanding_max = 2});
  noted.holds = true;
  run();
  for (auto more = 0; more < 20; ++more)
    hint(commit());
  actors.settle();
  CHECK(noted.rows() == rows{1, 2});
  CHECK(report().outstanding == 2);
  CHECK(report().dropped > 0); // no more than a few wait
  noted.holds = false;
  caf::anon_send(has->hosts, note_sign_of_life{});
  actors.advance(2s);
  auto all = rows(20);
  std::iota(all.begin(), all.end(), 1);
  CHECK(noted.rows() == all);
}

TEST_CASE_METHOD(dispatcher_fixture, "an offer says up to where others were made", "[dispatcher]") {
  run();
  hint(commit());
  actors.settle();
  hint(commit());
  actors.settle();
  REQUIRE(noted.offers.size() == 2);
  CHECK(noted.offers[0].previous == offered_before{0, 0});
  CHECK(noted.offers[1].previous == offered_before{0, 1});
}

TEST_CASE_METHOD(dispatcher_fixture, "a host that took nothing is looked after", "[dispatcher]") {
  noted.refuses = true;
  run();
  hint(commit());
  actors.settle();
  CHECK(noted.offers.empty());
  noted.refuses = false;
  actors.advance(9s);
  CHECK(noted.woken.empty());
  actors.advance(2s);
  CHECK(noted.woken == std::vector{far()});
  const auto cursor = kit::must(actors.ask<host_cursor>(dispatcher, adopt_host{far()}));
  CHECK(cursor.bulk.first_open == std::optional<log_seq>{1});
}

TEST_CASE_METHOD(dispatcher_fixture, "a host that reports learns of what it was not offered",
                 "[dispatcher]") {
  noted.refuses = true;
  run();
  hint(commit());
  actors.settle();
  noted.refuses = false;
  caf::anon_send(dispatcher, host_progress{.host = far(), .id = {kit::host_row_id("far.example")}});
  actors.settle();
  REQUIRE(noted.offers.size() == 1);
  CHECK(noted.offers[0].units.empty());
  CHECK(noted.offers[0].previous == offered_before{0, 1});
}

TEST_CASE_METHOD(dispatcher_fixture, "hosts that wait since before the start are woken in time",
                 "[dispatcher]") {
  const auto host = kit::host_row_id("far.example");
  kit::must(storage.open_writer()->run("UPDATE host SET next_try_at = $1", {actors.now() + 30s}));
  kit::must(storage.open_writer()->run(
      "INSERT INTO host_backlog(host_id, class, behind_from, acked, count, counted_to, bytes,"
      " oldest_at) VALUES ($1, 2, 0, $2, 1, 1, 0, 1)",
      {host, blob{}}));
  commit();
  run();
  CHECK(noted.offers.empty()); // it sleeps until then; the books have counted
  actors.advance(29s);
  CHECK(noted.woken.empty());
  actors.advance(2s);
  CHECK(noted.woken == std::vector{far()});
}

TEST_CASE_METHOD(dispatcher_fixture, "a flush ends when the books are in the database",
                 "[dispatcher]") {
  run();
  hint(commit());
  actors.settle();
  tell_settled(1);
  const auto flushed = actors.start_done(dispatcher, flush_books{});
  actors.settle();
  REQUIRE(flushed.ready());
  CHECK_FALSE(flushed.failure());
  CHECK(kit::rows_of(storage.db().run("SELECT seq, class FROM shard_mark")) ==
        std::vector<std::string>{"1|2"});

  hint(commit());
  actors.settle();
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::unavailable, "away"); };
  tell_settled(2);
  const auto failed = actors.start_done(dispatcher, flush_books{});
  actors.settle();
  REQUIRE(failed.ready());
  CHECK(failed.failure()); // whoever shuts down learns that it is not
  storage.faults() = {};
  actors.advance(1s);
  CHECK(kit::rows_of(storage.db().run("SELECT seq FROM shard_mark")) ==
        std::vector<std::string>{"2"});
}

TEST_CASE_METHOD(dispatcher_fixture,
                 "what one host settles fast is written before the second is over",
                 "[dispatcher]") {
  const auto limits = dispatcher_options{};
  const auto marks = [&] { return kit::rows_of(storage.db().run("SELECT seq FROM shard_mark")); };
  run();
  for (auto number = 0; number < 6; ++number)
    hint(commit());
  actors.advance(2 * limits.checkpoint_interval); // what follows is between two ticks
  for (const auto seq : {1, 2, 3})
    tell_settled(seq);
  actors.advance(limits.early_after);
  CHECK(marks().empty()); // few are left to the tick

  tell_settled(4);
  actors.advance(limits.early_after - 1ms);
  CHECK(marks().empty()); // what follows in this moment goes with it
  tell_settled(5);
  actors.advance(1ms);
  CHECK(marks() == std::vector<std::string>{"5"});

  tell_settled(6); // is counted anew
  actors.advance(limits.early_after);
  CHECK(marks() == std::vector<std::string>{"5"});
  actors.advance(limits.checkpoint_interval);
  CHECK(marks() == std::vector<std::string>{"6"});
}

TEST_CASE_METHOD(dispatcher_fixture, "a flush before the start has nothing to write",
                 "[dispatcher]") {
  const auto flushed = actors.start_done(dispatcher, flush_books{});
  actors.settle();
  REQUIRE(flushed.ready());
  CHECK_FALSE(flushed.failure());
}
