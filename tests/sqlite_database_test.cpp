#include "storage/sqlite_database.hpp"

#include "storage/migrations.hpp"
#include "tests/kit/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

using namespace trunkline;

namespace {

std::unique_ptr<database> opened(const std::filesystem::path& file, sqlite_mode mode) {
  auto db = open_sqlite(file, mode);
  REQUIRE(db);
  return std::move(*db);
}

std::int64_t count_in_t(database& db) {
  auto rows = db.run("SELECT count(*) FROM t");
  REQUIRE(rows);
  return rows->rows[0][0].integer();
}

} // namespace

TEST_CASE("a reader sees what the writer committed and cannot write", "[sqlite]") {
  const auto folder = kit::temp_folder{};
  auto writer = opened(folder / "a.db", sqlite_mode::writer);
  REQUIRE(writer->run("CREATE TABLE t(a INTEGER PRIMARY KEY)"));
  auto reader = opened(folder / "a.db", sqlite_mode::reader);
  const auto failure = writer->transact([&](database& db) -> caf::error {
    REQUIRE(db.run("INSERT INTO t(a) VALUES ($1)", {7}));
    CHECK(count_in_t(*reader) == 0);
    return {};
  });
  REQUIRE_FALSE(failure);
  CHECK(count_in_t(*reader) == 1);
  const auto refused = reader->run("INSERT INTO t(a) VALUES ($1)", {8});
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == errc::storage_refused);
  CHECK(count_in_t(*writer) == 1);
}

TEST_CASE("a reader needs the file", "[sqlite]") {
  const auto folder = kit::temp_folder{};
  const auto db = open_sqlite(folder / "none.db", sqlite_mode::reader);
  REQUIRE_FALSE(db);
  CHECK(code_of(db.error()) == errc::storage_refused);
  CHECK_THAT(context_of(db.error()), Catch::Contains("none.db"));
}

TEST_CASE("a file that is no database is refused by its name", "[sqlite]") {
  const auto folder = kit::temp_folder{};
  std::ofstream{folder / "a.db"} << std::string(8192, 'x');
  const auto db = open_sqlite(folder / "a.db", sqlite_mode::writer);
  REQUIRE_FALSE(db);
  CHECK(code_of(db.error()) == errc::storage_broken);
  CHECK_THAT(context_of(db.error()), Catch::Contains("a.db"));
}

TEST_CASE("commits are durable: the log is synced", "[sqlite]") {
  const auto folder = kit::temp_folder{};
  auto db = opened(folder / "a.db", sqlite_mode::writer);
  CHECK(db->run("PRAGMA journal_mode")->rows[0][0].text() == "wal");
  CHECK(db->run("PRAGMA synchronous")->rows[0][0].integer() == 2);
}

TEST_CASE("a second writer waits, then is told that the database is busy", "[sqlite]") {
  const auto folder = kit::temp_folder{};
  auto first = opened(folder / "a.db", sqlite_mode::writer);
  REQUIRE(first->run("CREATE TABLE t(a INTEGER PRIMARY KEY)"));
  auto second = opened(folder / "a.db", sqlite_mode::writer);
  REQUIRE(second->run("PRAGMA busy_timeout=1"));
  const auto failure = first->transact([&](database&) -> caf::error {
    const auto refused = second->transact([](database&) { return caf::error{}; });
    CHECK(code_of(refused) == errc::storage_busy);
    return {};
  });
  CHECK_FALSE(failure);
  CHECK_FALSE(second->transact([](database&) { return caf::error{}; }));
}

