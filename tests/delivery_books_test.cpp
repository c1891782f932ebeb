#include "tests/kit/books_fixture.hpp"

#include <algorithm>

using namespace trunkline;
using namespace trunkline::kit::books_scene;
using namespace std::chrono_literals;

TEST_CASE_METHOD(books_fixture, "a mark passes what is settled and stops at what is open",
                 "[delivery_books]") {
  CHECK(offer(1));
  CHECK(offer(2));
  CHECK(offer(3));
  tell({key(1), key(3)}, 2, 3);
  const auto made = write();
  REQUIRE(made.marks.size() == 1);
  CHECK(is_mark(made.marks[0], 1, {key(3)}));
  CHECK(made.backlogs.empty());
  CHECK(write().is_empty()); // nothing has changed

  tell({key(2)}, std::nullopt, 3);
  const auto next = write();
  REQUIRE(next.marks.size() == 1);
  CHECK(is_mark(next.marks[0], 3, {}));
  CHECK_FALSE(books.knows(host));
}

TEST_CASE_METHOD(books_fixture, "a mark never passes a unit that is on its way",
                 "[delivery_books]") {
  offer(1);
  offer(2);
  tell({key(1)}, std::nullopt, 1); // 2 was not received yet
  CHECK(books.is_open(host));
  const auto made = write();
  REQUIRE(made.marks.size() == 1);
  CHECK(made.marks[0].seq == 1);
  CHECK(cursor().first_open == std::optional<log_seq>{2});
}

TEST_CASE_METHOD(books_fixture, "a mark passes a host that lags in the transaction of its row",
                 "[delivery_books]") {
  offer(1);
  offer(2, other);
  offer(3);
  tell({key(3)}, 1, 3);
  tell({key(2)}, std::nullopt, 2, other);
  now += 1s;
  const auto early = write();
  REQUIRE(early.marks.size() == 1);
  CHECK(early.marks[0].seq == 0); // 1 is open, and not yet late
  CHECK(early.backlogs.empty());

  now += 1ms;
  const auto made = write();
  REQUIRE(made.backlogs.size() == 1);
  CHECK(made.backlogs[0].host == host);
  CHECK(made.backlogs[0].behind_from == 0);
  CHECK(made.backlogs[0].acked == std::vector{key(3)});
  REQUIRE(made.marks.size() == 1);
  CHECK(is_mark(made.marks[0], 3, {}));
  CHECK(books.has_backlog(host));
  now += 1min;
  CHECK(write().is_empty()); // a host that lags costs nothing while nothing changes
}

TEST_CASE_METHOD(books_fixture, "the row goes when nothing open lies at or before the mark",
                 "[delivery_books]") {
  offer(1);
  now += 2s;
  tell({}, 1, 1);
  write();
  REQUIRE(books.has_backlog(host));
  offer(5);
  offer(6);
  tell({key(1), key(6)}, 5, 6);
  books.take(host, {.cls = bulk, .received_upto = 6, .first_open = 5, .open = 1, .oldest_at = now},
             now);
  const auto made = write();
  CHECK(made.backlogs.empty());
  REQUIRE(made.caught_up.size() == 1);
  CHECK(made.caught_up[0] == std::pair{host, bulk});
  REQUIRE(made.marks.size() == 1);
  CHECK(is_mark(made.marks[0], 4, {key(6)})); // what it settled after the mark
  CHECK_FALSE(books.has_backlog(host));
}

TEST_CASE_METHOD(books_fixture, "what was read again after a crash is offered once",
                 "[delivery_books]") {
  books.load(shard_mark{shard, bulk, 10, {key(12)}});
  books.load(host_backlog{.host = other, .behind_from = 4, .acked = {key(6), key(13)}, .count = 2},
             shard);
  CHECK(books.start() == 0); // other shards have no mark
  CHECK_FALSE(offer(9));
  CHECK(offer(11));
  CHECK_FALSE(offer(12));
  CHECK_FALSE(offer(6, other));
  CHECK_FALSE(offer(13, other));
  CHECK(offer(14, other));
  CHECK(cursor().first_open == std::optional<log_seq>{11});
  CHECK(cursor().settled == std::vector{key(12)});
  CHECK(cursor(other).first_open == std::optional<log_seq>{5});
  CHECK(cursor(other).settled == std::vector{key(6), key(13)});
  CHECK(cursor(other).offered_upto == 14);
  CHECK(cursor(host_id{99}).offered_upto == 14);
}

