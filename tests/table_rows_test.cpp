#include "storage/table_rows.hpp"

#include "storage/catalogue_dialects.hpp"
#include "storage/migrations.hpp"
#include "tests/kit/both_databases.hpp"

#include <algorithm>

using namespace trunkline;
using kit::must;

namespace {

catalogued_database catalogued(kit::test_database& fresh) {
  return {fresh.db(), fresh.is_sqlite() ? sqlite_catalogue() : postgres_catalogue()};
}

/// What is refused and why.
std::string refusal(const caf::expected<std::vector<table_shape>>& tables) {
  return tables ? "" : context_of(tables.error());
}

table_shape table_named(kit::test_database& fresh, std::string_view name) {
  const auto tables = must(read_catalogue(catalogued(fresh)));
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const auto& table) { return table.name == name; });
  REQUIRE(found != tables.end());
  return *found;
}

/// Reads a table to its end; one line per chunk.
std::vector<std::vector<sql_row>> chunks_of(kit::test_database& fresh, const table_shape& table,
                                            const chunk_limits& limits) {
  const auto from = catalogued(fresh);
  const auto reader = table_reader{from, table, limits};
  auto chunks = std::vector<std::vector<sql_row>>{};
  auto key = sql_row{};
  while (true) {
    auto rows = must(reader.read_after(key));
    if (rows.empty())
      return chunks;
    REQUIRE(chunks.size() < 100);
    key = key_of(table, rows.back());
    chunks.push_back(std::move(rows));
  }
}

std::vector<std::size_t> sizes_of(const std::vector<std::vector<sql_row>>& chunks) {
  auto sizes = std::vector<std::size_t>{};
  for (const auto& chunk : chunks)
    sizes.push_back(chunk.size());
  return sizes;
}

const auto tombstones = std::string{"tombstone"};

} // namespace

TEST_CASE("both catalogues tell of the same tables", "[table_rows]") {
  const auto names = kit::equal_on_both([](kit::test_database& fresh) {
    const auto tables = must(read_catalogue(catalogued(fresh)));
    auto lines = std::vector<std::string>{};
    for (const auto& table : tables) {
      auto line = table.name + ":";
      for (const auto& column : table.columns)
        line += " " + column.name + "/" + std::to_string(static_cast<int>(column.kind));
      for (const auto place : table.key)
        line += " " + table.columns[place].name;
      lines.push_back(line);
    }
    return lines;
  });
  CHECK(std::find(names.begin(), names.end(),
                  "favourite: account_id/0 post_id/0 at/0 uri/1 post_id account_id") !=
        names.end());
  CHECK(names.size() > 40);
}

TEST_CASE("tables that are none of ours are named, and not read", "[table_rows]") {
  kit::on_both(
      [](kit::test_database& fresh) {
        must(fresh.db().run("CREATE TABLE theirs(id BIGINT PRIMARY KEY, at TIMESTAMP)"));
        CHECK(must(table_names(catalogued(fresh))) == std::vector<std::string>{"theirs"});
        CHECK_THAT(refusal(read_catalogue(catalogued(fresh))),
                   Catch::StartsWith("table theirs: column at has the type timestamp"));
        must(fresh.db().run("DROP TABLE theirs"));
        must(fresh.db().run("CREATE TABLE theirs(id BIGINT)"));
        CHECK(refusal(read_catalogue(catalogued(fresh))) == "table theirs: has no primary key");
        must(fresh.db().run("DROP TABLE theirs"));
        must(fresh.db().run("CREATE TABLE theirs(\"select\" BIGINT PRIMARY KEY, \"a b\" TEXT)"));
        CHECK(refusal(read_catalogue(catalogued(fresh))) ==
              "table theirs: column a b is none of ours");
      },
      kit::with_schema::none);
}

TEST_CASE("a chunk has no more rows than it may", "[table_rows]") {
  kit::on_both([](kit::test_database& fresh) {
    for (auto number = 0; number < 7; ++number)
      must(fresh.db().run("INSERT INTO post_tag(tag_id, post_id) VALUES ($1, $2)",
                          {number / 3, number}));
    const auto table = table_named(fresh, "post_tag");
    const auto chunks = chunks_of(fresh, table, {.rows_max = 3});
    CHECK(sizes_of(chunks) == std::vector<std::size_t>{3, 3, 1});
    CHECK(chunks[1].front() == sql_row{1, 3});
  });
}

