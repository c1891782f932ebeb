#include "protocol/delivery_queue.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace trunkline;

namespace {

constexpr auto bulk = delivery_class::bulk;
constexpr auto direct = delivery_class::direct;

delivery_unit unit(log_seq seq, int endpoint = 1, int author = 1, delivery_class cls = bulk) {
  return {.seq = seq,
          .author = account_id{author},
          .cls = cls,
          .object = {object_kind::post, 0, seq},
          .at = time_point{std::chrono::seconds{seq}},
          .to = std::make_shared<const delivery_endpoint>(
              delivery_endpoint{.id = endpoint_id{endpoint}})};
}

using units = std::vector<delivery_unit>;

/// A queue that has begun at the end of an empty log.
delivery_queue begun(delivery_queue_limits limits = {}) {
  auto queue = delivery_queue{limits};
  queue.begin(direct, {});
  queue.begin(bulk, {});
  return queue;
}

log_seq taken(delivery_queue& queue) {
  const auto next = queue.take_next();
  return next ? next->unit.seq : 0;
}

std::vector<log_seq> take_all(delivery_queue& queue) {
  auto seqs = std::vector<log_seq>{};
  while (auto next = queue.take_next()) {
    seqs.push_back(next->unit.seq);
    queue.settle(next->unit);
  }
  return seqs;
}

/// Answers what the queue wishes from `log`, and returns how many wishes that took.
int refill(delivery_queue& queue, const units& log, delivery_class cls = bulk,
           std::size_t most = 512) {
  const auto wish = queue.wish(cls);
  if (!wish)
    return 0;
  auto found = units{};
  auto read_upto = wish->upto;
  for (const auto& each : log)
    if (each.cls == cls && each.seq >= wish->from && each.seq <= wish->upto) {
      if (found.size() == most) {
        read_upto = found.back().seq;
        break;
      }
      found.push_back(each);
    }
  queue.refilled(*wish, found, read_upto);
  return 1;
}

} // namespace

TEST_CASE("one unit of a lane is out at a time, over both classes", "[delivery_queue]") {
  auto queue = begun();
  queue.offer({}, units{unit(1), unit(2), unit(3, 2), unit(4, 1, 2), unit(5, 1, 1, direct)}, true);
  CHECK(taken(queue) == 5); // direct goes first
  CHECK(taken(queue) == 3);
  CHECK(taken(queue) == 4);
  CHECK(taken(queue) == 0); // 1 and 2 are of the lane of 5
  CHECK_FALSE(queue.can_take());
  queue.settle(unit(5, 1, 1, direct));
  CHECK(queue.can_take());
  CHECK(taken(queue) == 1);
  CHECK(taken(queue) == 0);
  queue.settle(unit(1));
  CHECK(taken(queue) == 2);
}

TEST_CASE("a bulk unit goes after eight direct ones", "[delivery_queue]") {
  auto queue = begun();
  auto offered = units{};
  for (auto seq = 1; seq <= 20; ++seq)
    offered.push_back(unit(seq, seq, 1, direct));
  for (auto seq = 21; seq <= 22; ++seq)
    offered.push_back(unit(seq, seq));
  queue.offer({}, offered, true);
  const auto order = take_all(queue);
  CHECK(order[8] == 21);
  CHECK(order[17] == 22);
}

TEST_CASE("a unit that comes back is the first of its lane again", "[delivery_queue]") {
  auto queue = begun();
  queue.offer({}, units{unit(1), unit(2), unit(3, 2)}, true);
  auto first = queue.take_next();
  REQUIRE(first);
  queue.put_back(std::move(*first));
  CHECK(taken(queue) == 3); // other lanes go first
  CHECK(taken(queue) == 1);
  CHECK(queue.position(bulk).open == 3);
}