TEST_CASE_METHOD(books_fixture, "what a row covered is listed when the row goes",
                 "[delivery_books]") {
  books.load(shard_mark{shard, bulk, 10, {}});
  books.load(host_backlog{.host = host, .behind_from = 12, .acked = {key(14)}, .count = 1}, shard);
  CHECK(offer(11, other, 2)); // and holds the mark back
  CHECK_FALSE(offer(11));
  CHECK_FALSE(offer(12));
  CHECK(offer(13));
  CHECK_FALSE(offer(14));
  tell({key(13)}, std::nullopt, 14);
  const auto made = write();
  REQUIRE(made.caught_up.size() == 1);
  REQUIRE(made.marks.size() == 1);
  CHECK(is_mark(made.marks[0], 10, {key(11), key(12), key(13), key(14)}));
}

TEST_CASE_METHOD(books_fixture, "what was cancelled before a crash is told to its host after it",
                 "[delivery_books]") {
  books.load(shard_mark{shard, bulk, 10, {key(12)}});
  CHECK(offer(11));
  const auto late = delivery_unit{
      .seq = 12,
      .author = account_id{1},
      .cls = bulk,
      .at = now,
      .to = std::make_shared<const delivery_endpoint>(delivery_endpoint{.id = endpoint_id{1}})};
  const auto sums = books.sums();
  CHECK(books.cancel(host, shard, late)); // as before the crash
  CHECK(books.sums() == sums);
  CHECK(cursor().settled == std::vector{key(12)}); // the host reads its row, and does not send it
}

TEST_CASE_METHOD(books_fixture, "what is settled after the last offer is told with the next",
                 "[delivery_books]") {
  books.load(shard_mark{shard, bulk, 10, {key(12), key(13), key(14, 2)}});
  CHECK(offer(11));
  CHECK_FALSE(offer(12));
  CHECK_FALSE(offer(13));
  const auto previous = books.offered_upto(host);
  CHECK(previous[index_of(bulk)] == 11);
  CHECK(offer(14));
  CHECK_FALSE(offer(14, host, 2));
  CHECK(books.settled_after(host, previous).bulk == std::vector{key(12), key(13), key(14, 2)});
  CHECK(books.settled_after(host, previous).direct.empty());
  CHECK(books.settled_after(other, previous).bulk.empty());
}

TEST_CASE("units that are listed stay listed until the mark has passed them", "[delivery_books]") {
  auto here = books_fixture{};
  here.books.load(shard_mark{shard, bulk, 10, {key(12), key(30, 9)}});
  here.offer(11);
  here.tell({key(11)}, std::nullopt, 11);
  const auto made = here.write();
  REQUIRE(made.marks.size() == 1);
  CHECK(is_mark(made.marks[0], 11, {key(12), key(30, 9)})); // 30 is not read yet
}

TEST_CASE_METHOD(books_fixture, "nothing opens again", "[delivery_books]") {
  offer(1);
  offer(2);
  tell({key(1)}, 2, 2);
  write();
  tell({}, 1, 2);
  CHECK(cursor().first_open == std::optional<log_seq>{2});
  tell({key(2)}, std::nullopt, 2);
  offer(8);
  tell({}, 3, 8);
  CHECK(cursor().first_open == std::optional<log_seq>{8});
}

TEST_CASE_METHOD(books_fixture, "a failed checkpoint is written again, with what changed since",
                 "[delivery_books]") {
  offer(1);
  now += 2s;
  tell({}, 1, 1);
  books.take({.host = host,
              .unit = key(1),
              .row = delivery_exception{.unit = key(1)},
              .outcome = {},
              .is_again = false},
             shard);
  books.take(host_facts{.id = host, .fail_streak = 1});
  auto lost = books.collect(now);
  CHECK(lost.backlogs.size() == 1);
  CHECK(books.has_unwritten(host));
  books.take(host_facts{.id = host, .fail_streak = 2}); // while it was written
  books.failed(lost);
  CHECK(books.has_unwritten(host));
  const auto again = write();
  CHECK(again.backlogs.size() == 1);
  CHECK(again.exceptions.size() == 1);
  REQUIRE(again.facts.size() == 1);
  CHECK(again.facts[0].fail_streak == 2);
  CHECK_FALSE(books.has_unwritten(host));
  CHECK(write().is_empty());
}

