#include "storage/sqlite_pages.hpp"

#include "storage/log_store.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_database.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/postgres_server.hpp"
#include "tests/kit/temp_folder.hpp"

#include <sqlite3.h>

#include <fstream>
#include <numeric>
#include <random>

using namespace trunkline;
using kit::must;

namespace {

constexpr auto rows = 400;
constexpr std::size_t page_bytes = 4'096;

std::string text_of(int number) {
  return "post " + std::to_string(number) + std::string(static_cast<std::size_t>(number) * 5, 'x');
}

void fill(const std::filesystem::path& file) {
  auto db = must(open_sqlite(file, sqlite_mode::writer));
  must(migrate(*db));
  must(db->transact([](database& open) -> caf::error {
    for (auto number = 0; number < rows; ++number)
      must(open.run("INSERT INTO setting(name, text) VALUES ($1, $2)",
                    {std::to_string(number), text_of(number)}));
    return {};
  }));
} // closing copies the write-ahead log into the file

std::string read_file(const std::filesystem::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary} << bytes;
}

/// Reads every row of every table; tells whether all was right, or else what was refused.
enum class verdict { right, refused, garbage };

verdict judge(const std::filesystem::path& file, const std::vector<std::string>& expected,
              std::string& message) {
  auto db = open_sqlite(file, sqlite_mode::writer);
  if (!db) {
    message = context_of(db.error());
    return verdict::refused;
  }
  auto all = (*db)->run("SELECT name, text FROM setting ORDER BY CAST(name AS BIGINT)");
  if (!all) {
    message = context_of(all.error());
    return verdict::refused;
  }
  return kit::rows_of(all) == expected ? verdict::right : verdict::garbage;
}

/// Runs `sql` with SQLite's own file system, as other programs do.
void run_elsewhere(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &raw) == SQLITE_OK);
  CHECK(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(raw);
}

struct filled {
  filled() {
    fill(file);
    for (auto number = 0; number < rows; ++number)
      expected.push_back(std::to_string(number) + "|" + text_of(number));
    sound = read_file(file);
  }

  kit::temp_folder folder{kit::quick_folder()};
  std::filesystem::path file = folder / "a.db";
  std::vector<std::string> expected;
  std::string sound;
};

} // namespace