TEST_CASE("what does not fit is counted and read from the log", "[delivery_queue]") {
  auto queue = begun({.references_max = 4, .lane_max = 2, .refill_at = 2});
  const auto log = units{unit(1), unit(2), unit(3), unit(4, 2), unit(5, 3), unit(6), unit(7, 2)};
  queue.offer({}, log, true);
  CHECK(queue.waiting() == 2); // 3 is the third of its lane; what follows stays in the log
  CHECK(queue.is_behind());
  CHECK(queue.position(bulk).open == 7);
  CHECK(queue.position(bulk).received_upto == 7);
  auto order = std::vector<log_seq>{};
  for (auto rounds = 0; rounds < 20 && !queue.is_empty(); ++rounds) {
    refill(queue, log);
    std::ranges::move(take_all(queue), std::back_inserter(order));
  }
  std::ranges::sort(order);
  CHECK(order == std::vector<log_seq>{1, 2, 3, 4, 5, 6, 7});
  CHECK_FALSE(queue.is_behind());
  CHECK(queue.position(bulk).open == 0);
  CHECK_FALSE(queue.position(bulk).first_open);
}

TEST_CASE("lanes keep their order through refills of any size", "[delivery_queue]") {
  auto log = units{};
  for (auto seq = 1; seq <= 60; ++seq)
    log.push_back(unit(seq, 1 + seq % 3, 1 + seq % 2));
  for (const auto size : {1, 2, 7, 512}) {
    CAPTURE(size);
    auto queue = begun({.references_max = 5, .lane_max = 2, .refill_at = 2});
    queue.offer({}, log, true);
    auto last = std::map<std::pair<endpoint_id, account_id>, log_seq>{};
    auto count = 0;
    for (auto rounds = 0; rounds < 500 && !queue.is_empty(); ++rounds) {
      refill(queue, log, bulk, static_cast<std::size_t>(size));
      if (auto next = queue.take_next()) {
        auto& before = last[{next->unit.to->id, next->unit.author}];
        CHECK(before < next->unit.seq);
        before = next->unit.seq;
        ++count;
        queue.settle(next->unit);
      }
    }
    CHECK(count == 60);
  }
}

TEST_CASE("rows that are counted while the log is read are read next", "[delivery_queue]") {
  auto queue = begun({.references_max = 8, .lane_max = 2, .refill_at = 8});
  auto log = units{unit(1), unit(2), unit(3)};
  queue.offer({}, log, true);
  const auto wish = queue.wish(bulk);
  REQUIRE(wish);
  CHECK(wish->from == 3);
  CHECK_FALSE(queue.wish(bulk)); // one at a time
  queue.offer({0, 3}, units{unit(4, 2)}, true);
  queue.refilled(*wish, {}, 3); // purged by now
  CHECK(queue.is_behind());
  log.push_back(unit(4, 2));
  CHECK(refill(queue, log) == 1);
  CHECK_FALSE(queue.is_behind());
  CHECK(queue.waiting() == 3);
}

TEST_CASE("a refill that finds no room waits until something has left", "[delivery_queue]") {
  auto queue = begun({.references_max = 8, .lane_max = 1, .refill_at = 8});
  const auto log = units{unit(1), unit(2)};
  queue.offer({}, log, true);
  CHECK(refill(queue, log) == 1);
  CHECK(refill(queue, log) == 0);
  CHECK(taken(queue) == 1);
  CHECK(refill(queue, log) == 1);
  CHECK_FALSE(queue.is_behind());
}

TEST_CASE("a withheld host only counts", "[delivery_queue]") {
  auto queue = begun();
  queue.offer({}, units{unit(1), unit(2)}, false);
  CHECK(queue.waiting() == 0);
  CHECK(queue.position(bulk).open == 2);
  CHECK(queue.position(bulk).first_open == std::optional<log_seq>{1});
}

