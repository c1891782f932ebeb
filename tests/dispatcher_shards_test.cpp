// Shards of hosts come to a dispatcher and leave it.
#include "tests/kit/shards_fixture.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::shards_fixture;

namespace {

using rows = std::vector<log_seq>;

} // namespace

TEST_CASE_METHOD(shards_fixture, "a dispatcher that owns nothing offers, counts and knows nothing",
                 "[dispatcher][shards]") {
  run();
  post_far();
  actors.advance(2s);
  CHECK(noted.offers.empty());
  CHECK(report().sums == delivery_sums{});
  CHECK(report().shards == 0);
  CHECK(places->all().none());
  const auto cursor = adopt(far());
  REQUIRE_FALSE(cursor);
  CHECK(code_of(cursor.error()) == errc::unavailable);
  CHECK(board->totals().hosts == 0);
}

TEST_CASE_METHOD(shards_fixture, "hosts in other shards are somebody else's",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  post_far();
  post_near();
  CHECK(offered(far()) == rows{1});
  CHECK(offered(near()).empty());
  CHECK(report().sums == delivery_sums{.offered = 1, .pending = 1});
  CHECK(report().hosts_open == 1);
  CHECK_FALSE(adopt(near()));
  CHECK(adopt(far()));
  CHECK(places->has(far()));
  CHECK_FALSE(places->has(near()));
  // Nobody knows it here, whatever it says.
  const auto unit = unit_key{1, near_endpoint()};
  caf::anon_send(dispatcher,
                 host_progress{.host = near(),
                               .id = {kit::host_row_id("near.example")},
                               .classes = {{.settled = {{unit}}, .received_upto = 2}},
                               .exceptions = {{.host = {kit::host_row_id("near.example")},
                                               .unit = unit,
                                               .row = delivery_exception{.unit = unit},
                                               .outcome = {}}}});
  actors.advance(2s);
  CHECK(kit::rows_of(storage.db().run("SELECT seq FROM delivery_exception")).empty());
  CHECK(report().hosts_open == 1);
  CHECK(report().sums == delivery_sums{.offered = 1, .pending = 1});
  CHECK(marks(near_shard()).empty());
}

TEST_CASE_METHOD(shards_fixture, "shards that are told of again change nothing",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  post_far();
  const auto reads = script.reads;
  own(far_shard());
  own({});
  actors.advance(500ms);
  CHECK(script.reads == reads);
  CHECK(offered(far()) == rows{1});
  CHECK(report().shards == 1);
}

TEST_CASE_METHOD(shards_fixture, "shards that are told of before the start are loaded then",
                 "[dispatcher][shards]") {
  caf::anon_send(dispatcher, own_host_shards{far_shard()});
  actors.settle();
  commit();
  run();
  CHECK(offered(far()) == rows{1});
  CHECK(places->has(far()));
}

TEST_CASE_METHOD(shards_fixture, "a load that fails is tried again by the next tick",
                 "[dispatcher][shards]") {
  run();
  commit();
  own(near_shard()); // others are here
  script.fails = true;
  own(far_shard());
  const auto cursor = actors.start<host_cursor>(dispatcher, adopt_host{far()});
  actors.settle();
  CHECK(report().failed == 1);
  CHECK_FALSE(cursor.ready()); // it is answered when the shard is loaded
  script.fails = false;
  actors.advance(1s);
  CHECK(offered(far()) == rows{1});
  REQUIRE(cursor.ready());
  CHECK(cursor.get());
}

TEST_CASE_METHOD(shards_fixture, "what comes while shards are loaded is loaded next",
                 "[dispatcher][shards]") {
  run();
  commit();
  commit(true, near_endpoint());
  script.holds = true;
  own(far_shard());
  own(near_shard());
  caf::anon_send(has->storage.readers.front(), read_job{});
  actors.settle();
  CHECK(offered(far()) == rows{1});
  CHECK(offered(near()) == rows{2});
}

