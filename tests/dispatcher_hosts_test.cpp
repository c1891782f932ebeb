#include "tests/kit/dispatcher_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using rows = std::vector<log_seq>;

struct hosts_fixture : kit::dispatcher_fixture {
  host_id far_id() const { return {kit::host_row_id("far.example")}; }

  void offer_one() {
    hint(commit());
    actors.settle();
  }

  /// The host says that units up to `upto` were delivered.
  void deliver(log_seq from, log_seq upto) {
    auto news = class_progress{.received_upto = upto};
    for (auto seq = from; seq <= upto; ++seq)
      news.settled.push_back({{seq, kit::shared_endpoint()}});
    tell({.classes = {news}});
  }

  void tell(host_progress news) {
    news.host = far();
    news.id = far_id();
    caf::anon_send(dispatcher, std::move(news));
    actors.settle();
  }

  void tell_facts(const host_facts& facts) {
    auto told = facts;
    told.id = far_id();
    tell({.facts = told});
  }

  /// Adds hosts with a row of backlog each.
  void add_lagging(int hosts, std::optional<time_point> next_try_at = {}) {
    const auto db = storage.open_writer();
    for (auto number = 0; number < hosts; ++number) {
      const auto id = host_id{100 + number};
      kit::must(db->run("INSERT INTO host(id, scheme, name, port, next_try_at) VALUES"
                        " ($1, 'https', $2, 443, $3)",
                        {id, "h" + std::to_string(number) + ".test", next_try_at}));
      kit::must(db->run("INSERT INTO host_backlog(host_id, class, behind_from, acked, count,"
                        " counted_to, bytes, oldest_at) VALUES ($1, 2, 0, $2, 3, 9, 0, 1)",
                        {id, blob{}}));
    }
  }

  /// A new life of the dispatcher on the same database.
  void restart(dispatcher_options options = {}) {
    actors.advance(2s); // written
    caf::anon_send_exit(dispatcher, caf::exit_reason::kill);
    actors.settle();
    noted.offers.clear();
    noted.woken.clear();
    board = std::make_shared<host_board>();
    start(options);
    run();
  }
};

} // namespace

TEST_CASE_METHOD(hosts_fixture, "a suspended host is told of nothing until it is due",
                 "[dispatcher]") {
  run();
  offer_one();
  tell_facts({.state = host_state::suspended, .next_try_at = actors.now() + 30s});
  for (auto more = 0; more < 50; ++more)
    offer_one();
  CHECK(noted.offers.size() == 1); // it costs no message
  CHECK(report().sums == delivery_sums{.offered = 51, .pending = 51});
  actors.advance(29s);
  CHECK(noted.woken.empty());
  actors.advance(2s);
  CHECK(noted.woken == std::vector{far()});
  tell({});
  REQUIRE(noted.offers.size() == 2); // up to where it was offered what
  CHECK(noted.offers[1].units.empty());
  CHECK(noted.offers[1].previous == offered_before{0, 51});
}

TEST_CASE_METHOD(hosts_fixture, "a paused host is told of nothing until it is resumed",
                 "[dispatcher]") {
  run();
  offer_one();
  tell_facts({.paused = true});
  offer_one();
  CHECK(noted.offers.size() == 1);
  tell_facts({});
  REQUIRE(noted.offers.size() == 2);
  CHECK(noted.offers[1].previous == offered_before{0, 2});
}

TEST_CASE_METHOD(hosts_fixture, "a host with an exception is offered what is new", "[dispatcher]") {
  kit::must(storage.open_writer()->run(
      "INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status, error,"
      " attempts, next_try_at) VALUES ($1, $2, 1, 'p/0/1', 1, 'x', 1, $3)",
      {far_id(), kit::shared_endpoint(), actors.now() + 1h}));
  newest = 1;
  run();
  offer_one();
  CHECK(noted.rows() == rows{2});
  CHECK(report().sums == delivery_sums{.offered = 2, .pending = 2});
  CHECK(board->find(far())->exceptions == 1);
}

TEST_CASE_METHOD(hosts_fixture, "a drained host takes nothing new until it is resumed",
                 "[dispatcher]") {
  run();
  offer_one();
  tell_facts({.drained_after = 1});
  offer_one();
  offer_one();
  CHECK(noted.rows() == rows{1});
  CHECK(report().sums == delivery_sums{.offered = 3, .cancelled = 2, .pending = 1});
  kit::must(storage.open_writer()->run("UPDATE host SET drained_after = 1"));
  SECTION("a new life knows") {
    restart();
    CHECK(report().sums == delivery_sums{.offered = 3, .cancelled = 2, .pending = 1});
    offer_one();
    CHECK(report().sums.cancelled == 3);
  }
  SECTION("it is resumed") {
    tell_facts({});
    offer_one();
    CHECK(noted.rows() == rows{1, 4});
    CHECK(report().sums == delivery_sums{.offered = 4, .cancelled = 2, .pending = 2});
  }
}

