#include "engine/folder_move.hpp"

#include "engine/move_note.hpp"
#include "engine/node_storage.hpp"
#include "protocol/errc.hpp"
#include "storage/catalogue_dialects.hpp"
#include "storage/move_marker.hpp"
#include "storage/postgres_database.hpp"
#include "tests/kit/failing_database.hpp"
#include "tests/kit/postgres_server.hpp"
#include "tests/kit/temp_folder.hpp"

#include <filesystem>
#include <fstream>

using namespace trunkline;
using kit::must;

namespace {

void ignore(const moved_table&) {}

/// A folder, its database, and a target, which is SQLite as well: what is tested here is the same.
struct moving_world {
  folder_move order(database& to, const std::string& place = "the other place") {
    return {.folder = folder.path(),
            .place = place,
            .source = {source->db(), sqlite_catalogue()},
            .target = {to, sqlite_catalogue()}};
  }
  folder_move order() { return order(target->db()); }

  bool folder_starts() const { return !check_not_moved(folder.path()); }

  /// Whether a node would find its data there.
  bool target_starts() {
    const auto there = catalogued_database{target->db(), sqlite_catalogue()};
    return !must(table_names(there)).empty() && !check_move_is_complete(there);
  }

  kit::temp_folder folder{kit::quick_folder()};
  std::unique_ptr<kit::test_database> source = kit::fresh_sqlite();
  std::unique_ptr<kit::test_database> target = kit::fresh_sqlite(kit::with_schema::none);
};

std::size_t calls_of_a_move() {
  auto world = moving_world{};
  auto counting = kit::failing_database{world.target->db()};
  must(finish(world.order(counting), ignore));
  return counting.calls();
}

/// Lets the move fail at the `call`-th call, checks that one side at most starts, and finishes it.
void fail_and_finish(std::size_t call, errc code) {
  CAPTURE(call, code);
  auto world = moving_world{};
  auto failing = kit::failing_database{world.target->db()};
  failing.fail_at(call, code, kit::failing::for_ever);
  CHECK(finish(world.order(failing), ignore));
  CHECK_FALSE((world.folder_starts() && world.target_starts()));
  must(finish(world.order(), ignore));
  CHECK_FALSE(world.folder_starts());
  CHECK(world.target_starts());
}

std::string words_of(const caf::error& failure, errc code) {
  CHECK(code_of(failure) == code);
  return context_of(failure);
}

node_options options_of(const std::string& folder) {
  auto options = node_options{.config = default_config()};
  options.config.values.storage.folder = folder;
  options.config.values.storage.readers = 1;
  return options;
}

time_point some_time() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

} // namespace

TEST_CASE("killed anywhere, a move leaves no two sides that start", "[folder_move]") {
  constexpr auto ends = std::size_t{10}; // one by one; what lies between in steps
  constexpr auto step = std::size_t{61};
  const auto calls = calls_of_a_move();
  REQUIRE(calls > 5 * step);
  for (const auto code : {errc::unavailable, errc::commit_unknown})
    for (auto call = std::size_t{1}; call <= calls; ++call)
      if (call <= ends || call > calls - ends || call % step == 0)
        fail_and_finish(call, code);
}

TEST_CASE("a folder starts until its move begins, and again when it is given up", "[folder_move]") {
  auto world = moving_world{};
  must(check_not_moved(world.folder.path()));
  CHECK(must(stage_of(world.order())) == move_stage::not_begun);
  must(check_not_moved(world.folder.path()));

  auto failing = kit::failing_database{world.target->db()};
  failing.fail_at(20, errc::storage_full, kit::failing::for_ever);
  REQUIRE(finish(world.order(failing), ignore));
  CHECK(must(stage_of(world.order())) == move_stage::unfinished);
  const auto begun = words_of(check_not_moved(world.folder.path()), errc::config_invalid);
  CHECK_THAT(begun, Catch::Contains("the other place") && Catch::Contains("again to finish it") &&
                        Catch::Contains(world.folder / "moving_to"));
  std::filesystem::remove(world.folder / "moving_to");
  must(check_not_moved(world.folder.path()));
}

