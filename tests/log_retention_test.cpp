#include "storage/log_retention.hpp"

#include "protocol/errc.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/failing_database.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;
using kit::on_both;
using kit::test_database;

namespace {

time_point at(int second) {
  return time_point{std::chrono::seconds{second}};
}

struct row {
  log_seq seq = 0;
  log_kind kind = log_kind::create;
  std::size_t bytes = 100;
  bool is_ours = true; ///< Of what came in there is nothing to render it from.
};

/// Row n is written at second n.
void add(database& db, const row& next) {
  const auto seq = std::to_string(next.seq);
  must(db.run(
      "INSERT INTO log(seq, at, kind, author, object_key, class, public, ap_id, body, sha256)"
      " VALUES ($1, $2, $3, 1, 'p/0/1', 2, 1, $4, $5, $6)",
      {next.seq, at(static_cast<int>(next.seq)), static_cast<int>(next.kind),
       next.is_ours ? sql_value{"https://ours/" + seq} : sql_value{},
       blob{std::string(next.bytes, 'x')}, blob{"hash"}}));
  must(db.run("INSERT INTO log_extra(seq, endpoint_id) VALUES ($1, 1)", {next.seq}));
}

std::string numbers(database& db, const std::string& sql) {
  auto text = std::string{};
  for (const auto& one : must(db.run(sql)).rows)
    text += (text.empty() ? "" : " ") + std::to_string(one[0].integer());
  return text;
}

std::string with_body(database& db) {
  return numbers(db, "SELECT seq FROM log WHERE body IS NOT NULL ORDER BY seq");
}

std::int64_t bytes_in(database& db) {
  return must(db.run("SELECT CAST(coalesce(sum(length(body)), 0) AS BIGINT) FROM log"))
      .rows[0][0]
      .integer();
}

constexpr auto much = std::int64_t{1'000'000};

log_retention keep(int rows_before, int bodies_before, std::int64_t bytes_max = much) {
  return {.rows_before = at(rows_before),
          .bodies_before = at(bodies_before),
          .bytes_max = bytes_max,
          .rows_max = 100};
}

} // namespace

TEST_CASE("the newest row survives every purge", "[log][retention]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    CHECK(must(purge_log(db, keep(100, 100))).rows == 0);
    for (auto seq = 1; seq <= 5; ++seq)
      add(db, {.seq = seq});
    must(db.run(
        "INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status, error,"
        " attempts) VALUES (1, 1, 2, 'p/0/1', 2, '', 1), (1, 2, 2, 'p/0/1', 1, '', 1),"
        " (1, 1, 4, 'p/0/1', 2, '', 1)"));
    auto wish = keep(3, 0);
    CHECK(must(purge_log(db, wish)).rows == 2);
    CHECK(numbers(db, "SELECT endpoint_id FROM delivery_exception ORDER BY seq, endpoint_id") ==
          "2 1"); // what waited, and of a row that is there
    wish = keep(100, 0);
    wish.rows_max = 1;
    CHECK(must(purge_log(db, wish)).rows == 1);
    CHECK(must(purge_log(db, keep(100, 0))).rows == 1);
    CHECK(must(purge_log(db, keep(100, 0))).rows == 0);
    CHECK(numbers(db, "SELECT seq FROM log") == "5");
    CHECK(numbers(db, "SELECT seq FROM log_extra") == "5");
  });
}

TEST_CASE("bodies go that can be rendered again, the others stay with their rows",
          "[log][retention]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    add(db, {.seq = 1});
    add(db, {.seq = 2, .kind = log_kind::remove});
    add(db, {.seq = 3, .kind = log_kind::announce});
    add(db, {.seq = 4, .is_ours = false}); // passed on as it came
    add(db, {.seq = 5, .kind = log_kind::like});
    add(db, {.seq = 6});
    const auto done = must(purge_log(db, keep(0, 6)));
    CHECK(done.bodies == 3);
    CHECK(done.counted == 6);
    CHECK(with_body(db) == "2 4 6");
    CHECK(done.bytes == bytes_in(db));
    CHECK(numbers(db, "SELECT count(sha256) FROM log") == "6");
    CHECK(must(purge_log(db, keep(0, 6))).bodies == 0);
  });
}

TEST_CASE("bodies go before their time when they take too much room", "[log][retention]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto seq = 1; seq <= 8; ++seq)
      add(db, {.seq = seq, .kind = seq % 2 ? log_kind::create : log_kind::vote});
    CHECK(must(purge_log(db, keep(0, 0, 800))).bodies == 0);
    const auto done = must(purge_log(db, keep(0, 0, 650)));
    CHECK(done.bodies == 2);
    CHECK(done.bytes == 600);
    CHECK(with_body(db) == "2 4 5 6 7 8");
    CHECK(must(purge_log(db, keep(0, 0, 350))).bodies == 2); // all that can be rendered again
    CHECK(must(purge_log(db, keep(0, 0, 350))).bodies == 1);
    CHECK(with_body(db) == "4 6 8");
    CHECK(must(purge_log(db, keep(0, 0, 0))).bytes == 0);
    CHECK(with_body(db).empty());
    add(db, {.seq = 9, .kind = log_kind::vote, .bytes = 10});
    CHECK(must(purge_log(db, keep(0, 0, 0))).bytes == 0);
    CHECK(with_body(db).empty());
  });
}

TEST_CASE("what bodies take is known, whatever goes in which order", "[log][retention]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto seq = 1; seq <= 60; ++seq) {
      add(db, {.seq = seq,
               .kind = seq % 3 ? log_kind::create : log_kind::remove,
               .bytes = static_cast<std::size_t>(seq * 7 % 50)});
      auto wish = keep(seq - 20, seq - 10, 500);
      wish.rows_max = 4;
      const auto done = must(purge_log(db, wish));
      CHECK(done.bytes == bytes_in(db));
      CHECK(done.bytes <= 500);
    }
  });
}

TEST_CASE("a log that nobody counted is counted in parts", "[log][retention]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto seq = 1; seq <= 10; ++seq)
      add(db, {.seq = seq});
    auto wish = keep(0, 3, 700);
    wish.rows_max = 4;
    auto done = must(purge_log(db, wish));
    CHECK(done.counted == 4);
    CHECK(done.bytes == 200); // of four, two went by age
    done = must(purge_log(db, wish));
    CHECK(done.counted == 4);
    CHECK(done.bytes == 600);
    done = must(purge_log(db, wish));
    CHECK(done.bytes == 700);
    CHECK(bytes_in(db) == 700);
  });
}

TEST_CASE("a purge fails as a whole", "[log][retention][walk]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto seq = 1; seq <= 4; ++seq)
      add(db, {.seq = seq, .kind = seq == 2 ? log_kind::vote : log_kind::create});
    CHECK(kit::walk_every_n(db, [](database& open) {
            auto done = purge_log(open, keep(2, 3, 100));
            return done ? caf::error{} : done.error();
          }) > 8);
    must(db.run("UPDATE setting SET text = 'x' WHERE name = 'log.bodies'"));
    const auto damaged = purge_log(db, keep(0, 0));
    REQUIRE_FALSE(damaged);
    CHECK(code_of(damaged.error()) == errc::storage_broken);
  });
}