TEST_CASE_METHOD(hosts_fixture, "sums are kept across restarts, and a host's begin with what waits",
                 "[dispatcher]") {
  run();
  for (auto more = 0; more < 5; ++more)
    offer_one();
  deliver(1, 3);
  actors.advance(1s);
  const auto line = board->find(far());
  REQUIRE(line);
  CHECK(line->sums == delivery_sums{.offered = 5, .delivered = 3, .pending = 2});
  CHECK(line->health.facts.id == far_id());
  restart();
  CHECK(report().sums == delivery_sums{.offered = 5, .delivered = 3, .pending = 2});
  actors.advance(1s);
  CHECK(board->find(far())->sums == delivery_sums{.offered = 2, .pending = 2});
  CHECK(board->find(far())->oldest_at);
  deliver(4, 5);
  actors.advance(2s);
  CHECK(report().sums == delivery_sums{.offered = 5, .delivered = 5});
  CHECK(board->find(far())->sums == delivery_sums{.offered = 2, .delivered = 2});
  CHECK_FALSE(board->find(far())->oldest_at);
}

TEST_CASE_METHOD(hosts_fixture,
                 "lagging hosts are woken a few at once, first those that may be tried",
                 "[dispatcher]") {
  add_lagging(40);
  kit::must(storage.open_writer()->run("UPDATE host SET next_try_at = 5 WHERE id < 110"));
  start({.wakes_at_once = 8});
  run();
  REQUIRE(noted.woken.size() == 8);
  for (const auto& host : noted.woken)
    CHECK(host.name.size() == std::string{"h10.test"}.size()); // the others were to be tried before
  SECTION("as they are heard of") {
    for (auto each = std::size_t{0}; each < noted.woken.size(); ++each) {
      const auto host = noted.woken[each];
      const auto number = std::stoi(host.name.substr(1));
      caf::anon_send(dispatcher, host_progress{.host = host, .id = host_id{100 + number}});
      actors.settle();
    }
    CHECK(noted.woken.size() == 40);
  }
  SECTION("or each second") {
    actors.advance(5s);
    CHECK(noted.woken.size() == 40);
    actors.advance(30s);
    CHECK(noted.woken.size() == 40); // once
  }
}

TEST_CASE_METHOD(hosts_fixture, "the board begins with all hosts of the database", "[dispatcher]") {
  add_lagging(7, actors.now() + 1h);
  kit::must(storage.open_writer()->run(
      "INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status, error,"
      " attempts) VALUES (103, 5, 1, 'p/0/1', 2, 'x', 1)"));
  kit::must(storage.open_writer()->run("UPDATE host SET state = 4, limit_per_s = 9"));
  start({.hosts_per_page = 3});
  run();
  CHECK(board->totals().hosts == 8);
  CHECK(board->totals().sums == delivery_sums{.offered = 21, .pending = 21});
  const auto line = board->find({"https", "h3.test", 443});
  REQUIRE(line);
  CHECK(line->dead_letters == 1);
  CHECK(line->health.facts.state == host_state::suspended);
  CHECK(line->health.facts.limit_per_s == std::optional<std::int64_t>{9});
  CHECK(line->sums.pending == 3);
  auto news = host_progress{.host = {"https", "h3.test", 443}, .id = host_id{103}};
  news.dead_letters = 4;
  news.classes = {{.received_upto = 0, .first_open = 1, .oldest_at = actors.now()}};
  caf::anon_send(dispatcher, std::move(news));
  actors.advance(1s);
  CHECK(board->find({"https", "h3.test", 443})->dead_letters == 4);
}

TEST_CASE_METHOD(hosts_fixture, "the dispatcher says which units are open", "[dispatcher]") {
  run();
  for (auto more = 0; more < 3; ++more)
    offer_one();
  tell({.classes = {{.settled = {{{2, kit::shared_endpoint()}}},
                     .received_upto = 3,
                     .first_open = 1,
                     .oldest_at = actors.now()}}});
  auto wish = ask_open_units{};
  for (const auto seq : {1, 2, 3, 4})
    wish.units.push_back({far_id(), delivery_class::bulk, {seq, kit::shared_endpoint()}});
  wish.units.push_back({host_id{5}, delivery_class::bulk, {1, endpoint_id{5}}});
  const auto answer = kit::must(actors.ask<open_units>(dispatcher, wish));
  // Row 4 was not handed to anybody yet.
  CHECK(answer.open == std::vector{true, false, true, true, false});
}

TEST_CASE_METHOD(hosts_fixture, "a host that has nothing any more is forgotten", "[dispatcher]") {
  run();
  offer_one();
  deliver(1, 1);
  actors.advance(2s);
  CHECK(report().hosts_open == 0);
  noted.refuses = true;
  actors.advance(120s);
  CHECK(noted.woken.empty()); // nobody looks after it
}