TEST_CASE("a chunk holds no more bytes than it may, or one row", "[table_rows]") {
  kit::on_both([](kit::test_database& fresh) {
    auto letter = 'a';
    for (const auto bytes : {100, 100, 5'000, 100, 600, 600}) {
      must(fresh.db().run("INSERT INTO tombstone(hash) VALUES ($1)",
                          {blob{letter + std::string(static_cast<std::size_t>(bytes), 'x')}}));
      ++letter;
    }
    const auto table = table_named(fresh, tombstones);
    CHECK(sizes_of(chunks_of(fresh, table, {.rows_max = 100, .bytes_max = 1'000})) ==
          std::vector<std::size_t>{2, 1, 2, 1});
    CHECK(sizes_of(chunks_of(fresh, table, {.rows_max = 100, .bytes_max = 1})) ==
          std::vector<std::size_t>(6, 1));
  });
}

TEST_CASE("text is counted by the bytes that its letters may have", "[table_rows]") {
  kit::on_both([](kit::test_database& fresh) {
    for (auto number = 0; number < 4; ++number) {
      auto text = std::to_string(number);
      for (auto letter = 0; letter < 250; ++letter)
        text += "𝄞";
      must(fresh.db().run("INSERT INTO setting(name, text) VALUES ($1, $2)",
                          {std::to_string(number), text}));
    }
    CHECK(sizes_of(chunks_of(fresh, table_named(fresh, "setting"), {.bytes_max = 2'500})) ==
          std::vector<std::size_t>{2, 2});
  });
}

TEST_CASE("text keys go by their bytes, whatever the server's locale", "[table_rows]") {
  const auto fresh = kit::fresh_postgres(kit::with_schema::none);
  must(fresh->db().run("CREATE TABLE named(name TEXT COLLATE \"en-x-icu\" PRIMARY KEY)"));
  for (const auto* name : {"a", "B", "b", "A", "Ä", "z"})
    must(fresh->db().run("INSERT INTO named(name) VALUES ($1)", {name}));
  auto read = std::vector<std::string>{};
  for (const auto& chunk : chunks_of(*fresh, table_named(*fresh, "named"), {.rows_max = 1}))
    read.push_back(chunk[0][0].text());
  CHECK(read == std::vector<std::string>{"A", "B", "a", "b", "z", "Ä"});
}

TEST_CASE("rows arrive in more statements than one", "[table_rows]") {
  kit::on_both([](kit::test_database& fresh) {
    const auto table = table_named(fresh, tombstones);
    auto rows = std::vector<sql_row>{};
    for (auto number = 0; number < 4'001; ++number)
      rows.push_back({blob{std::to_string(number)}});
    must(fresh.db().transact([&](database& open) { return insert_rows(open, table, rows); }));
    CHECK(must(count_rows(fresh.db(), table)) == 4'001);
  });
}

TEST_CASE("what does not fit its column is named", "[table_rows]") {
  kit::on_both([](kit::test_database& fresh) {
    const auto table = table_named(fresh, "tag");
    const auto refused = [&](sql_row row) {
      return context_of(insert_rows(fresh.db(), table, std::vector<sql_row>{std::move(row)}));
    };
    CHECK(refused({1, "\xff", "x"}) ==
          "table tag: column folded holds text that is not UTF-8 without NUL");
    CHECK(refused({1, "x", std::string{"\0", 1}}) ==
          "table tag: column name holds text that is not UTF-8 without NUL");
    CHECK(refused({"1", "x", "x"}) == "table tag: column id holds a value of another type");
    CHECK(refused({1, 1, "x"}) == "table tag: column folded holds a value of another type");
    CHECK(refused({1, "x", blob{"x"}}) == "table tag: column name holds a value of another type");
    CHECK(must(count_rows(fresh.db(), table)) == 0);
  });
}
