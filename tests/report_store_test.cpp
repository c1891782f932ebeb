#include "storage/report_store.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

const auto now = from_micros(1'000'000'000'000);

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

report report_of(std::int64_t id) {
  return {.id = id,
          .reporter = account_id{7},
          .target = account_id{20},
          .posts = {post_id{100}, post_id{101}},
          .category = "spam",
          .comment = "buys \"likes\"",
          .forwarded = true,
          .at = now};
}

} // namespace

TEST_CASE("a report is kept as it was made until it is dealt with", "[report_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    for (auto id = std::int64_t{1}; id <= 3; ++id)
      CHECK(must(insert_report(db, report_of(id))));
    const auto first = must(find_report(db, 1));
    CHECK(first.reporter == account_id{7});
    CHECK(first.target == account_id{20});
    CHECK(first.posts == std::vector{post_id{100}, post_id{101}});
    CHECK(first.category == "spam");
    CHECK(first.comment == "buys \"likes\"");
    CHECK(first.forwarded);
    CHECK_FALSE(first.uri);
    CHECK(first.at == now);
    CHECK(code_of(error_of(find_report(db, 9))) == errc::not_found);
    CHECK(must(resolve_report(db, 2, now + 1h)));
    CHECK_FALSE(must(resolve_report(db, 2, now + 2h)));
    CHECK(must(find_report(db, 2)).resolved_at == now + 1h);
    CHECK(must(list_reports(db, true, 0, 10)).size() == 2);
    CHECK(must(list_reports(db, true, 3, 10))[0].id == 1);
    CHECK(must(list_reports(db, false, 0, 10))[0].id == 2);
    CHECK(must(resolve_report(db, 2, std::nullopt)));
    CHECK(must(list_reports(db, true, 0, 2)).size() == 2);
  });
}

TEST_CASE("a Flag that comes twice is one report", "[report_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    auto flag = report_of(1);
    flag.uri = "https://far.example/flags/1";
    CHECK(must(insert_report(db, flag)));
    flag.id = 2;
    CHECK_FALSE(must(insert_report(db, flag)));
    CHECK(must(find_report(db, 1)).uri == flag.uri);
  });
}

TEST_CASE("operations of the report store fail as a whole", "[report_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) { return error_of(insert_report(open, report_of(1))); });
    walk([](database& open) { return error_of(find_report(open, 1)); });
    walk([](database& open) { return error_of(list_reports(open, true, 9, 9)); });
    walk([](database& open) { return error_of(resolve_report(open, 1, now)); });
  });
}
