#include "storage/database_move.hpp"

#include "storage/catalogue_dialects.hpp"
#include "storage/migrations.hpp"
#include "storage/move_marker.hpp"
#include "storage/node_store.hpp"
#include "tests/kit/any_rows.hpp"
#include "tests/kit/failing_database.hpp"

#include <algorithm>
#include <map>

using namespace trunkline;
using kit::must;

namespace {

/// Small enough that every table has several chunks.
constexpr auto few = chunk_limits{.rows_max = 4, .bytes_max = 6'000};

/// A filled SQLite and an empty PostgreSQL.
struct two_databases {
  explicit two_databases(std::uint32_t seed = 7, int rows = 5) {
    kit::add_any_rows(from->db(), seed, rows);
  }

  catalogued_database source() { return {from->db(), sqlite_catalogue()}; }
  catalogued_database target() { return {to->db(), postgres_catalogue()}; }
  database_move move(const std::string& id = "one") {
    return {.source = source(), .target = target(), .id = id, .limits = few};
  }
  caf::error run(const std::string& id = "one") {
    return copy_and_compare(move(id), [&](const moved_table& table) { told.push_back(table); });
  }

  std::unique_ptr<kit::test_database> from = kit::fresh_sqlite();
  std::unique_ptr<kit::test_database> to = kit::fresh_postgres(kit::with_schema::none);
  std::vector<moved_table> told;
};

/// Everything but what the move itself keeps there.
std::vector<std::string> content_of(database& db) {
  auto lines = kit::dump(db);
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("move_in"); });
  return lines;
}

/// How many rows each table of a SQLite has, asked of its own schema.
std::map<std::string, std::int64_t> counts_of(database& db) {
  auto counts = std::map<std::string, std::int64_t>{};
  for (const auto& row : must(db.run("SELECT name FROM sqlite_schema WHERE type = 'table'")).rows)
    counts[row[0].text()] =
        must(db.run("SELECT count(*) FROM " + row[0].text())).rows[0][0].integer();
  return counts;
}

std::string words_of(const caf::error& failure, errc code = errc::conflict) {
  CHECK(code_of(failure) == code);
  return context_of(failure);
}

} // namespace

TEST_CASE("every row of every table arrives, whatever it holds", "[database_move]") {
  const auto seed = GENERATE(1u, 2u);
  CAPTURE(seed);
  auto both = two_databases{seed, 20};
  must(both.run());
  CHECK(content_of(both.to->db()) == content_of(both.from->db()));

  const auto counts = counts_of(both.from->db());
  CHECK(counts.size() == both.told.size());
  for (const auto& [table, rows] : counts) {
    CAPTURE(table);
    CHECK(rows >= (table == "schema_version" ? 1 : 5));
    const auto told = std::find_if(both.told.begin(), both.told.end(),
                                   [&](const auto& each) { return each.name == table; });
    REQUIRE(told != both.told.end());
    CHECK(told->rows == rows);
    CHECK(told->digest.size() == 32);
  }
}

