#include "storage/database.hpp"

#include "tests/kit/both_databases.hpp"

#include <limits>

using namespace trunkline;
using kit::must;
using kit::rows_of;

namespace {

using lines = std::vector<std::string>;

constexpr auto table = "CREATE TABLE t(k {key} PRIMARY KEY, n BIGINT, s TEXT UNIQUE, b BYTEA)";

void make_table(database& db) {
  auto sql = std::string{table};
  sql.replace(sql.find("{key}"), 5, db.key_type());
  must(db.run(sql));
}

/// Runs `sql` on a fresh table on both and returns the common answer.
lines ask_both(const std::vector<std::pair<std::string, std::vector<sql_value>>>& statements) {
  return kit::equal_on_both(
      [&](kit::test_database& fresh) {
        make_table(fresh.db());
        auto answers = lines{};
        for (const auto& [sql, values] : statements) {
          const auto result = fresh.db().run(sql, values);
          for (const auto& line : rows_of(result))
            answers.push_back(line);
          if (result && result->rows_written)
            answers.push_back("wrote " + std::to_string(result->rows_written));
        }
        answers.push_back("in all " + std::to_string(fresh.db().rows_written()));
        return answers;
      },
      kit::with_schema::none);
}

lines round_trip(const sql_value& number, const sql_value& text, const sql_value& bytes) {
  return ask_both({{"INSERT INTO t(k, n, s, b) VALUES (1, $1, $2, $3)", {number, text, bytes}},
                   {"SELECT n, s, b FROM t", {}}});
}

const auto insert = std::string{"INSERT INTO t(k, s) VALUES ($1, $2)"};

} // namespace

TEST_CASE("both databases give back what was stored", "[database]") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const auto stored = [](const std::string& row) { return lines{"wrote 1", row, "in all 1"}; };
  CHECK(round_trip(7, "text", blob{"\x01\xff"}) == stored("7|text|x'01ff'"));
  CHECK(round_trip({}, {}, {}) == stored("null|null|null"));
  CHECK(round_trip(least, "", blob{}) == stored("-9223372036854775808||x''"));
  CHECK(round_trip(most, "'; DROP TABLE t; --", blob{std::string(3, '\0')}) ==
        stored("9223372036854775807|'; DROP TABLE t; --|x'000000'"));
  CHECK(round_trip(0, "\xf0\x9f\x98\x80 \xef\xbf\xbf \\x41 % _ \x7f\n", {}) ==
        stored("0|\xf0\x9f\x98\x80 \xef\xbf\xbf \\x41 % _ \x7f\n|null"));
}

TEST_CASE("both databases refuse the same values", "[database]") {
  CHECK(round_trip(1, std::string{"a\0b", 3}, {}) ==
        lines{"invalid: text: must be UTF-8 without NUL", "in all 0"});
  CHECK(round_trip(1, "\xed\xa0\x80", {}) ==
        lines{"invalid: text: must be UTF-8 without NUL", "in all 0"});
  CHECK(ask_both({{"SELECT CAST($1 AS TEXT)", {"a", "b"}}, {"SELECT CAST($2 AS TEXT)", {"a", "b"}}})
            .size() == 3);
}

TEST_CASE("parameters are bound by number, not by place", "[database]") {
  CHECK(ask_both({{"INSERT INTO t(k, n, s) VALUES ($3, $1, $2)", {10, "ten", 1}},
                  {"SELECT s, n FROM t WHERE n = $2 AND s = $1 AND n = $2", {"ten", 10}}}) ==
        lines{"wrote 1", "ten|10", "in all 1"});
}

TEST_CASE("a unique index names its columns", "[database]") {
  CHECK(ask_both({{insert, {1, "a"}},
                  {insert, {1, "b"}},
                  {insert, {2, "a"}},
                  {"UPDATE t SET s = $1 WHERE k = $2", {"a", 1}},
                  {"SELECT k, s FROM t", {}}}) == lines{"wrote 1", "unique_violation: t.k",
                                                        "unique_violation: t.s", "wrote 1", "1|a",
                                                        "in all 2"});
}

TEST_CASE("conflicts, returned rows and counts are the same", "[database]") {
  const auto upsert = insert + " ON CONFLICT (s) DO UPDATE SET n = coalesce(t.n, 0) + 1"
                               " RETURNING k, n";
  CHECK(ask_both({{upsert, {1, "a"}},
                  {upsert, {2, "a"}},
                  {insert + " ON CONFLICT DO NOTHING", {3, "a"}},
                  {insert + " ON CONFLICT DO NOTHING RETURNING k", {3, "a"}},
                  {"INSERT INTO t(k, s) VALUES (4, 'd'), (5, 'e')", {}},
                  {"UPDATE t SET n = 9 WHERE k > $1 RETURNING k", {4}},
                  {"SELECT count(*), sum(k), max(n), min(s) FROM t", {}},
                  {"SELECT k > 4, k + 1 FROM t WHERE k IN ($1, $2) ORDER BY k", {4, 5}},
                  {"DELETE FROM t WHERE k >= $1", {4}},
                  {"DELETE FROM t", {}}}) == lines{"1|null", "wrote 1", "1|1", "wrote 1", "wrote 2",
                                                   "5", "wrote 1", "3|10|9|a", "0|5", "1|6",
                                                   "wrote 2", "wrote 1", "in all 8"});
}