TEST_CASE("what is settled behind an open unit has a limit", "[delivery_queue]") {
  auto queue = begun({.acked_max = 3});
  queue.offer({}, units{unit(1)}, true);
  auto stuck = queue.take_next();
  for (auto seq = log_seq{2}; seq <= 6; ++seq) {
    queue.offer({0, seq - 1}, units{unit(seq, 2)}, true);
    if (auto next = queue.take_next())
      queue.settle(next->unit);
  }
  CHECK(queue.is_behind()); // 5 and 6 are left to the log
  CHECK_FALSE(queue.wish(bulk));
  queue.settle(stuck->unit);
  CHECK(refill(queue, units{unit(5, 2), unit(6, 2)}) == 1);
  CHECK(take_all(queue) == std::vector<log_seq>{5, 6});
}

TEST_CASE("a full list of what is settled does not keep the first open unit in the log",
          "[delivery_queue]") {
  auto settled = std::vector<unit_key>{};
  for (auto seq = log_seq{2}; seq <= 5; ++seq)
    settled.push_back({seq, endpoint_id{1}});
  auto queue = delivery_queue{{.acked_max = 3}};
  queue.begin(direct, {});
  queue.begin(bulk, {.first_open = 1, .settled = settled, .offered_upto = 7, .open = 3});
  const auto log = units{unit(1), unit(2), unit(3), unit(4), unit(5), unit(6), unit(7)};
  CHECK(refill(queue, log) == 1);
  CHECK(queue.waiting() == 1); // no more than it takes
  auto first = queue.take_next();
  REQUIRE(first);
  CHECK(first->unit.seq == 1);
  CHECK_FALSE(queue.wish(bulk));
  queue.settle(first->unit);
  CHECK(refill(queue, log) == 1);
  CHECK(take_all(queue) == std::vector<log_seq>{6, 7});
  CHECK(queue.is_empty());
}

TEST_CASE("units that failed before a success leave their lanes", "[delivery_queue]") {
  auto queue = begun();
  queue.offer({}, units{unit(1), unit(2, 2), unit(3)}, true);
  auto first = queue.take_next();
  first->failed_sent = 5;
  first->own_failures = 3;
  queue.put_back(std::move(*first));
  CHECK(queue.take_failed_before(5).empty());
  CHECK(queue.take_often_failed(4).empty());
  const auto passed = queue.take_failed_before(6);
  REQUIRE(passed.size() == 1);
  CHECK(passed[0].unit.seq == 1);
  queue.settle(passed[0].unit);
  CHECK(queue.position(bulk).first_open == std::optional<log_seq>{2});
  CHECK(queue.position(bulk).open == 2);
}

TEST_CASE("units that came before the books spoke are kept when they are all", "[delivery_queue]") {
  auto queue = delivery_queue{};
  queue.offer({0, 4}, units{unit(5), unit(6, 2)}, true);
  SECTION("nothing else is open") {
    queue.begin(bulk, {.first_open = 5, .offered_upto = 6, .open = 2});
    CHECK(queue.waiting() == 2);
    CHECK_FALSE(queue.is_behind());
  }
  SECTION("others are on their way") {
    queue.begin(bulk, {.first_open = 5, .offered_upto = 8, .open = 3});
    CHECK(queue.waiting() == 2);
    queue.offer({0, 6}, units{unit(8)}, true); // is not taken for one that is known
    CHECK(queue.waiting() == 3);
  }
  SECTION("something older is open") {
    queue.begin(bulk, {.first_open = 3, .settled = {{4, endpoint_id{1}}}, .offered_upto = 6});
    CHECK(queue.waiting() == 0);
    CHECK(refill(queue, units{unit(3), unit(4), unit(5), unit(6, 2)}) == 1);
    CHECK(take_all(queue) == std::vector<log_seq>{3, 6, 5}); // lane by lane, without 4
  }
}

