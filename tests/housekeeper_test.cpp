#include "actors/housekeeper.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "storage/webhook_store.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct house_fixture {
  kit::deterministic_system actors{11};
  kit::test_storage storage;

  std::int64_t count(const std::string& table) {
    const auto rows = storage.db().run("SELECT count(*) FROM " + table);
    REQUIRE(rows);
    return rows->rows[0][0].integer();
  }

  void add(const std::string& sql, time_point at) { REQUIRE(storage.db().run(sql, {at})); }

  /// One row of each kind for every age.
  void add_rows(std::initializer_list<std::chrono::nanoseconds> ages) {
    for (const auto age : ages) {
      ++number;
      const auto n = std::to_string(number);
      const auto at = actors.now() - std::chrono::floor<std::chrono::microseconds>(age);
      add("INSERT INTO batch(id, at, last_seq) VALUES (" + n + ", $1, 0)", at);
      add("INSERT INTO log(seq, at, kind, author, object_key, class, public, ap_id, body) VALUES "
          "(" +
              n + ", $1, 1, 1, 'p/0/" + n + "', 2, 1, 'https://ours/" + n + "', x'00')",
          at);
      add("INSERT INTO web_session(hash, account_id, created_at, expires_at) VALUES (x'0" + n +
              "', 1, 0, $1)",
          at);
    }
  }

  std::int64_t number = 0;
};

} // namespace

TEST_CASE_METHOD(house_fixture, "what was kept long enough goes, the rest stays", "[housekeeper]") {
  actors.spawn(housekeeper, storage.start(actors), housekeeper_options{});
  add_rows({31 * 24h, 8 * 24h, 2h, 30min});
  actors.advance(9min);
  CHECK(count("batch") == 4);
  actors.advance(2min);
  CHECK(count("batch") == 1);
  CHECK(count("log") == 3);
  CHECK(count("log WHERE body IS NOT NULL") == 2);
  CHECK(count("web_session") == 0);
}

TEST_CASE_METHOD(house_fixture, "the newest row of the log stays, however old",
                 "[housekeeper][log]") {
  actors.spawn(housekeeper, storage.start(actors), housekeeper_options{});
  add_rows({40 * 24h, 39 * 24h});
  actors.advance(11min);
  CHECK(count("log") == 1);
  CHECK(count("log WHERE seq = 2") == 1);
}

TEST_CASE_METHOD(house_fixture, "what every webhook has taken goes, or what is old",
                 "[housekeeper][webhooks]") {
  actors.spawn(housekeeper, storage.start(actors), housekeeper_options{});
  const auto writer = storage.open_writer();
  REQUIRE(enter_webhook(*writer, {"slow", true}, actors.now()));
  const auto event = [&](const std::string& message, std::chrono::hours age) {
    return outbox_row{
        .id = 0, .message = message, .kind = 2, .at = actors.now() - age, .body = "{}"};
  };
  const auto rows = std::vector{event("old", 31 * 24h), event("taken", 2h), event("waits", 2h)};
  REQUIRE(add_to_outbox(*writer, rows));
  actors.advance(11min);
  CHECK(count("webhook_outbox") == 2);
  REQUIRE_FALSE(save_webhook_marks(*writer, "slow", {0, 2}, actors.now()));
  actors.advance(10min);
  CHECK(count("webhook_outbox WHERE message = 'waits'") == 1);
  CHECK(count("webhook_outbox") == 1);
}

TEST_CASE_METHOD(house_fixture, "one round removes its share, the next follows after a pause",
                 "[housekeeper]") {
  actors.spawn(housekeeper, storage.start(actors), housekeeper_options{.rows_max = 2});
  add_rows({5h, 5h, 5h, 5h, 5h});
  actors.advance(10min);
  CHECK(count("batch") == 3);
  actors.advance(1s);
  CHECK(count("batch") == 1);
  actors.advance(1s);
  CHECK(count("batch") == 0);
}

TEST_CASE_METHOD(house_fixture, "a round that fails is tried again at its time", "[housekeeper]") {
  actors.spawn(housekeeper, storage.start(actors), housekeeper_options{});
  add_rows({5h});
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::storage_busy); };
  actors.advance(11min);
  CHECK(count("batch") == 1);
  storage.faults().at_call = nullptr;
  actors.advance(10min);
  CHECK(count("batch") == 0);
}

TEST_CASE_METHOD(house_fixture, "bodies that take too much room go before their time",
                 "[housekeeper][log]") {
  actors.spawn(housekeeper, storage.start(actors),
               housekeeper_options{.log_bytes_max = 3, .rows_max = 2});
  add_rows({5h, 4h, 3h, 2h, 1h});
  actors.advance(11min);
  CHECK(count("log") == 5);
  CHECK(count("log WHERE body IS NOT NULL") == 3);
  CHECK(count("log WHERE body IS NOT NULL AND seq > 2") == 3);
}
