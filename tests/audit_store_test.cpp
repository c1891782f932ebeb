#include "storage/audit_store.hpp"

#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;
using kit::on_both;
using kit::test_database;

namespace {

audit_entry entry(const std::string& action, const std::string& target) {
  return {.id = 0,
          .at = time_point{5s},
          .who = "socket",
          .action = action,
          .target = target,
          .reason = "because",
          .detail = "3 units"};
}

std::vector<std::int64_t> ids(const std::vector<audit_entry>& entries) {
  auto all = std::vector<std::int64_t>{};
  for (const auto& each : entries)
    all.push_back(each.id);
  return all;
}

} // namespace

TEST_CASE("what operators did is listed, newest first, in pages", "[audit]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto number = 1; number <= 5; ++number)
      CHECK(must(add_audit(db, entry("pause", number % 2 ? "odd.example" : "even.example"))) ==
            number);
    CHECK(ids(must(list_audit(db, 0, 3, ""))) == std::vector<std::int64_t>{5, 4, 3});
    CHECK(ids(must(list_audit(db, 3, 3, ""))) == std::vector<std::int64_t>{2, 1});
    CHECK(ids(must(list_audit(db, 0, 9, "odd.example"))) == std::vector<std::int64_t>{5, 3, 1});
    CHECK(ids(must(list_audit(db, 5, 1, "odd.example"))) == std::vector<std::int64_t>{3});
    auto expected = entry("pause", "even.example");
    expected.id = 2;
    CHECK(must(list_audit(db, 3, 1, "")) == std::vector{expected});
  });
}

TEST_CASE("an entry that is rolled back with its change was never made", "[audit]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    CHECK(db.transact([](database& open) -> caf::error {
      must(add_audit(open, entry("flush", "far.example")));
      return make_error(errc::conflict, "no");
    }));
    CHECK(must(list_audit(db, 0, 9, "")).empty());
  });
}

TEST_CASE("long texts are cut at a whole character", "[audit]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    auto text = std::string{"x"};
    while (text.size() < 2 * audit_text_max)
      text += "\u00e9";
    auto long_one = entry("flush", "far.example");
    long_one.reason = text;
    must(add_audit(db, long_one));
    CHECK(must(list_audit(db, 0, 1, ""))[0].reason == text.substr(0, audit_text_max - 1));
  });
}

TEST_CASE("entries of two writers at once are both kept", "[audit]") {
  on_both([](test_database& fresh) {
    auto failures = std::vector<caf::error>(2);
    auto threads = std::vector<std::thread>{};
    auto connections = std::vector<std::unique_ptr<database>>{};
    for (auto& failure : failures) {
      connections.push_back(fresh.connect());
      threads.emplace_back([&failure, db = connections.back().get()] {
        for (auto number = 0; number < 20 && !failure; ++number)
          failure = db->transact([](database& open) -> caf::error {
            auto added = add_audit(open, entry("pause", "far.example"));
            return added ? caf::error{} : added.error();
          });
      });
    }
    for (auto& thread : threads)
      thread.join();
    for (const auto& failure : failures)
      must(failure);
    CHECK(must(list_audit(fresh.db(), 0, 100, "")).size() == 40);
  });
}