TEST_CASE("a transaction keeps all or nothing", "[database]") {
  const auto answer = kit::equal_on_both(
      [](kit::test_database& fresh) {
        auto& db = fresh.db();
        make_table(db);
        must(db.transact([](database& open) {
          must(open.run(insert, {1, "a"}));
          return caf::error{};
        }));
        const auto failure = db.transact([](database& open) {
          must(open.run(insert, {2, "b"}));
          return make_error(errc::conflict, "no");
        });
        CHECK(code_of(failure) == errc::conflict);
        const auto thrown = db.transact([](database& open) -> caf::error {
          must(open.run(insert, {3, "c"}));
          throw std::runtime_error{"a bug"};
        });
        CHECK(code_of(thrown) == errc::crashed);
        return rows_of(db.run("SELECT k FROM t"));
      },
      kit::with_schema::none);
  CHECK(answer == lines{"1"});
}

TEST_CASE("a bad unit rolls back alone", "[database]") {
  const auto answer = kit::equal_on_both(
      [](kit::test_database& fresh) {
        auto& db = fresh.db();
        make_table(db);
        must(db.transact([](database& open) {
          for (const auto key : {1, 2, 1, 3}) {
            const auto failure = open.transact([&](database& unit) -> caf::error {
              must(unit.run("UPDATE t SET n = $1", {key}));
              auto row = unit.run("INSERT INTO t(k) VALUES ($1)", {key});
              return row ? caf::error{} : row.error();
            });
            CHECK(bool(failure) == (key == 1 && !rows_of(open.run("SELECT k FROM t")).empty() &&
                                    rows_of(open.run("SELECT k FROM t")).size() == 2));
          }
          return caf::error{};
        }));
        return rows_of(db.run("SELECT k, n FROM t ORDER BY k"));
      },
      kit::with_schema::none);
  CHECK(answer == lines{"1|3", "2|3", "3|null"});
}

TEST_CASE("after a failed statement its level can only be rolled back", "[database]") {
  const auto answer = kit::equal_on_both(
      [](kit::test_database& fresh) {
        auto& db = fresh.db();
        make_table(db);
        auto answers = lines{};
        must(db.transact([&](database& open) {
          must(open.run(insert, {1, "a"}));
          const auto unit = open.transact([&](database& inner) {
            must(inner.run(insert, {2, "b"}));
            answers.push_back(rows_of(inner.run(insert, {1, "c"}))[0]);
            answers.push_back(rows_of(inner.run("SELECT 1"))[0]);
            return caf::error{}; // swallowed
          });
          answers.push_back(std::string{to_string(code_of(unit))});
          return caf::error{};
        }));
        for (const auto& row : rows_of(db.run("SELECT k FROM t")))
          answers.push_back(row);
        return answers;
      },
      kit::with_schema::none);
  CHECK(answer == lines{"unique_violation: t.k", "unique_violation: t.k", "unique_violation", "1"});
}

TEST_CASE("levels nest", "[database]") {
  const auto answer = kit::equal_on_both(
      [](kit::test_database& fresh) {
        auto& db = fresh.db();
        make_table(db);
        const auto add = [](database& open, int key) {
          must(open.run("INSERT INTO t(k) VALUES ($1)", {key}));
        };
        must(db.transact([&](database& one) {
          add(one, 1);
          const auto lost = one.transact([&](database& two) {
            add(two, 2);
            must(two.transact([&](database& three) {
              add(three, 3);
              return caf::error{};
            }));
            return make_error(errc::conflict);
          });
          CHECK(lost);
          return one.transact([&](database& two) {
            add(two, 4);
            return caf::error{};
          });
        }));
        return rows_of(db.run("SELECT k FROM t ORDER BY k"));
      },
      kit::with_schema::none);
  CHECK(answer == lines{"1", "4"});
}

TEST_CASE("nonsense is refused, and the connection goes on", "[database]") {
  kit::on_both([](kit::test_database& fresh) {
    for (const auto* sql :
         {"SELEC 1", "SELECT nothing FROM nowhere",
          "INSERT INTO tombstone(hash) VALUES (NULL) ON CONFLICT (x) DO NOTHING"}) {
      CAPTURE(sql);
      const auto result = fresh.db().run(sql);
      REQUIRE_FALSE(result);
      CHECK(code_of(result.error()) == errc::storage_refused);
    }
    CHECK(rows_of(fresh.db().run("SELECT count(*) FROM tombstone")) == lines{"0"});
  });
}