TEST_CASE("what was offered and did not come is asked for", "[delivery_queue]") {
  auto queue = begun();
  queue.offer({0, 0}, units{unit(1)}, true);
  queue.offer({0, 1}, units{unit(2, 2)}, true);
  CHECK_FALSE(queue.needs_cursor());
  queue.offer({0, 5}, units{unit(7, 3)}, true); // 3 to 5 are missing
  CHECK(queue.needs_cursor());
  CHECK_FALSE(queue.wish(bulk)); // where they begin is not known
  SECTION("and read from where it begins") {
    queue.resume(bulk, {.first_open = 4, .settled = {{5, endpoint_id{3}}}, .offered_upto = 7});
    CHECK(refill(queue, units{unit(3), unit(4, 4), unit(5, 3), unit(7, 3)}) == 1);
    CHECK(take_all(queue) == std::vector<log_seq>{1, 2, 4, 7});
  }
  SECTION("or nothing of it is open") {
    queue.resume(bulk, {.offered_upto = 7});
    CHECK_FALSE(queue.is_behind());
    CHECK(take_all(queue) == std::vector<log_seq>{1, 2});
  }
}

TEST_CASE("a message that says only up to where units were offered shows a gap",
          "[delivery_queue]") {
  auto queue = begun();
  queue.offer({3, 0}, {}, true);
  CHECK(queue.needs_cursor());
  CHECK(queue.is_behind(direct));
  CHECK_FALSE(queue.is_behind(bulk));
}

TEST_CASE("what the books name as settled is not sent when its row is read", "[delivery_queue]") {
  auto queue = begun();
  queue.note_settled(bulk, std::array{unit(8, 2).key()});
  queue.offer({}, units{unit(8, 1)}, false); // only counted: the whole row is read
  CHECK(refill(queue, {unit(8, 1), unit(8, 2)}) == 1);
  CHECK_FALSE(queue.is_open(unit(8, 2)));
  CHECK(take_all(queue) == std::vector<log_seq>{8});
  CHECK(queue.is_empty());
}

TEST_CASE("after a time without offers what waits is read again with what replaced it",
          "[delivery_queue]") {
  auto queue = begun();
  auto made = unit(5);
  auto gone = unit(6);
  gone.kind = log_kind::remove;
  gone.object = made.object;
  queue.offer({}, units{made}, true);
  queue.forget_waiting();
  CHECK(queue.needs_cursor());
  CHECK_FALSE(queue.take_next());
  CHECK_FALSE(queue.wish(bulk));
  queue.offer({0, 6}, {}, false);
  queue.resume(bulk, {.first_open = 5, .settled = {}, .offered_upto = 6, .open = 2});
  CHECK(refill(queue, {made, gone}) == 1);
  CHECK(take_all(queue) == std::vector<log_seq>{6});
  CHECK(queue.take_coalesced().size() == 1);
  CHECK(queue.is_empty());
}

TEST_CASE("what replaced a row of before the start waits for it", "[delivery_queue]") {
  const auto earlier = GENERATE(log_seq{4}, log_seq{5}, log_seq{6});
  auto gone = unit(6);
  gone.kind = log_kind::remove;
  gone.object = unit(5).object;
  auto queue = delivery_queue{};
  SECTION("it came later") {
    queue.begin(direct, {}, earlier);
    queue.begin(bulk, {}, earlier);
    queue.offer({}, units{unit(5), gone}, true);
    CHECK(queue.can_take(false) == (earlier < 5));
  }
  SECTION("it came before the books spoke, with what it replaced") {
    queue.offer({0, 4}, units{unit(5), gone}, true);
    queue.begin(bulk, {.first_open = 5, .offered_upto = 6, .open = 2}, earlier);
    CHECK_FALSE(queue.can_take(false)); // nobody knows by then whether that was sent before
  }
  SECTION("it came before the books spoke, alone") {
    queue.offer({0, 5}, units{gone}, true);
    queue.begin(bulk, {.first_open = 6, .offered_upto = 6, .open = 1}, earlier);
    CHECK(queue.can_take(false) == (earlier < 6));
  }
  CHECK(queue.take_next(true)->unit.seq == 6);
}

TEST_CASE("rows that were offered before are left out", "[delivery_queue]") {
  auto queue = begun();
  queue.offer({}, units{unit(1), unit(2, 2)}, true);
  queue.offer({}, units{unit(1), unit(2, 2)}, true);
  CHECK(queue.waiting() == 2);
  CHECK(queue.position(bulk).open == 2);
}