TEST_CASE_METHOD(shards_fixture, "the board has the hosts of the node's shards",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  CHECK(board->find(far()));
  CHECK_FALSE(board->find(near()));
  own(near_shard());
  CHECK(board->find(near()));
  post_near();
  actors.advance(1s);
  CHECK(board->find(near())->sums == delivery_sums{.offered = 1, .pending = 1});
  CHECK_FALSE(give_up(far_shard()).failure());
  CHECK_FALSE(board->find(far()));
  CHECK(board->find(near()));
}

TEST_CASE_METHOD(shards_fixture, "rows from before a shard came may have been sent by another node",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  post_far();
  post_far();
  own(near_shard());
  post_far();
  CHECK(kit::must(adopt(far())).earlier_upto == 0);
  CHECK(kit::must(adopt(near())).earlier_upto == 2);
  CHECK_FALSE(give_up(far_shard()).failure());
  own(far_shard());
  CHECK(kit::must(adopt(far())).earlier_upto == 3);
  CHECK(kit::must(adopt(near())).earlier_upto == 2);
}

TEST_CASE_METHOD(shards_fixture, "a shard that leaves is answered when its hosts are gone",
                 "[dispatcher][shards]") {
  run();
  own(far_shard() | near_shard());
  post_far();
  post_near();
  stops.holds = true;
  const auto left = give_up(far_shard());
  REQUIRE(stops.asked.size() == 1);
  CHECK(stops.asked[0].are_meant(far()));
  CHECK_FALSE(stops.asked[0].are_meant(near()));
  CHECK_FALSE(places->has(far())); // no actor of it is started any more
  CHECK(places->has(near()));
  CHECK_FALSE(adopt(far()));
  post_far();
  post_near();
  CHECK(offered(far()) == rows{1});
  CHECK(offered(near()) == rows{2, 4});
  actors.advance(5s);
  CHECK_FALSE(left.ready());

  settle(far(), {1}, 1); // its last word
  end_hosts();
  actors.settle();
  REQUIRE(left.ready());
  CHECK_FALSE(left.failure());
  CHECK(marks(far_shard()) == std::vector<std::string>{"2"}); // it passed what others were owed
  CHECK(report().sums == delivery_sums{.offered = 2, .pending = 2});
  CHECK(report().shards == 1);
  SECTION("and comes back as if it were new") {
    own(far_shard());
    CHECK(offered(far()) == rows{1, 3});
    CHECK(report().sums == delivery_sums{.offered = 4, .delivered = 1, .pending = 3});
    post_far();
    CHECK(offered(far()) == rows{1, 3, 5});
  }
}

TEST_CASE_METHOD(shards_fixture, "what the hosts of a leaving shard told is written before it goes",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  post_far();
  settle(far(), {1}, 1);
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::unavailable, "away"); };
  const auto left = give_up(far_shard());
  actors.advance(30s); // the hosts are gone: nothing else is waited for, however long
  CHECK_FALSE(left.ready());
  CHECK(report().sums.delivered == 1);
  storage.faults() = {};
  actors.advance(1s);
  REQUIRE(left.ready());
  CHECK_FALSE(left.failure());
  CHECK(marks(far_shard()) == std::vector<std::string>{"1"});
  CHECK(report().sums == delivery_sums{});
}

TEST_CASE_METHOD(shards_fixture, "a checkpoint that began before the hosts were gone is not enough",
                 "[dispatcher][shards]") {
  run();
  own(far_shard());
  post_far();
  post_far();
  settle(far(), {1}, 1);
  writes.holds = true;
  actors.advance(1s);
  REQUIRE(writes.held.size() == 1);
  settle(far(), {2}, 2); // while it is written
  const auto left = give_up(far_shard());
  CHECK_FALSE(left.ready());
  caf::anon_send(has->storage.writer, flush_batch{});
  actors.settle();
  REQUIRE(left.ready());
  CHECK(marks(far_shard()) == std::vector<std::string>{"2"});
}

