#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using kit::must;

namespace {

caf::error insert_two(database& db) {
  for (const auto* name : {"a", "b"})
    if (auto row = db.run("INSERT INTO setting(name) VALUES ($1)", {name}); !row)
      return row.error();
  return {};
}

std::size_t settings_in(database& db) {
  return must(db.run("SELECT name FROM setting")).rows.size();
}

} // namespace

TEST_CASE("the walk fails every call of an operation and finds nothing left", "[kit]") {
  kit::on_both([](kit::test_database& fresh) {
    CHECK(kit::walk_every_n(fresh.db(), insert_two) == 4); // begin, two rows, commit
    CHECK(settings_in(fresh.db()) == 2);
  });
}

TEST_CASE("a body that swallows a failure cannot commit", "[kit]") {
  kit::on_both([](kit::test_database& fresh) {
    auto failing = kit::failing_database{fresh.db()};
    failing.fail_at(2, errc::storage_full, kit::failing::once);
    const auto failure = failing.transact([](database& db) {
      (void)db.run("INSERT INTO setting(name) VALUES ('a')");
      (void)db.run("INSERT INTO setting(name) VALUES ('b')");
      return caf::error{};
    });
    CHECK(code_of(failure) == errc::storage_full);
    CHECK(settings_in(fresh.db()) == 0);
  });
}

TEST_CASE("a unit that fails in a savepoint leaves the others", "[kit]") {
  kit::on_both([](kit::test_database& fresh) {
    auto failing = kit::failing_database{fresh.db()};
    failing.fail_at(3, errc::storage_busy, kit::failing::once);
    must(failing.transact([](database& db) -> caf::error {
      CHECK(code_of(db.transact(insert_two)) == errc::storage_busy);
      return db.transact(insert_two);
    }));
    CHECK(failing.failed() == 1);
    CHECK(settings_in(fresh.db()) == 2);
  });
}

TEST_CASE("a commit whose answer is lost is made nevertheless", "[kit]") {
  kit::on_both([](kit::test_database& fresh) {
    auto failing = kit::failing_database{fresh.db()};
    const auto batch = [&](std::int64_t id, std::string_view name) {
      return failing.commit_batch(id, time_point{}, std::nullopt,
                                  [&](database& db) -> caf::expected<std::vector<log_draft>> {
                                    must(db.run("INSERT INTO setting(name) VALUES ($1)", {name}));
                                    return std::vector<log_draft>{};
                                  });
    };
    failing.fail_at(3, errc::commit_unknown, kit::failing::once);
    CHECK(code_of(batch(1, "a").error()) == errc::commit_unknown);
    CHECK(settings_in(fresh.db()) == 1);
    failing.fail_at(3, errc::storage_full, kit::failing::for_ever);
    CHECK(code_of(batch(2, "b").error()) == errc::storage_full);
    CHECK(settings_in(fresh.db()) == 1);
    failing.heal();
    must(batch(3, "b"));
    CHECK(settings_in(fresh.db()) == 2);
  });
}