TEST_CASE("a moved folder says where its data is and how to come back", "[folder_move]") {
  auto world = moving_world{};
  must(finish(world.order(), ignore));
  const auto moved = words_of(check_not_moved(world.folder.path()), errc::config_invalid);
  CHECK_THAT(moved, Catch::Contains("the other place") &&
                        Catch::Contains("set storage.postgres_url_file") &&
                        Catch::Contains("remove " + (world.folder / "moved_to").string()));
  CHECK(must(stage_of(world.order())) == move_stage::complete);
  must(finish(world.order(), ignore)); // nothing is left to do
  std::filesystem::remove(world.folder / "moved_to");
  must(check_not_moved(world.folder.path()));
}

TEST_CASE("a folder is moved to one place", "[folder_move]") {
  auto world = moving_world{};
  const auto elsewhere = kit::fresh_sqlite(kit::with_schema::none);
  auto failing = kit::failing_database{world.target->db()};
  const auto refuses_another_place = [&] {
    const auto words =
        words_of(finish(world.order(elsewhere->db(), "yet another place"), ignore), errc::conflict);
    CHECK_THAT(words, Catch::Contains("the other place"));
    CHECK(kit::dump(elsewhere->db()).empty());
  };
  failing.fail_at(20, errc::storage_full, kit::failing::for_ever);
  REQUIRE(finish(world.order(failing), ignore));
  refuses_another_place();
  // The same place may have been made again.
  must(finish(world.order(elsewhere->db()), ignore));
  must(check_move_is_complete({elsewhere->db(), sqlite_catalogue()}));
}

TEST_CASE("a folder that was moved is not moved again", "[folder_move]") {
  auto world = moving_world{};
  must(finish(world.order(), ignore));
  const auto again = kit::fresh_sqlite(kit::with_schema::none);
  CHECK_THAT(words_of(finish(world.order(again->db()), ignore), errc::conflict),
             Catch::Contains("old data"));
  CHECK(kit::dump(again->db()).empty());
}

TEST_CASE("a target that is refused leaves the folder as it is", "[folder_move]") {
  auto world = moving_world{};
  must(world.target->db().run("CREATE TABLE theirs(id BIGINT PRIMARY KEY)"));
  CHECK_THAT(words_of(finish(world.order(), ignore), errc::conflict),
             Catch::Contains("is not empty"));
  CHECK(world.folder_starts());
}

TEST_CASE("a note that cannot be read or written stops what needs it", "[folder_move]") {
  auto world = moving_world{};
  std::ofstream{world.folder / "moving_to"} << "half";
  CHECK_THAT(words_of(check_not_moved(world.folder.path()), errc::unavailable),
             Catch::Contains("moving_to: cannot be read"));
  must(write_move_note(world.folder.path(), {.id = "1", .place = "x"}));
  CHECK(std::filesystem::status(world.folder / "moving_to").permissions() ==
        std::filesystem::perms{0644});
  CHECK(code_of(write_move_note("/proc/none", {.id = "1", .place = "x"})) == errc::unavailable);
  CHECK(code_of(close_move_note("/proc/none")) == errc::unavailable);
}

TEST_CASE("no node starts from a folder that was moved", "[folder_move]") {
  const auto folder = kit::temp_folder{kit::quick_folder()};
  const auto options = options_of(folder.path());
  must(open_databases(options, some_time));
  must(write_move_note(folder.path(), {.id = "1", .place = "there"}));
  auto opened = open_databases(options, some_time);
  REQUIRE_FALSE(opened);
  CHECK_THAT(words_of(opened.error(), errc::config_invalid), Catch::Contains("has begun"));
  must(close_move_note(folder.path()));
  opened = open_databases(options, some_time);
  REQUIRE_FALSE(opened);
  CHECK_THAT(words_of(opened.error(), errc::config_invalid), Catch::Contains("was moved to there"));
}

TEST_CASE("no node starts from a PostgreSQL that is moved into", "[folder_move]") {
  const auto folder = kit::temp_folder{kit::quick_folder()};
  auto options = options_of(folder.path());
  const auto where = kit::fresh_postgres_database(false);
  options.config.values.storage.postgres_url_file = folder / "url";
  std::ofstream{folder / "url"} << where << '\n';
  auto target = must(open_postgres(where));
  must(create_move_marker({*target, postgres_catalogue()}, "1"));
  auto opened = open_databases(options, some_time);
  REQUIRE_FALSE(opened);
  CHECK_THAT(words_of(opened.error(), errc::config_invalid), Catch::Contains("is not complete"));
  CHECK(must(table_names({*target, postgres_catalogue()})).size() == 2); // and left alone
  must(complete_move_marker(*target));
  must(open_databases(options, some_time));
}