TEST_CASE("a full database refuses the write, keeps what was and heals", "[sqlite]") {
  const auto folder = kit::temp_folder{};
  auto db = opened(folder / "a.db", sqlite_mode::writer);
  REQUIRE(db->run("CREATE TABLE t(a INTEGER PRIMARY KEY, b BYTEA)"));
  REQUIRE(db->run("PRAGMA max_page_count=4"));
  const auto large = blob{std::string(100'000, 'x')};
  const auto failure = db->transact([&](database& open) -> caf::error {
    REQUIRE(open.run("INSERT INTO t(a) VALUES ($1)", {1}));
    const auto lost = open.transact([&](database& unit) -> caf::error {
      const auto row = unit.run("INSERT INTO t(a, b) VALUES ($1, $2)", {2, large});
      return row ? caf::error{} : row.error();
    });
    CHECK(code_of(lost) == errc::storage_full);
    return {};
  });
  // SQLite may have ended the whole transaction: then nothing of it may pass as committed.
  CHECK(count_in_t(*db) == (failure ? 0 : 1));
  REQUIRE(db->run("PRAGMA max_page_count=100000"));
  REQUIRE(db->run("INSERT INTO t(a, b) VALUES ($1, $2)", {3, large}));
}

TEST_CASE("the write-ahead log is copied back and does not grow for ever", "[sqlite]") {
  const auto folder = kit::temp_folder{};
  auto db = opened(folder / "a.db", sqlite_mode::writer);
  REQUIRE(db->run("CREATE TABLE t(a INTEGER PRIMARY KEY, b BYTEA)"));
  for (auto round = 0; round < 60; ++round)
    REQUIRE(
        db->run("INSERT INTO t(a, b) VALUES ($1, $2)", {round, blob{std::string(400'000, 'x')}}));
  CHECK(std::filesystem::file_size(folder / "a.db-wal") < 8u << 20);
  CHECK(std::filesystem::file_size(folder / "a.db") > 16u << 20);
}

TEST_CASE("more statements than the cache holds all run", "[sqlite]") {
  auto db = opened({}, sqlite_mode::memory);
  for (auto number = 0; number < 600; ++number) {
    const auto row = db->run("SELECT " + std::to_string(number));
    REQUIRE(row);
    CHECK(row->rows[0][0].integer() == number);
  }
}

TEST_CASE("a batch on SQLite may go without a fence", "[sqlite]") {
  auto db = opened({}, sqlite_mode::memory);
  REQUIRE_FALSE(migrate(*db));
  const auto commit = [&](std::optional<write_fence> fence) {
    return db->commit_batch(1, time_point{}, fence,
                            [](database&) { return std::vector<log_draft>(1); });
  };
  CHECK(commit({}));
  const auto refused = commit(write_fence{1, 1}); // no such node
  REQUIRE_FALSE(refused);
  CHECK(is_fence_refusal(refused.error()));
}

TEST_CASE("connections in memory share a database by its name", "[sqlite][memory]") {
  const auto open = [](const std::string& name, sqlite_mode mode) {
    auto db = open_sqlite_in_memory(name, mode);
    REQUIRE(db);
    return std::move(*db);
  };
  auto writer = open("one", sqlite_mode::writer);
  REQUIRE_FALSE(migrate(*writer));
  REQUIRE(writer->run("CREATE TABLE t(a INTEGER PRIMARY KEY)"));
  auto reader = open("one", sqlite_mode::reader);
  auto second = open("one", sqlite_mode::reader);
  auto other = open("other", sqlite_mode::writer);
  for (auto number = 1; number <= 3; ++number) {
    REQUIRE(writer->run("INSERT INTO t(a) VALUES ($1)", {number}));
    CHECK(count_in_t(*reader) == number);
    CHECK(count_in_t(*second) == number);
  }
  CHECK_FALSE(other->run("SELECT count(*) FROM t"));
  const auto refused = reader->run("INSERT INTO t(a) VALUES ($1)", {8});
  REQUIRE_FALSE(refused);
  CHECK(code_of(refused.error()) == errc::storage_refused);
  const auto failure = writer->transact([](database& db) -> caf::error {
    REQUIRE(db.run("INSERT INTO t(a) VALUES ($1)", {9}));
    return make_error(errc::invalid, "undone");
  });
  CHECK(code_of(failure) == errc::invalid);
  CHECK(count_in_t(*reader) == 3);
  // With the last connection everything ends.
  writer.reset();
  reader.reset();
  second.reset();
  CHECK_FALSE(open("one", sqlite_mode::writer)->run("SELECT count(*) FROM t"));
}

TEST_CASE("a writer in memory that never rests starves no reader", "[sqlite][memory]") {
  auto writer = open_sqlite_in_memory("busy", sqlite_mode::writer);
  REQUIRE(writer);
  REQUIRE((*writer)->run("CREATE TABLE t(a INTEGER PRIMARY KEY)"));
  auto done = std::atomic<bool>{false};
  auto seen = std::array<std::int64_t, 2>{};
  auto failures = std::atomic<int>{0};
  auto readers = std::vector<std::thread>{};
  for (auto& mine : seen)
    readers.emplace_back([&] {
      auto reader = open_sqlite_in_memory("busy", sqlite_mode::reader);
      while (reader && !done) {
        const auto rows = (*reader)->run("SELECT count(*) FROM t");
        if (!rows)
          ++failures;
        else
          mine = rows->rows[0][0].integer();
      }
    });
  auto written = 0;
  for (; written < 2'000; ++written)
    if ((*writer)->transact([&](database& db) -> caf::error {
          auto row = db.run("INSERT INTO t(a) VALUES ($1)", {written});
          return row ? caf::error{} : row.error();
        }))
      ++failures;
  done = true;
  for (auto& one : readers)
    one.join();
  CHECK(failures == 0);
  CHECK(count_in_t(**writer) == written);
}
