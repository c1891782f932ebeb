#include "storage/migrations.hpp"

#include "tests/kit/both_databases.hpp"

#include <thread>

using namespace trunkline;
using kit::must;

namespace {

std::int64_t version_in(database& db) {
  return must(db.run("SELECT version FROM schema_version")).rows.at(0).at(0).integer();
}

} // namespace

TEST_CASE("migrations bring an empty database to the newest schema, once", "[migrations]") {
  kit::on_both(
      [](kit::test_database& fresh) {
        must(migrate(fresh.db()));
        CHECK(version_in(fresh.db()) == schema_version());
        must(fresh.db().run("INSERT INTO tombstone(hash) VALUES ($1)", {blob{"x"}}));
        const auto before = kit::dump(fresh.db());
        must(migrate(fresh.db()));
        CHECK(kit::dump(fresh.db()) == before);
      },
      kit::with_schema::none);
}

TEST_CASE("a database of a newer program is refused and left alone", "[migrations]") {
  kit::on_both([](kit::test_database& fresh) {
    must(fresh.db().run("UPDATE schema_version SET version = 1000"));
    const auto before = kit::dump(fresh.db());
    const auto failure = migrate(fresh.db());
    CHECK(code_of(failure) == errc::storage_refused);
    CHECK_THAT(context_of(failure), Catch::Contains("newer"));
    CHECK(kit::dump(fresh.db()) == before);
  });
}

TEST_CASE("processes that migrate at once wait for each other", "[migrations]") {
  kit::on_both(
      [](kit::test_database& fresh) {
        auto failures = std::vector<caf::error>(4);
        auto threads = std::vector<std::thread>{};
        auto connections = std::vector<std::unique_ptr<database>>{};
        for (auto& failure : failures) {
          connections.push_back(fresh.connect());
          threads.emplace_back(
              [&failure, db = connections.back().get()] { failure = migrate(*db); });
        }
        for (auto& thread : threads)
          thread.join();
        for (const auto& failure : failures)
          must(failure);
        CHECK(version_in(fresh.db()) == schema_version());
      },
      kit::with_schema::none);
}
