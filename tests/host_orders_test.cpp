#include "storage/host_orders.hpp"

#include "protocol/errc.hpp"
#include "storage/audience_store.hpp"
#include "storage/host_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/counting_database.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::counting_database;
using kit::must;
using kit::on_both;
using kit::rows_of;
using kit::test_database;

namespace {

constexpr auto far = host_id{1};
constexpr auto near = host_id{2};
constexpr auto author = account_id{5};
const auto far_address = host_address{"https", "far.example", 443};
const auto unknown = host_address{"https", "unknown.example", 443};

using texts = std::vector<std::string>;

void prepare(database& db) {
  must(ensure_host(db, far_address, far));
  must(ensure_host(db, {"https", "near.example", 443}, near));
  for (const auto& [id, host] : {std::pair{11, far}, {12, far}, {21, near}})
    must(ensure_endpoint(db, {host, "https://inbox/" + std::to_string(id), id == 11},
                         endpoint_id{id}));
}

struct row {
  log_seq seq = 0;
  std::string object;
  std::vector<int> extra;
  log_kind kind = log_kind::create;
  account_id by = author;
  time_point at{1'000s};
};

void add(database& db, const row& next) {
  must(
      db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id, body)"
             " VALUES ($1, $2, $3, $4, $5, 2, 1, 0, $6)",
             {next.seq, next.at, static_cast<int>(next.kind), next.by, next.object, blob{"body"}}));
  for (const auto endpoint : next.extra)
    must(db.run("INSERT INTO log_extra(seq, endpoint_id) VALUES ($1, $2)", {next.seq, endpoint}));
}

void bury(database& db, log_seq seq, int endpoint, int status = 2) {
  must(db.run("INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status, error,"
              " attempts) VALUES ($1, $2, $3, 'p/0/7', $4, 'status 410', 7)",
              {endpoint < 20 ? far : near, endpoint, seq, status}));
}

texts names(const std::vector<delivery_unit>& units) {
  auto all = texts{};
  for (const auto& unit : units)
    all.push_back(std::to_string(unit.seq) + ">" + to_string(unit.to->id));
  return all;
}

texts names(const std::vector<stored_exception>& letters) {
  auto all = texts{};
  for (const auto& letter : letters)
    all.push_back(std::to_string(letter.row.unit.seq) + ">" + to_string(letter.row.unit.endpoint));
  return all;
}

std::string host_row(database& db) {
  return rows_of(db.run("SELECT paused, next_try_at, drained_after, flushed_upto, limit_in_flight,"
                        " limit_per_s FROM host WHERE id = 1"))
      .at(0);
}

} // namespace

TEST_CASE("a pause is stored with when it began", "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    must(pause_host_row(db, far_address, time_point{5s}));
    CHECK(host_row(db) == "1|5000000|null|0|null|null");
    must(pause_host_row(db, far_address, time_point{9s})); // it is paused already
    CHECK(host_row(db) == "1|5000000|null|0|null|null");
    CHECK_FALSE(must(resume_host_row(db, far_address))); // it was never drained
    CHECK(host_row(db) == "0|null|null|0|null|null");
    CHECK(code_of(pause_host_row(db, unknown, {})) == errc::not_found);
    CHECK(code_of(resume_host_row(db, unknown).error()) == errc::not_found);
  });
}

TEST_CASE("a drain ends with the newest row there is when its host is resumed", "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    const auto range = [&db] {
      return rows_of(db.run("SELECT drained_after, drained_upto FROM host WHERE id = 1")).at(0);
    };
    add(db, {.seq = 17});
    must(set_drained(db, far, row_range{.after = 17, .upto = {}}));
    CHECK(must(drained_hosts(db)).size() == 1);
    add(db, {.seq = 19});
    CHECK(must(resume_host_row(db, far_address)) == 19);
    CHECK(range() == "17|19");
    CHECK(must(drained_hosts(db)).empty());
    add(db, {.seq = 20});
    CHECK(must(resume_host_row(db, far_address)) == 19); // it has ended already
    const auto facts = must(find_host(db, far_address));
    REQUIRE(facts);
    CHECK_FALSE(facts->is_drained());
    auto drained = std::vector<log_seq>{};
    for (auto seq = log_seq{15}; seq < 23; ++seq)
      if (facts->drains(seq))
        drained.push_back(seq);
    CHECK(drained == std::vector<log_seq>{18, 19});
    must(set_drained(db, far, row_range{.after = 20, .upto = {}}));
    CHECK(range() == "20|null");
  });
}

TEST_CASE("orders are columns of the host", "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    must(set_flushed(db, far, 12));
    must(set_drained(db, far, row_range{.after = 13, .upto = {}}));
    must(set_bounds(db, far, {.in_flight = 2, .per_s = 3}));
    CHECK(host_row(db) == "0|null|13|12|2|3");
    const auto facts = must(find_host(db, far_address));
    REQUIRE(facts);
    CHECK(facts->flushed_upto == 12);
    CHECK(facts->drained_after == 13);
    CHECK(facts->limit_in_flight == 2);
    CHECK(facts->limit_per_s == 3);
    must(save_host(db, {.id = far})); // what the books write leaves orders alone
    CHECK(host_row(db) == "0|null|13|12|2|3");
    must(set_drained(db, far, std::nullopt));
    must(set_bounds(db, far, {}));
    CHECK(host_row(db) == "0|null|null|12|null|null");
  });
}