TEST_CASE_METHOD(books_fixture, "what changes while a checkpoint is written is not cleared with it",
                 "[delivery_books]") {
  offer(1);
  offer(2);
  tell({key(1)}, 2, 2);
  const auto first = books.collect(now);
  tell({key(2)}, std::nullopt, 2);
  books.take(host_facts{.id = host, .fail_streak = 7});
  books.committed(first);
  const auto next = write();
  REQUIRE(next.marks.size() == 1);
  CHECK(next.marks[0].seq == 2);
  CHECK(next.facts.size() == 1);
}

TEST_CASE("a mark lists only so many units; past it who is open gets a row", "[delivery_books]") {
  auto here = books_fixture{{.acked_max = 3}};
  here.offer(1);
  auto settled = std::vector<unit_key>{};
  for (auto seq = log_seq{2}; seq <= 5; ++seq) {
    here.offer(seq, other);
    settled.push_back(key(seq));
  }
  here.tell(settled, std::nullopt, 5, other);
  const auto made = here.write();
  REQUIRE(made.backlogs.size() == 1);
  CHECK(made.backlogs[0].host == host);
  REQUIRE(made.marks.size() == 1);
  CHECK(is_mark(made.marks[0], 5, {}));
}

TEST_CASE("P3: the books of a shard cost one row, however many hosts and posts",
          "[delivery_books]") {
  auto here = books_fixture{};
  for (auto number = 1; number <= 500; ++number)
    for (auto seq = log_seq{1}; seq <= 3; ++seq)
      here.books.offer(host_id{number}, shard,
                       {.seq = seq,
                        .at = start,
                        .to = std::make_shared<const delivery_endpoint>(
                            delivery_endpoint{.id = endpoint_id{number}})});
  here.books.advance(3);
  for (auto number = 1; number <= 500; ++number)
    here.tell({key(1, number), key(2, number), key(3, number)}, std::nullopt, 3, host_id{number});
  CHECK(here.write().rows() == 1);
  CHECK(here.books.hosts_open() == 0);
}

TEST_CASE("an idle shard moves its mark only once in a while", "[delivery_books]") {
  auto here = books_fixture{{.idle_rows_max = 100}};
  here.books.advance(99);
  CHECK(here.write().is_empty());
  here.books.advance(100);
  CHECK(here.write().marks.size() == 512);
  CHECK(here.books.start() == 100);
}

TEST_CASE_METHOD(books_fixture, "classes have marks of their own", "[delivery_books]") {
  offer(1, host, 1, direct);
  offer(2);
  tell({key(2)}, std::nullopt, 2);
  const auto made = write();
  REQUIRE(made.marks.size() == 1);
  CHECK(made.marks[0].cls == bulk);
  CHECK(books.cursor(host, shard, direct).first_open == std::optional<log_seq>{1});
  CHECK(books.offered_upto(host) == offered_before{1, 2});
  CHECK(books.offered_upto(other) == offered_before{0, 0});
}

TEST_CASE("P3: a second costs what has changed in it", "[delivery_books]") {
  auto here = books_fixture{};
  for (auto number = 1; number <= 300; ++number)
    here.offer(1, host_id{number}, number);
  here.now += 2s;
  CHECK(here.write().backlogs.size() == 300);
  CHECK(here.write().is_empty());
  for (auto number = 1; number <= 300; ++number)
    here.offer(2, host_id{number}, number); // counted where they wait
  here.now += 2s;
  CHECK(here.write().is_empty());
  here.tell({key(1, 5)}, 2, 2, host_id{5});
  const auto made = here.write();
  CHECK(made.backlogs.size() == 1 + 299 - 256); // the mark's row counts the others
  CHECK(made.marks.size() == 1);
  CHECK(made.marks[0].sums.waiting.size() == 256);
}