TEST_CASE_METHOD(shards_fixture, "a shard whose hosts do not stop in time stays",
                 "[dispatcher][shards]") {
  run();
  own(far_shard() | near_shard());
  post_far();
  stops.holds = true;
  const auto left = give_up(far_shard());
  post_far();
  post_near();
  actors.advance(dispatcher_options{}.stop_max - 1s);
  CHECK_FALSE(left.ready());
  actors.advance(1s);
  REQUIRE(left.ready());
  CHECK(code_of(left.failure()) == errc::timed_out);
  CHECK(offered(far()) == rows{1, 2}); // what came meanwhile
  CHECK(offered(near()) == rows{3});   // once
  CHECK(noted.woken == std::vector{far()});
  CHECK(places->has(far()));
  CHECK(adopt(far()));
  CHECK(report().sums == delivery_sums{.offered = 3, .pending = 3});
  end_hosts(); // too late
  actors.settle();
  CHECK(report().shards == 2);
}

TEST_CASE_METHOD(shards_fixture, "a shard is given up once at a time", "[dispatcher][shards]") {
  run();
  own(far_shard() | near_shard());
  stops.holds = true;
  const auto first = give_up(far_shard());
  const auto second = give_up(far_shard() | near_shard());
  REQUIRE(second.ready());
  CHECK(code_of(second.failure()) == errc::unavailable);
  CHECK(places->has(near()));
  const auto third = give_up(near_shard());
  own(far_shard() | near_shard()); // they leave: it changes nothing
  CHECK(report().shards == 0);
  CHECK(places->all().none());
  end_hosts();
  actors.settle();
  CHECK_FALSE(first.failure());
  CHECK_FALSE(third.failure());
  CHECK(report().shards == 0);
  const auto again = give_up(far_shard());
  REQUIRE(again.ready());
  CHECK_FALSE(again.failure()); // it is not here
}

TEST_CASE_METHOD(shards_fixture, "a shard may be given up while it is loaded",
                 "[dispatcher][shards]") {
  run();
  commit();
  commit(true, near_endpoint());
  script.holds = true;
  own(far_shard() | near_shard());
  const auto cursor = actors.start<host_cursor>(dispatcher, adopt_host{far()});
  actors.settle();
  const auto left = give_up(far_shard());
  REQUIRE(left.ready());
  CHECK_FALSE(left.failure());
  REQUIRE(cursor.ready());
  CHECK_FALSE(cursor.get());
  kit::must(storage.open_writer()->run( // by its new node, before it comes back
      "INSERT INTO shard_mark(kind, shard, class, seq, acked) VALUES (2, $1, 2, 1, $2)",
      {int{host_shard(far())}, blob{}}));
  own(far_shard());
  caf::anon_send(has->storage.readers.front(), read_job{});
  actors.settle();
  CHECK(offered(far()).empty()); // what was being read was old by then
  CHECK(offered(near()) == rows{2});
  CHECK(adopt(far()));
}

TEST_CASE_METHOD(shards_fixture, "exceptions, drains and dead letters go with their shard",
                 "[dispatcher][shards]") {
  const auto id = kit::host_row_id("far.example");
  const auto db = storage.open_writer();
  for (const auto status : {1, 2})
    kit::must(
        db->run("INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status,"
                " error, attempts, next_try_at) VALUES ($1, $2, $3, 'p/0/1', $3, 'x', 1, $4)",
                {id, kit::shared_endpoint(), status, actors.now() + 1h}));
  kit::must(db->run("UPDATE host SET drained_after = 2 WHERE id = $1", {id}));
  newest = 2;
  run();
  own(near_shard());
  CHECK(report().sums == delivery_sums{});
  own(far_shard());
  CHECK(report().sums == delivery_sums{.offered = 1, .pending = 1});
  post_far();
  CHECK(report().sums == delivery_sums{.offered = 2, .cancelled = 1, .pending = 1});
  CHECK(board->find(far())->dead_letters == 1);
  CHECK_FALSE(give_up(far_shard()).failure());
  CHECK(report().sums == delivery_sums{});
  kit::must(db->run("UPDATE host SET drained_after = NULL WHERE id = $1", {id})); // by its new node
  kit::must(db->run("DELETE FROM delivery_exception", {}));
  own(far_shard());
  post_far();
  CHECK(offered(far()) == rows{4});
  CHECK(report().sums == delivery_sums{.offered = 2, .cancelled = 1, .pending = 1});
  actors.advance(1s);
  CHECK(board->find(far())->dead_letters == 0);
}
