// What the books count: offered, pending, and how units end.
#include "protocol/errc.hpp"
#include "tests/kit/books_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit::books_scene;
using namespace std::chrono_literals;

TEST_CASE_METHOD(books_fixture, "what is no longer owed when it is read ends in the sums",
                 "[delivery_books]") {
  offer(1);
  offer(2);
  offer(3);
  auto news = class_progress{.cls = bulk, .settled = {{key(2)}}, .received_upto = 3};
  SECTION("its row was gone") {
    news.gone_upto = 1;
    books.take(host, news, now);
    CHECK(books.sums() == delivery_sums{.offered = 3, .delivered = 1, .expired = 2});
  }
  SECTION("it was not") {
    books.take(host, news, now);
    CHECK(books.sums() == delivery_sums{.offered = 3, .delivered = 1, .cancelled = 2});
  }
  SECTION("not yet, while something is open") {
    news.first_open = 3;
    books.take(host, news, now);
    CHECK(books.sums() == delivery_sums{.offered = 3, .delivered = 1, .pending = 2});
  }
}

TEST_CASE_METHOD(books_fixture, "a unit that only its host found counts as offered then",
                 "[delivery_books]") {
  offer(1);
  offer(4);
  tell({key(1), key(2), key(4)}, std::nullopt, 4);
  CHECK(books.sums() == delivery_sums{.offered = 3, .delivered = 3});
  tell({key(1), key(2), key(4)}, std::nullopt, 4);
  CHECK(books.sums() == delivery_sums{.offered = 3, .delivered = 3}); // once
}

TEST_CASE_METHOD(books_fixture, "exceptions stay pending until they end, and count again",
                 "[delivery_books]") {
  offer(1);
  const auto told = [&](std::optional<unit_outcome> outcome, bool is_again) {
    auto change = exception_change{host, key(1), {}, outcome, is_again};
    if (!outcome)
      change.row = delivery_exception{.unit = key(1)};
    books.take(change, shard);
  };
  books.take(host, {.cls = bulk, .settled = {{key(1), unit_outcome::excepted}}, .received_upto = 1},
             now);
  told({}, false);
  CHECK(books.sums() == delivery_sums{.offered = 1, .pending = 1});
  CHECK(books.exceptions(host) == 1);
  told(unit_outcome::dead, false);
  CHECK(books.sums() == delivery_sums{.offered = 1, .dead = 1});
  told({}, true);
  told(unit_outcome::delivered, false);
  CHECK(books.sums() == delivery_sums{.offered = 2, .delivered = 1, .dead = 1});
  CHECK(books.exceptions(host) == 0);
  const auto changes = books.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].change == books.sums());
}

TEST_CASE_METHOD(books_fixture, "a replay opens what was settled, in a row of the host",
                 "[delivery_books]") {
  offer(1);
  offer(2);
  tell({key(1), key(2)}, std::nullopt, 2);
  write();
  REQUIRE_FALSE(books.knows(host));
  books.take(host, shard, {.cls = bulk, .from = 1, .units = 2, .oldest_at = start}, 2);
  books.take(host, {.cls = bulk, .received_upto = 2, .first_open = 1, .oldest_at = start}, now);
  CHECK(books.sums() == delivery_sums{.offered = 4, .delivered = 2, .pending = 2});
  CHECK(cursor().first_open == std::optional<log_seq>{1});
  CHECK(cursor().settled.empty());
  const auto made = write();
  CHECK(made.marks.empty()); // it never goes back
  REQUIRE(made.backlogs.size() == 1);
  CHECK(made.backlogs[0].behind_from == 0);
  CHECK(made.backlogs[0].count == 2);
  tell({key(1), key(2)}, std::nullopt, 2);
  CHECK(write().caught_up.size() == 1);
  CHECK(books.sums() == delivery_sums{.offered = 4, .delivered = 4});
}

TEST_CASE_METHOD(books_fixture, "what waits by itself is not opened by a replay",
                 "[delivery_books]") {
  offer(1);
  offer(2);
  books.take(
      host,
      {.cls = bulk, .settled = {{key(1)}, {key(2), unit_outcome::excepted}}, .received_upto = 2},
      now);
  books.take(exception_change{host, key(2), delivery_exception{.unit = key(2)}, {}, false}, shard);
  write();
  books.take(host, shard,
             {.cls = bulk, .from = 1, .units = 1, .oldest_at = start, .excepted = {key(2)}}, 2);
  books.take(host, {.cls = bulk, .received_upto = 2, .first_open = 1, .oldest_at = start}, now);
  books.take(exception_change{host, key(2), {}, unit_outcome::delivered, false}, shard);
  CHECK(books.sums() == delivery_sums{.offered = 3, .delivered = 2, .pending = 1});
  CHECK(cursor().settled == std::vector{key(2)}); // nor by its end
  const auto made = write();
  REQUIRE(made.backlogs.size() == 1);
  CHECK(made.backlogs[0].acked == std::vector{key(2)});
  CHECK(made.backlogs[0].count == 1);
}

TEST_CASE("sums of a mark are read as they were written", "[delivery_books]") {
  const auto sums = mark_sums{
      .ended = {.delivered = 1, .coalesced = 200, .dead = 3, .expired = 40'000, .cancelled = 5},
      .waiting = {{host_id{7}, 3, 900}, {host_id{1'000'000'000'000}, 1, 901}}};
  const auto read = decode_sums(encode_sums(sums));
  REQUIRE(read);
  CHECK(*read == sums);
  CHECK(*decode_sums("") == mark_sums{});
  const auto bytes = encode_sums(sums);
  for (const auto& damaged :
       {bytes.substr(0, 3), bytes.substr(0, bytes.size() - 1), "\x02" + bytes.substr(1)}) {
    const auto broken = decode_sums(damaged);
    REQUIRE_FALSE(broken);
    CHECK(code_of(broken.error()) == errc::malformed);
  }
}