TEST_CASE("dead letters are listed in pages, or by name", "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    add(db, {.seq = 3, .object = "p/0/7", .kind = log_kind::update});
    for (const auto seq : {3, 4})
      for (const auto endpoint : {11, 12, 21})
        bury(db, seq, endpoint);
    bury(db, 5, 11, 1); // waits
    const auto all = must(dead_letters(db, far, {}, {}, 10));
    CHECK(names(all) == texts{"3>11", "3>12", "4>11", "4>12"});
    CHECK(all[0].row.error == "status 410");
    CHECK(all[0].row.attempts == 7);
    CHECK(all[0].unit.author == author);
    CHECK(all[0].unit.kind == log_kind::update);
    CHECK(all[0].unit.to->shared);
    CHECK(all[1].unit.to->url == "https://inbox/12");
    CHECK_FALSE(all[2].unit.author); // its row is gone
    CHECK(names(must(dead_letters(db, far, {}, {3, endpoint_id{11}}, 2))) == texts{"3>12", "4>11"});
    auto wanted =
        std::vector<unit_key>{{4, endpoint_id{12}}, {5, endpoint_id{11}}, {3, endpoint_id{21}}};
    for (auto more = 0; more < 300; ++more)
      wanted.push_back({1'000 + more, endpoint_id{11}});
    wanted.push_back({3, endpoint_id{11}});
    CHECK(names(must(dead_letters(db, far, wanted, {}, 10))) == texts{"3>11", "4>12"});
  });
}

TEST_CASE("dead letters tell which were taken back since", "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    const auto bury_about = [&db](log_seq seq, const std::string& object) {
      bury(db, seq, 11);
      must(db.run("UPDATE delivery_exception SET object_key = $1 WHERE seq = $2", {object, seq}));
    };
    add(db, {.seq = 1, .object = "p/0/7"});
    add(db, {.seq = 2, .object = "l/5/8", .kind = log_kind::like});
    add(db, {.seq = 3, .object = "l/5/9", .kind = log_kind::like});
    add(db, {.seq = 4, .object = "p/0/6"});
    add(db, {.seq = 5, .object = "p/0/7", .kind = log_kind::remove});
    add(db, {.seq = 6, .object = "l/5/8", .kind = log_kind::undo_like});
    add(db, {.seq = 7, .object = "l/6/9", .kind = log_kind::undo_like, .by = account_id{6}});
    for (const auto& [seq, object] :
         {std::pair{1, "p/0/7"}, {2, "l/5/8"}, {3, "l/5/9"}, {4, "p/0/6"}, {5, "p/0/7"}})
      bury_about(seq, object);
    auto taken_back = std::vector<log_seq>{};
    for (const auto& letter : must(dead_letters(db, far, {}, {}, 10)))
      if (letter.is_taken_back)
        taken_back.push_back(letter.row.unit.seq);
    CHECK(taken_back == std::vector<log_seq>{1, 2});
  });
}

TEST_CASE("what took a dead letter back is found by indexes, however long the log is",
          "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    add(db, {.seq = 1, .object = "l/5/8", .kind = log_kind::like});
    bury(db, 1, 11);
    for (auto doubled = 0; doubled < 12; ++doubled)
      must(db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id)"
                  " SELECT seq + (SELECT max(seq) FROM log), at, 6, author, object_key, class,"
                  " public, audience_id FROM log"));
    must(db.run("ANALYZE log"));
    auto counting = counting_database{db};
    counting.explains = true;
    CHECK(must(dead_letters(counting, far, {}, {}, 10)).size() == 1);
    CHECK_THAT(counting.plans, Catch::Contains("log_removed") && Catch::Contains("log_undone"));
  });
}

TEST_CASE("the newest row about an object that a host is owed", "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    prepare(db);
    must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                " VALUES (5, 'ann', 'ann', 'https://own.example/users/ann', 0)"
                " ON CONFLICT DO NOTHING"));
    add(db, {.seq = 1, .object = "l/5/7", .extra = {11}, .kind = log_kind::like});
    add(db, {.seq = 2, .object = "l/5/7", .extra = {11, 12}, .kind = log_kind::undo_like});
    add(db, {.seq = 3, .object = "l/5/7", .extra = {21}, .kind = log_kind::like}); // near alone
    add(db, {.seq = 4, .object = "l/5/8", .extra = {11}, .kind = log_kind::like});
    add(db, {.seq = 5, .object = "u/0/5", .extra = {12}, .kind = log_kind::update_actor});
    add(db, {.seq = 6, .object = "p/0/9", .extra = {12}, .kind = log_kind::remove}); // no such post
    const auto newest = [&](object_kind kind, std::int64_t actor, std::int64_t target) {
      return names(must(newest_owed(db, far, {kind, actor, target})));
    };
    CHECK(newest(object_kind::like, 5, 7) == texts{"2>11", "2>12"});
    CHECK(newest(object_kind::like, 5, 8) == texts{"4>11"});
    CHECK(newest(object_kind::account, 0, 5) == texts{"5>12"});
    CHECK(newest(object_kind::post, 0, 9) == texts{"6>12"});
    CHECK(newest(object_kind::post, 0, 10).empty());
    CHECK(names(must(newest_owed(db, near, {object_kind::like, 5, 7}))) == texts{"3>21"});
  });
}

TEST_CASE("the first row since a time", "[host_orders]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    CHECK_FALSE(must(first_row_since(db, time_point{})));
    for (const auto seq : {10, 11, 15, 40, 41})
      add(db, {.seq = seq, .object = "p/0/1", .at = time_point{std::chrono::seconds{seq}}});
    for (const auto& [at, seq] : std::vector<std::pair<int, log_seq>>{
             {0, 10}, {10, 10}, {11, 11}, {12, 15}, {15, 15}, {16, 40}, {41, 41}}) {
      CAPTURE(at);
      CHECK(must(first_row_since(db, time_point{std::chrono::seconds{at}})) == seq);
    }
    CHECK_FALSE(must(first_row_since(db, time_point{42s})));
  });
}