TEST_CASE("a checksum notices every changed bit and another page's content", "[pages]") {
  auto page = std::string(page_bytes - 8, '\0');
  std::iota(page.begin(), page.end(), char{0});
  const auto sum = page_checksum(page, 7);
  CHECK(page_checksum(page, 7) == sum);
  CHECK(page_checksum(page, 8) != sum);
  for (auto bit = std::size_t{0}; bit < page.size() * 8; ++bit) {
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(page_checksum(page, 7) != sum);
    page[bit / 8] = static_cast<char>(page[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST_CASE("F08: a flipped bit is refused by the file's name, never served", "[pages][faults]") {
  const auto base = filled{};
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  auto random = std::mt19937_64{seed};
  auto refusals = 0;
  for (auto round = 0; round < 300; ++round) {
    auto bytes = base.sound;
    const auto at = random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    write_file(base.file, bytes);
    CAPTURE(at);
    auto message = std::string{};
    const auto result = judge(base.file, base.expected, message);
    REQUIRE(result != verdict::garbage);
    if (result == verdict::right)
      continue;
    ++refusals;
    CHECK_THAT(message, Catch::Contains("a.db"));
  }
  CHECK(refusals > 100); // the rest were pages that nobody reads here
}

TEST_CASE("F08: a torn page and one that was written elsewhere are refused", "[pages][faults]") {
  const auto base = filled{};
  const auto pages = base.sound.size() / page_bytes;
  auto refusals = 0;
  for (auto page = std::size_t{0}; page < pages; ++page) {
    CAPTURE(page);
    for (const auto& other : {std::string(page_bytes, '\0'),
                              base.sound.substr(((page + 1) % pages) * page_bytes, page_bytes)}) {
      auto bytes = base.sound;
      bytes.replace(page * page_bytes, page_bytes / 2, other, 0, page_bytes / 2);
      if (bytes == base.sound)
        continue;
      write_file(base.file, bytes);
      auto message = std::string{};
      const auto result = judge(base.file, base.expected, message);
      REQUIRE(result != verdict::garbage);
      refusals += result == verdict::refused ? 1 : 0;
    }
  }
  CHECK(refusals > 50);
}

TEST_CASE("F08: a cut or flipped write-ahead log loses its end, not more", "[pages][faults]") {
  const auto folder = kit::temp_folder{kit::quick_folder()};
  const auto file = folder / "a.db";
  auto db = must(open_sqlite(file, sqlite_mode::writer));
  must(migrate(*db));
  auto expected = std::vector<std::string>{};
  for (auto number = 0; number < 100; ++number) {
    must(db->run("INSERT INTO setting(name, text) VALUES ($1, $2)",
                 {std::to_string(number), text_of(number)}));
    expected.push_back(std::to_string(number) + "|" + text_of(number));
  }
  const auto bytes = read_file(file);
  const auto wal = read_file(file.string() + "-wal"); // as kill -9 leaves them
  const auto copy = folder / "b.db";
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  auto random = std::mt19937_64{seed};
  for (auto round = 0; round < 60; ++round) {
    auto damaged = wal;
    const auto at = wal.size() / 2 + random() % (wal.size() / 2);
    CAPTURE(round, at);
    if (round % 2)
      damaged.resize(at);
    else
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::filesystem::remove(copy.string() + "-shm");
    write_file(copy, bytes);
    write_file(copy.string() + "-wal", damaged);
    auto opened = must(open_sqlite(copy, sqlite_mode::writer));
    const auto kept =
        kit::rows_of(opened->run("SELECT name, text FROM setting ORDER BY CAST(name AS BIGINT)"));
    REQUIRE(kept.size() <= expected.size());
    CHECK(std::equal(kept.begin(), kept.end(), expected.begin()));
    CHECK(kit::rows_of(opened->run("PRAGMA integrity_check")) == std::vector<std::string>{"ok"});
  }
}

TEST_CASE("copies made by other programs are accepted", "[pages]") {
  const auto base = filled{};
  const auto folder = kit::temp_folder{};
  {
    auto db = must(open_sqlite(base.file, sqlite_mode::writer)); // changed pages in the log
    must(db->run("UPDATE setting SET text = text || 'y' WHERE name < '2'"));
    run_elsewhere(base.file, "VACUUM INTO '" + (folder / "copy.db").string() + "'");
    sqlite3* from = nullptr;
    sqlite3* to = nullptr;
    REQUIRE(sqlite3_open(base.file.c_str(), &from) == SQLITE_OK);
    REQUIRE(sqlite3_open((folder / "backup.db").c_str(), &to) == SQLITE_OK);
    auto* backup = sqlite3_backup_init(to, "main", from, "main");
    CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
    sqlite3_backup_finish(backup);
    sqlite3_close(from);
    sqlite3_close(to);
  }
  const auto expected = kit::dump(*must(open_sqlite(base.file, sqlite_mode::writer)));
  for (const auto* name : {"copy.db", "backup.db"}) {
    CAPTURE(name);
    auto db = must(open_sqlite(folder / name, sqlite_mode::writer));
    CHECK(kit::dump(*db) == expected);
    must(db->run("UPDATE setting SET text = 'z'"));
    CHECK(kit::rows_of(db->run("PRAGMA integrity_check")) == std::vector<std::string>{"ok"});
  }
}

TEST_CASE("what another program changed is refused until it is copied", "[pages]") {
  const auto base = filled{};
  run_elsewhere(base.file, "UPDATE setting SET text = 'changed' WHERE name = '7'");
  auto message = std::string{};
  CHECK(judge(base.file, base.expected, message) == verdict::refused);
  CHECK_THAT(message, Catch::Contains("another program"));
  const auto copy = base.folder / "copy.db";
  run_elsewhere(base.file, "VACUUM INTO '" + copy.string() + "'");
  auto db = must(open_sqlite(copy, sqlite_mode::writer));
  CHECK(kit::rows_of(db->run("SELECT text FROM setting WHERE name = '7'")) ==
        std::vector<std::string>{"changed"});
}

TEST_CASE("a database without checksums is read and written as it is", "[pages]") {
  const auto folder = kit::temp_folder{kit::quick_folder()};
  run_elsewhere(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t(a) VALUES (1)");
  for (auto round = 1; round < 3; ++round) {
    auto db = must(open_sqlite(folder / "a.db", sqlite_mode::writer));
    CHECK(kit::rows_of(db->run("SELECT count(*) FROM t")) ==
          std::vector<std::string>{std::to_string(round)});
    must(db->run("INSERT INTO t(a) VALUES (2)"));
  }
  run_elsewhere(folder / "a.db", "SELECT a FROM t");
}
