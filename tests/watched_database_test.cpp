#include "storage/watched_database.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;

namespace {

/// Passes on to a database that somebody else owns.
std::unique_ptr<kit::failing_database> failing_view(database& db, errc code) {
  auto view = std::make_unique<kit::failing_database>(db);
  view->fail_at(1, code, kit::failing::for_ever);
  return view;
}

int damage_seen(errc code) {
  const auto fresh = kit::fresh_sqlite();
  auto seen = 0;
  auto db = watched(failing_view(fresh->db(), code), [&](const caf::error&) { ++seen; });
  CHECK_FALSE(db->run("SELECT 1"));
  CHECK(code_of(db->transact([](database&) { return caf::error{}; })) == code);
  CHECK_FALSE(db->commit_batch(1, {}, {}, [](database&) { return std::vector<log_draft>{}; }));
  return seen;
}

} // namespace

TEST_CASE("damage of a connection is told once, other failures never", "[watched]") {
  CHECK(damage_seen(errc::storage_broken) == 1);
  CHECK(damage_seen(errc::storage_busy) == 0);
}

TEST_CASE("a watched database does what the one inside does", "[watched]") {
  const auto fresh = kit::fresh_sqlite();
  auto view = std::make_unique<kit::failing_database>(fresh->db());
  auto db = watched(std::move(view), [](const caf::error&) { FAIL("no damage"); });
  CHECK(kit::rows_of(db->run("SELECT $1", {7})) == std::vector<std::string>{"7"});
  kit::must(db->transact([](database& open) -> caf::error {
    return open.run("INSERT INTO setting(name) VALUES ('a')") ? caf::error{}
                                                              : make_error(errc::crashed);
  }));
  CHECK(kit::must(db->commit_batch(1, {}, {}, [](database&) {
          return std::vector<log_draft>(1);
        })).last == 1);
  CHECK(db->rows_written() == fresh->db().rows_written());
  CHECK(db->dialect() == "sqlite");
  CHECK(db->key_type() == "INTEGER");
}
