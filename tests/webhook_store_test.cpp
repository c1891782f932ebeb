#include "storage/webhook_store.hpp"
#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

constexpr auto noon = time_point{} + 20'000h;

outbox_row event(int number) {
  return {.id = 0,
          .message = "m" + std::to_string(number),
          .kind = 2,
          .at = noon + std::chrono::minutes{number},
          .body = std::string{"{\"n\":\"\0\xff\"}", 10}};
}

std::vector<outbox_row> events(int first, int last) {
  auto rows = std::vector<outbox_row>{};
  for (auto number = first; number <= last; ++number)
    rows.push_back(event(number));
  return rows;
}

void write_log(database& db, log_seq seq) {
  must(db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public)"
              " VALUES ($1, $2, 1, 1, 'p/0/1', 2, 1)",
              {seq, noon}));
}

std::vector<std::int64_t> ids_of(database& db) {
  auto ids = std::vector<std::int64_t>{};
  for (const auto& row : must(db.run("SELECT id FROM webhook_outbox ORDER BY id")).rows)
    ids.push_back(row[0].integer());
  return ids;
}

using numbers = std::vector<std::int64_t>;

} // namespace

TEST_CASE("a new webhook begins at the ends, an old one where it was", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto seq = 1; seq <= 5; ++seq)
      write_log(db, seq);
    must(add_to_outbox(db, events(1, 3)));
    CHECK(must(enter_webhook(db, {"all", true}, noon)) == webhook_marks{5, 3});
    CHECK(must(enter_webhook(db, {"posts", false}, noon)) == webhook_marks{5, std::nullopt});
    write_log(db, 6);
    must(add_to_outbox(db, events(4, 4)));
    CHECK(must(enter_webhook(db, {"all", true}, noon)) == webhook_marks{5, 3});
    must(save_webhook_marks(db, "all", {6, 4}, noon));
    CHECK(must(enter_webhook(db, {"all", true}, noon)) == webhook_marks{6, 4});
  });
}

TEST_CASE("a webhook that wants the outbox later begins at its end", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    must(enter_webhook(db, {"w", false}, noon));
    must(add_to_outbox(db, events(1, 3)));
    CHECK(must(enter_webhook(db, {"w", true}, noon)) == webhook_marks{0, 3});
    must(add_to_outbox(db, events(4, 5)));
    CHECK(must(enter_webhook(db, {"w", true}, noon)) == webhook_marks{0, 3});
    CHECK(must(enter_webhook(db, {"w", false}, noon)) == webhook_marks{0, std::nullopt});
  });
}

TEST_CASE("marks never move back", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    must(enter_webhook(db, {"w", true}, noon));
    must(save_webhook_marks(db, "w", {7, 9}, noon));
    must(save_webhook_marks(db, "w", {6, 8}, noon));
    CHECK(must(enter_webhook(db, {"w", true}, noon)) == webhook_marks{7, 9});
  });
}

TEST_CASE("the outbox gives what was put into it, in order, each event once", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    auto rows = events(1, 150);
    rows.push_back(event(7));
    CHECK(must(add_to_outbox(db, rows)) == 150);
    CHECK(must(add_to_outbox(db, events(100, 152))) == 152); // after a commit of unknown outcome
    auto page = must(read_outbox(db, 0, 100));
    REQUIRE(page.rows.size() == 100);
    CHECK(page.upto == 100);
    CHECK(page.lost == 0);
    auto first = event(1);
    first.id = 1;
    CHECK(page.rows.front() == first);
    page = must(read_outbox(db, 100, 100));
    CHECK(page.rows.size() == 52);
    CHECK(page.rows.back().message == "m152");
    CHECK(page.upto == 152);
    CHECK(page.lost == 0);
    page = must(read_outbox(db, 152, 100));
    CHECK(page.rows.empty());
    CHECK(page.upto == 152);
    CHECK(page.lost == 0);
  });
}

TEST_CASE("past its limit the outbox loses the oldest, and says how many", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto number = 1; number <= 20; ++number)
      must(add_to_outbox(db, events(number, number), 5));
    CHECK(ids_of(db) == numbers{16, 17, 18, 19, 20});
    auto page = must(read_outbox(db, 3, 3));
    CHECK(page.rows.size() == 3);
    CHECK(page.upto == 18);
    CHECK(page.lost == 12);
    page = must(read_outbox(db, 18, 3));
    CHECK(page.lost == 0);
    CHECK(page.upto == 20);
  });
}

TEST_CASE("rows go when every present webhook has taken them", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (const auto* name : {"fast", "slow", "former"})
      must(enter_webhook(db, {name, true}, noon));
    must(enter_webhook(db, {"posts", false}, noon));
    must(add_to_outbox(db, events(1, 10)));
    must(save_webhook_marks(db, "fast", {0, 9}, noon));
    must(save_webhook_marks(db, "slow", {0, 4}, noon));
    CHECK(must(purge_outbox(db, noon, 100)) == 0); // the third has taken nothing
    const auto present = std::vector<std::string>{"fast", "slow", "posts"};
    must(leave_webhooks(db, present));
    CHECK(must(purge_outbox(db, noon, 3)) == 3);
    CHECK(must(purge_outbox(db, noon, 3)) == 1);
    CHECK(must(purge_outbox(db, noon, 3)) == 0);
    CHECK(ids_of(db) == numbers{5, 6, 7, 8, 9, 10});
    CHECK(must(read_outbox(db, 0, 100)).lost == 4); // to the one that comes back
    must(leave_webhooks(db, {}));
    CHECK(must(purge_outbox(db, noon, 100)) == 6);        // for nobody
    CHECK(must(add_to_outbox(db, events(11, 11))) == 11); // an id is never given twice
  });
}

TEST_CASE("rows of the outbox go by age, taken or not", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    must(enter_webhook(db, {"slow", true}, noon));
    must(add_to_outbox(db, events(1, 10)));
    CHECK(must(purge_outbox(db, noon + 4min, 100)) == 3);
    const auto page = must(read_outbox(db, 0, 100));
    CHECK(page.rows.size() == 7);
    CHECK(page.lost == 3);
  });
}

TEST_CASE("rows of the log that were purged are counted", "[webhook_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    CHECK(must(log_rows_lost(db, 0)) == 0);
    write_log(db, 8);
    write_log(db, 9);
    CHECK(must(log_rows_lost(db, 3)) == 4);
    CHECK(must(log_rows_lost(db, 7)) == 0);
    CHECK(must(log_rows_lost(db, 9)) == 0);
  });
}