TEST_CASE("a move that is killed anywhere goes on where it was", "[database_move]") {
  auto both = two_databases{};
  auto failing = kit::failing_database{both.to->db()};
  auto move = database_move{
      .source = both.source(), .target = {failing, postgres_catalogue()}, .id = "one"};
  auto kills = 0;
  // Every attempt dies a few calls later than the one before, in turn with its last commit done
  // and undone.
  for (auto call = std::size_t{1};; call += 7, ++kills) {
    CAPTURE(call);
    move.limits = {.rows_max = 1 + kills % 4, .bytes_max = 6'000};
    failing.fail_at(call, kills % 2 ? errc::unavailable : errc::commit_unknown,
                    kit::failing::for_ever);
    const auto failure = copy_and_compare(move, [](const moved_table&) {});
    if (failing.failed() == 0) {
      must(failure);
      break;
    }
    REQUIRE(failure);
    REQUIRE(kills < 2'000);
  }
  CHECK(kills > 50);
  CHECK(content_of(both.to->db()) == content_of(both.from->db()));
  must(complete_move(both.target()));
  CHECK(must(stage_of_move(both.target(), "one")) == move_stage::complete);
}

TEST_CASE("what was copied before is not copied again", "[database_move]") {
  auto both = two_databases{};
  must(both.run());
  must(both.to->db().run("UPDATE tag SET name = name || '!' WHERE id = (SELECT min(id) FROM tag)"));
  CHECK_THAT(words_of(both.run()),
             Catch::StartsWith("table tag: ") && Catch::Contains("in the other database"));
}

TEST_CASE("a row that is damaged, missing or more is found by its table", "[database_move]") {
  const auto* damage =
      GENERATE("UPDATE post SET text = text || ' ' WHERE id = (SELECT max(id) FROM post)",
               "UPDATE post SET reply_to = NULL WHERE reply_to IS NOT NULL",
               "UPDATE post SET app_id = 0 WHERE app_id IS NULL",
               "DELETE FROM post WHERE id = (SELECT min(id) FROM post)",
               "INSERT INTO post(id, author, visibility, created_at) VALUES (77, 1, 1, 1)");
  CAPTURE(damage);
  auto both = two_databases{};
  must(both.run());
  must(both.to->db().run(damage));
  CHECK_THAT(words_of(both.run()), Catch::StartsWith("table post: "));
  CHECK(must(stage_of_move(both.target(), "one")) == move_stage::unfinished);
}

TEST_CASE("a folder that changed after its rows were copied is found", "[database_move]") {
  auto both = two_databases{};
  must(both.run());
  must(both.from->db().run("UPDATE tag SET name = name || '!'"));
  CHECK_THAT(words_of(both.run()),
             Catch::StartsWith("table tag: ") && Catch::Contains("when they were copied"));
}

TEST_CASE("a database that is not empty is refused and left alone", "[database_move]") {
  auto both = two_databases{};
  auto& to = both.to->db();
  auto expected = std::string{};
  SECTION("somebody else's") {
    must(to.run("CREATE TABLE theirs(at TIMESTAMP)"));
    must(to.run("INSERT INTO theirs(at) VALUES (now())"));
    expected = "it has the table theirs";
  }
  SECTION("a node's") {
    must(migrate(to));
    must(start_node(to, {.id = 1}));
    expected = "it has the table account";
  }
  SECTION("of a move from another folder") {
    must(both.run("another"));
    expected = "another folder";
  }
  SECTION("of a move from another folder, complete") {
    must(both.run("another"));
    must(complete_move(both.target()));
    expected = "another folder";
  }
  const auto before = kit::dump(to);
  CHECK_THAT(words_of(both.run()), Catch::Contains(expected) && Catch::Contains("make a new one"));
  CHECK(kit::dump(to) == before);
}

TEST_CASE("a database that somebody uses while a move begins is left alone", "[database_move]") {
  auto both = two_databases{7, 0};
  must(migrate(both.to->db()));
  const auto before = kit::dump(both.to->db());
  CHECK_THAT(words_of(create_move_marker(both.target(), "one")),
             Catch::Contains("somebody made the table account"));
  CHECK(kit::dump(both.to->db()) == before);
  CHECK_FALSE(must(find_move_marker(both.target())));
}

TEST_CASE("a database that a move completed takes no second one", "[database_move]") {
  auto both = two_databases{};
  must(both.run());
  must(complete_move(both.target()));
  const auto before = kit::dump(both.to->db());
  CHECK_THAT(words_of(both.run()), Catch::Contains("complete already"));
  CHECK(kit::dump(both.to->db()) == before);
}

TEST_CASE("no node may use a database before the move into it is complete", "[database_move]") {
  auto both = two_databases{};
  must(check_move_is_complete(both.target()));
  must(both.run());
  CHECK_THAT(words_of(check_move_is_complete(both.target()), errc::config_invalid),
             Catch::Contains("run `trunkline migrate sqlite-to-postgres` again"));
  must(complete_move(both.target()));
  must(check_move_is_complete(both.target()));
  must(check_move_is_complete(both.source()));
}

TEST_CASE("a move begun by a program with another schema starts over", "[database_move]") {
  auto both = two_databases{};
  must(both.run());
  must(both.to->db().run("UPDATE move_in SET schema_version = 3"));
  must(both.to->db().run("UPDATE tag SET name = 'what a migration made of it'"));
  must(both.run());
  CHECK(content_of(both.to->db()) == content_of(both.from->db()));
}

TEST_CASE("tables that are not the same on both sides are refused", "[database_move]") {
  auto both = two_databases{};
  must(both.run());
  SECTION("a column more") {
    must(both.to->db().run("ALTER TABLE tag ADD COLUMN more BIGINT"));
    CHECK(words_of(both.run()) == "table tag: is not the same on both sides");
  }
  SECTION("a table more in the folder") {
    must(both.from->db().run("CREATE TABLE later(id BIGINT PRIMARY KEY)"));
    CHECK(words_of(both.run()) == "table later: is not the same on both sides");
  }
  SECTION("a table more in the target") {
    must(both.to->db().run("CREATE TABLE later(id BIGINT PRIMARY KEY)"));
    CHECK_THAT(words_of(both.run()), Catch::Contains("nothing is moved into"));
  }
}

TEST_CASE("what PostgreSQL cannot hold is named", "[database_move]") {
  auto both = two_databases{7, 0};
  must(both.from->db().run("INSERT INTO tag(id, folded, name)"
                           " VALUES (1, CAST(x'ff' AS TEXT), 'x')"));
  CHECK_THAT(words_of(both.run()), Catch::StartsWith("table tag: column folded holds text"));
}

TEST_CASE("two processes do not copy into one database", "[database_move]") {
  kit::on_both(
      [](kit::test_database& fresh) {
        const auto dialect = fresh.is_sqlite() ? sqlite_catalogue() : postgres_catalogue();
        must(create_move_marker({fresh.db(), dialect}, "one"));
        const auto tables = std::vector<table_shape>{{.name = "tag", .columns = {}, .key = {}}};
        must(reset_progress(fresh.db(), tables, 1));
        const auto step = progress_step{
            .rows_before = 0,
            .after = {.last_key = {7, "x"}, .rows = 3, .digest = row_digest{"digest"}}};
        must(advance_progress(fresh.db(), "tag", step));
        CHECK_THAT(words_of(advance_progress(fresh.db(), "tag", step)),
                   Catch::Contains("another process"));
        const auto progress = must(read_progress(fresh.db(), "tag"));
        CHECK(progress.last_key == step.after.last_key);
        CHECK(progress.rows == 3);
        CHECK(progress.digest == step.after.digest);
      },
      kit::with_schema::none);
}

TEST_CASE("no key of ours numbers itself: a move has no sequence to set", "[database_move]") {
  const auto fresh = kit::fresh_postgres();
  // Should a migration ever bring one, `complete_move` has to set it past the highest key.
  CHECK(must(fresh->db().run("SELECT sequencename FROM pg_sequences")).rows.empty());
  CHECK(must(fresh->db().run("SELECT table_name FROM information_schema.columns WHERE table_schema"
                             " = 'public' AND (is_identity = 'YES' OR column_default LIKE"
                             " '%nextval%' OR is_generated <> 'NEVER')"))
            .rows.empty());
}

TEST_CASE("ids go on where they were", "[database_move]") {
  auto both = two_databases{7, 0};
  auto& from = both.from->db();
  const auto now = from_micros(1'800'000'000'000'000);
  const auto incarnation = must(start_node(from, {.id = 1, .joined_at = now}));
  must(reserve_ids(from, 0, now + std::chrono::seconds{20}));
  const auto log_row = [&](database& db, std::int64_t batch) {
    return must(db.commit_batch(batch, now, std::nullopt, [](database&) {
      return caf::expected<std::vector<log_draft>>{std::vector{log_draft{}}};
    }));
  };
  log_row(from, 1);
  const auto last = log_row(from, 2).last;
  must(both.run());
  must(complete_move(both.target()));

  auto& to = both.to->db();
  CHECK(log_row(to, 3).first == last + 1);
  CHECK(must(start_node(to, {.id = 1, .joined_at = now})) == incarnation + 1);
  CHECK(must(ids_until(to, 0)) == now + std::chrono::seconds{20});
}
