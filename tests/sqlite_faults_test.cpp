#include "storage/log_store.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_database.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/fault_vfs.hpp"
#include "tests/kit/postgres_server.hpp"
#include "tests/kit/temp_folder.hpp"

using namespace trunkline;
using kit::must;

namespace {

/// Bytes of each row: a handful of commits fills the write-ahead log up to its checkpoint.
constexpr std::size_t row_bytes = 600'000;
constexpr auto commits_each = 12;

caf::error commit(database& db, std::int64_t number) {
  auto receipt =
      db.commit_batch(number, {}, {}, [&](database& open) -> caf::expected<std::vector<log_draft>> {
        auto row = open.run("INSERT INTO setting(name, bytes) VALUES ($1, $2)",
                            {std::to_string(number), blob{std::string(row_bytes, 'x')}});
        if (!row)
          return row.error();
        return std::vector<log_draft>{{.author = account_id{number}}};
      });
  return receipt ? caf::error{} : receipt.error();
}

std::vector<std::string> authors_in(database& db) {
  return kit::rows_of(db.run("SELECT author FROM log ORDER BY seq"));
}

/// Commits while the `call`-th write or sync fails, and notes what was confirmed.
struct fault_run {
  std::vector<std::string> confirmed;
  std::vector<errc> failures;
  bool confirmed_after_break = false;
  std::size_t failed = 0; ///< Calls to the disk, before the connection was closed.
};

fault_run run_with_fault(kit::fault_vfs& disk, const std::filesystem::path& file, std::size_t call,
                         kit::file_fault fault, bool for_ever) {
  auto result = fault_run{};
  auto db = must(open_sqlite(file, sqlite_mode::writer));
  must(migrate(*db));
  disk.fail_at(call, fault, for_ever);
  for (auto number = 1; number <= commits_each; ++number) {
    const auto failure = commit(*db, number);
    if (failure) {
      result.failures.push_back(code_of(failure));
      continue;
    }
    result.confirmed_after_break =
        result.confirmed_after_break ||
        std::count(result.failures.begin(), result.failures.end(), errc::storage_broken) > 0;
    result.confirmed.push_back(std::to_string(number));
  }
  result.failed = disk.failed();
  return result;
}

/// What is in the file when another process opens it. A commit that was broken may be there too.
std::vector<std::string> after_restart(const std::filesystem::path& file) {
  auto db = must(open_sqlite(file, sqlite_mode::writer));
  CHECK(kit::rows_of(db->run("PRAGMA integrity_check")) == std::vector<std::string>{"ok"});
  CHECK(kit::rows_of(db->run("SELECT name FROM setting ORDER BY CAST(name AS BIGINT)")) ==
        authors_in(*db));
  return authors_in(*db);
}

/// The calls that are tried: each of the first ones, then some of the others.
std::size_t next_after(std::size_t call) {
  return call < 30 ? call + 1 : call + 83;
}

} // namespace

TEST_CASE("F07: after a failed write or sync nothing succeeds, and nothing confirmed is lost",
          "[sqlite][faults]") {
  auto disk = kit::fault_vfs{};
  for (const auto for_ever : {false, true})
    for (auto call = std::size_t{1}; call < 100'000; call = next_after(call)) {
      CAPTURE(call, for_ever);
      const auto folder = kit::temp_folder{kit::quick_folder()};
      const auto file = folder / "a.db";
      const auto run = run_with_fault(disk, file, call, kit::file_fault::io_error, for_ever);
      disk.fail_at(0, {}, false);
      if (run.failed == 0) {
        CHECK(run.failures.empty());
        break;
      }
      REQUIRE_FALSE(run.failures.empty()); // no failure of the disk goes unnoticed
      CHECK(run.failures.front() == errc::storage_broken);
      CHECK_FALSE(run.confirmed_after_break);
      const auto kept = after_restart(file);
      REQUIRE(kept.size() >= run.confirmed.size());
      CHECK(std::equal(run.confirmed.begin(), run.confirmed.end(), kept.begin()));
      CHECK(kept.size() <= run.confirmed.size() + 1);
    }
}

TEST_CASE("F09: a full disk refuses writes and heals by itself", "[sqlite][faults]") {
  auto disk = kit::fault_vfs{};
  for (auto call = std::size_t{1}; call < 100'000; call = next_after(call)) {
    CAPTURE(call);
    const auto folder = kit::temp_folder{kit::quick_folder()};
    const auto file = folder / "a.db";
    auto db = must(open_sqlite(file, sqlite_mode::writer));
    must(migrate(*db));
    auto reader = must(open_sqlite(file, sqlite_mode::reader));
    must(commit(*db, 1));
    disk.fail_at(call, kit::file_fault::disk_full, true);
    auto confirmed = std::vector<std::string>{"1"};
    auto failure = caf::error{};
    for (auto number = 2; number <= commits_each && !failure; ++number) {
      failure = commit(*db, number);
      if (!failure)
        confirmed.push_back(std::to_string(number));
    }
    if (disk.failed() == 0) {
      CHECK_FALSE(failure);
      break;
    }
    if (failure && code_of(failure) == errc::storage_broken) { // the sync itself failed
      disk.fail_at(0, {}, false);
      continue;
    }
    CHECK((!failure || code_of(failure) == errc::storage_full));
    CHECK(authors_in(*reader) == confirmed); // reads go on
    disk.fail_at(0, {}, false);
    must(commit(*db, 100));
    confirmed.push_back("100");
    CHECK(authors_in(*reader) == confirmed);
  }
}
