// Which shards the books hold: they come, catch up, and leave.
#include "tests/kit/books_fixture.hpp"

#include <algorithm>

using namespace trunkline;
using namespace trunkline::kit::books_scene;
using namespace std::chrono_literals;

namespace {

constexpr auto late = std::uint8_t{8}; // comes later than `shard`
constexpr auto late_host = host_id{3};

shard_set only(std::uint8_t number) {
  return shard_set{}.set(number);
}

/// The books hold `shard`, and have read rows up to 10 for it.
struct shards_fixture : books_fixture {
  explicit shards_fixture(delivery_books_limits limits = {}) {
    books = delivery_books{limits, only(shard)};
    offer(9);
    books.advance(10);
  }

  bool offer_late(log_seq seq, host_id to = late_host) {
    return books.offer(
        to, late,
        {.seq = seq,
         .author = account_id{1},
         .at = now,
         .to = std::make_shared<const delivery_endpoint>(delivery_endpoint{.id = endpoint_id{3}})});
  }

  void gain(shard_mark mark) {
    books.add(only(late));
    books.load(std::move(mark));
  }

  std::vector<shard_mark> marks_of(std::uint8_t number, const checkpoint& made) const {
    auto found = std::vector<shard_mark>{};
    std::ranges::copy_if(made.marks, std::back_inserter(found),
                         [&](const auto& mark) { return mark.shard == number; });
    return found;
  }
};

} // namespace

TEST_CASE_METHOD(shards_fixture, "a row is wanted where it was not handed out, and nowhere else",
                 "[delivery_books][shards]") {
  CHECK(books.wants(shard, bulk, 11));
  CHECK_FALSE(books.wants(shard, bulk, 10));
  CHECK_FALSE(books.wants(late, bulk, 11)); // another node's
  gain({late, bulk, 3});
  CHECK(books.start() == 0); // its other class has no mark
  CHECK(books.wants(late, bulk, 4));
  CHECK_FALSE(books.wants(late, bulk, 3));
  CHECK_FALSE(books.wants(shard, bulk, 4));
  books.advance(6);
  CHECK(books.start() == 6);
  CHECK(books.wants(late, bulk, 7));
  CHECK_FALSE(books.wants(late, bulk, 6));
  CHECK_FALSE(books.wants(shard, bulk, 7));
  books.advance(11);
  CHECK(books.start() == 11);
  CHECK_FALSE(books.wants(late, bulk, 11));
  CHECK_FALSE(books.wants(shard, bulk, 11));
}

TEST_CASE_METHOD(shards_fixture, "the mark of a shard that catches up passes no row unread for it",
                 "[delivery_books][shards]") {
  gain({late, bulk, 3});
  CHECK(offer_late(4));
  books.advance(5); // row 6 may be owed to it
  tell({key(4, 3)}, std::nullopt, 4, late_host);
  tell({key(9)}, std::nullopt, 9);
  const auto made = write();
  REQUIRE(marks_of(late, made).size() == 1);
  CHECK(marks_of(late, made)[0].seq == 5);
  REQUIRE(marks_of(shard, made).size() == 1); // others go on
  CHECK(marks_of(shard, made)[0].seq == 10);
  CHECK(books.cursor(late_host, late, bulk).offered_upto == 5);
  CHECK(books.cursor(other, shard, bulk).offered_upto == 10);
  CHECK(offer_late(6));
}

TEST_CASE_METHOD(shards_fixture, "what its mark counts is owed until it was read for that shard",
                 "[delivery_books][shards]") {
  gain({late, bulk, 3, {}, {.ended = {.delivered = 5}, .waiting = {{late_host, 1, 6}}}});
  const auto pending = delivery_sums{.offered = 7, .delivered = 5, .pending = 2};
  CHECK(books.sums() == pending);
  books.advance(5);
  CHECK(books.sums() == pending);
  books.advance(6);
  CHECK(books.sums() == delivery_sums{.offered = 7, .delivered = 5, .cancelled = 1, .pending = 1});
}

TEST_CASE_METHOD(shards_fixture, "a shard that leaves is handed nothing, and its mark stands",
                 "[delivery_books][shards]") {
  gain({late, bulk, 10});
  books.advance(12);
  CHECK(offer_late(13));
  books.advance(13);
  books.close(only(late));
  CHECK_FALSE(books.wants(late, bulk, 14));
  books.advance(20); // what it is owed of 14 to 20 nobody knows
  CHECK(books.start() == 20);
  tell({key(13, 3)}, std::nullopt, 13, late_host);
  const auto made = write(); // what its hosts still tell
  REQUIRE(marks_of(late, made).size() == 1);
  CHECK(marks_of(late, made)[0].seq == 13);
  SECTION("it stays after all") {
    books.reopen(only(late));
    CHECK(books.start() == 13);
    CHECK(books.wants(late, bulk, 14));
    CHECK_FALSE(books.wants(shard, bulk, 20));
  }
}

TEST_CASE_METHOD(shards_fixture, "a shard that has left is as if it had never been here",
                 "[delivery_books][shards]") {
  const auto before = books.sums();
  books.take_changes();
  gain({late, bulk, 3, {}, {.ended = {.delivered = 5, .dead = 1}}});
  books.load(host_backlog{.host = late_host, .behind_from = 1, .count = 2, .counted_to = 3}, late);
  books.load_exceptions(host_id{4}, late, 7);
  CHECK(offer_late(8, host_id{5}));
  books.advance(10);
  tell({key(8, 3)}, std::nullopt, 8, host_id{5});
  write();
  CHECK(books.sums() != before);
  CHECK(books.hosts_behind() == 1);
  books.take_changes();
  offer_late(11);
  auto gone = books.forget(only(late));
  std::ranges::sort(gone);
  CHECK(gone == std::vector{late_host, host_id{4}});
  CHECK(books.sums() == before);
  CHECK(books.take_changes().empty());
  CHECK(books.hosts_behind() == 0);
  CHECK(books.exceptions(host_id{4}) == 0);
  CHECK_FALSE(books.wants(late, bulk, 11));
  CHECK(books.start() == 10);
  books.advance(99'999);
  CHECK(marks_of(late, write()).empty());
  SECTION("and comes again as it is stored") {
    gain({late, bulk, 3, {key(8, 3)}, {.ended = {.delivered = 6, .dead = 1}}});
    CHECK(books.wants(late, bulk, 8));
    CHECK_FALSE(offer_late(8, host_id{5}));
    CHECK(books.sums().delivered == 6);
  }
}
