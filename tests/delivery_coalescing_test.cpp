#include "protocol/delivery_queue.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace trunkline;

namespace {

constexpr auto bulk = delivery_class::bulk;
constexpr auto direct = delivery_class::direct;

/// A unit about a post of its author, who has the endpoint's lane.
delivery_unit unit(log_seq seq, log_kind kind, std::int64_t post, int endpoint = 1,
                   int author = 1) {
  return {.seq = seq,
          .author = account_id{author},
          .kind = kind,
          .object = {object_kind::post, 0, post},
          .at = time_point{std::chrono::seconds{seq}},
          .to = std::make_shared<const delivery_endpoint>(
              delivery_endpoint{.id = endpoint_id{endpoint}})};
}

using units = std::vector<delivery_unit>;
constexpr auto removal = log_kind::remove; // `remove` is of the C library, too
using enum log_kind;

delivery_queue begun(delivery_queue_limits limits = {}) {
  auto queue = delivery_queue{limits};
  queue.begin(direct, {});
  queue.begin(bulk, {});
  return queue;
}

std::vector<log_seq> seqs(const units& list) {
  auto found = std::vector<log_seq>{};
  for (const auto& each : list)
    found.push_back(each.seq);
  std::ranges::sort(found);
  return found;
}

std::vector<log_seq> take_all(delivery_queue& queue) {
  auto taken = std::vector<log_seq>{};
  while (auto next = queue.take_next()) {
    taken.push_back(next->unit.seq);
    queue.settle(next->unit);
  }
  return taken;
}

void refill(delivery_queue& queue, const units& log, std::size_t most = 512) {
  const auto wish = queue.wish(bulk);
  if (!wish)
    return;
  auto found = units{};
  auto read_upto = wish->upto;
  for (const auto& each : log)
    if (each.cls == bulk && each.seq >= wish->from && each.seq <= wish->upto) {
      if (found.size() == most) {
        read_upto = found.back().seq;
        break;
      }
      found.push_back(each);
    }
  queue.refilled(*wish, found, read_upto);
}

} // namespace

TEST_CASE("a Delete replaces what waits of its object, and the last Update wins",
          "[delivery_queue][coalescing]") {
  auto queue = begun();
  queue.offer({},
              units{unit(1, create, 7), unit(2, update, 7), unit(3, create, 8), unit(4, update, 8),
                    unit(5, update, 8), unit(6, removal, 7)},
              true);
  CHECK(seqs(queue.take_coalesced()) == std::vector<log_seq>{1, 2, 4});
  CHECK(queue.take_coalesced().empty()); // once
  CHECK(queue.waiting() == 3);
  CHECK(queue.position(bulk).open == 3);
  CHECK(queue.position(bulk).first_open == std::optional<log_seq>{3});
  CHECK(take_all(queue) == std::vector<log_seq>{3, 5, 6});
}

TEST_CASE("an object of another inbox, and kinds that pair, are left alone",
          "[delivery_queue][coalescing]") {
  auto queue = begun();
  auto follow = unit(5, log_kind::follow, 9);
  auto undo = unit(6, undo_follow, 9);
  queue.offer({},
              units{unit(1, create, 7, 1), unit(2, removal, 7, 2), unit(3, like, 8),
                    unit(4, undo_like, 8), follow, undo, unit(7, announce, 7), unit(8, create, 6),
                    unit(9, removal, 5)},
              true);
  CHECK(queue.take_coalesced().empty());
  CHECK(queue.waiting() == 9);
}

TEST_CASE("what is in flight is not touched, and replaced when it comes back",
          "[delivery_queue][coalescing]") {
  auto queue = begun();
  queue.offer({}, units{unit(1, create, 7)}, true);
  auto first = queue.take_next();
  REQUIRE(first);
  queue.offer({0, 1}, units{unit(2, removal, 7)}, true);
  CHECK(queue.take_coalesced().empty());
  SECTION("it was delivered") {
    queue.settle(first->unit);
    CHECK(take_all(queue) == std::vector<log_seq>{2});
    CHECK(queue.take_coalesced().empty());
  }
  SECTION("it failed") {
    first->failed_sent = 3;
    queue.put_back(std::move(*first));
    CHECK(seqs(queue.take_coalesced()) == std::vector<log_seq>{1});
    CHECK(take_all(queue) == std::vector<log_seq>{2});
    CHECK(queue.is_empty());
  }
}

TEST_CASE("a unit that failed once may be replaced", "[delivery_queue][coalescing]") {
  auto queue = begun();
  queue.offer({}, units{unit(1, create, 7)}, true);
  auto first = queue.take_next();
  first->failed_sent = 3;
  queue.put_back(std::move(*first));
  queue.offer({0, 1}, units{unit(2, removal, 7)}, true);
  CHECK(seqs(queue.take_coalesced()) == std::vector<log_seq>{1});
  CHECK(queue.take_failed_before(9).empty());
  CHECK(take_all(queue) == std::vector<log_seq>{2});
}

TEST_CASE("a Delete that is only counted replaces what waits too", "[delivery_queue][coalescing]") {
  auto queue = begun();
  queue.offer({}, units{unit(1, create, 7), unit(2, create, 8)}, true);
  queue.offer({0, 2}, units{unit(3, removal, 7)}, false);
  CHECK(seqs(queue.take_coalesced()) == std::vector<log_seq>{1});
  CHECK(queue.position(bulk).open == 2);
  CHECK(queue.is_behind());
}

TEST_CASE("a refill is coalesced whole, so that chains longer than a lane shrink",
          "[delivery_queue][coalescing]") {
  auto queue = begun({.lane_max = 2});
  auto log = units{};
  for (auto post = 1; post <= 100; ++post)
    log.push_back(unit(post, create, post));
  for (auto post = 1; post <= 100; ++post)
    log.push_back(unit(100 + post, update, post));
  for (auto post = 1; post <= 99; ++post)
    log.push_back(unit(200 + post, removal, post));
  queue.offer({}, log, false);
  refill(queue, log);
  CHECK(queue.take_coalesced().size() == 99 * 2);
  CHECK(queue.waiting() == 2);
  CHECK(queue.position(bulk).open == 1 + 1 + 99);
  auto order = take_all(queue);
  while (queue.is_behind()) {
    refill(queue, log);
    std::ranges::move(take_all(queue), std::back_inserter(order));
  }
  REQUIRE(order.size() == 101);
  CHECK(order[0] == 100);
  CHECK(order[1] == 200);
  CHECK(std::ranges::is_sorted(order));
  CHECK(queue.take_coalesced().empty());
}

TEST_CASE("a Delete that replaced a unit of an earlier life waits, and its lane with it",
          "[delivery_queue][coalescing]") {
  auto queue = delivery_queue{};
  queue.begin(direct, {});
  queue.begin(bulk, {.first_open = 1, .offered_upto = 3, .open = 3});
  auto offered = log_seq{5};
  SECTION("read with it") {
    offered = 3;
    refill(queue, units{unit(1, create, 7), unit(2, create, 8, 1, 2), unit(3, removal, 7)});
  }
  SECTION("offered since") {
    refill(queue, units{unit(1, create, 7), unit(2, create, 8, 1, 2)});
    queue.offer({0, 3}, units{unit(4, update, 7), unit(5, removal, 7)}, true);
  }
  SECTION("offered since, and read later") {
    refill(queue, units{unit(1, create, 7), unit(2, create, 8, 1, 2)});
    const auto newer = unit(5, removal, 7);
    queue.offer({0, 3}, units{newer}, false);
    refill(queue, units{newer});
  }
  queue.offer({0, offered}, units{unit(6, create, 9)}, true);
  CHECK(queue.take_coalesced().front().seq == 1);
  CHECK(queue.can_take(false));
  CHECK(queue.take_next(false)->unit.seq == 2); // another lane
  CHECK_FALSE(queue.can_take(false));
  CHECK_FALSE(queue.take_next(false));
  CHECK(queue.can_take(true));
  const auto order = take_all(queue);
  REQUIRE(order.size() == 2);
  CHECK(order[1] == 6);
}

TEST_CASE("a Delete that replaced what came since waits for nothing",
          "[delivery_queue][coalescing]") {
  auto queue = delivery_queue{};
  queue.begin(direct, {});
  queue.begin(bulk, {.first_open = 2, .offered_upto = 2, .open = 1});
  refill(queue, units{unit(2, create, 6, 2)});
  queue.offer({0, 2}, units{unit(4, create, 7), unit(5, removal, 7), unit(6, removal, 8)}, true);
  CHECK(queue.take_next(false)->unit.seq == 2); // old, but replaced nothing
  CHECK(queue.take_next(false)->unit.seq == 5);
}

TEST_CASE("an Update or Delete of an earlier life waits, whatever is known of what it replaced",
          "[delivery_queue][coalescing]") {
  for (const auto kind : {removal, update, update_actor}) {
    CAPTURE(static_cast<int>(kind));
    auto queue = delivery_queue{};
    queue.begin(direct, {});
    queue.begin(bulk, {.first_open = 2, .offered_upto = 4, .open = 3});
    refill(queue, units{unit(2, kind, 6), unit(3, create, 7, 1, 2), unit(4, create, 8)});
    CHECK(queue.take_next(false)->unit.seq == 3);
    CHECK_FALSE(queue.can_take(false));
    CHECK(queue.take_next(true)->unit.seq == 2);
  }
}

TEST_CASE("the Delete of an account cancels what waits of it", "[delivery_queue][coalescing]") {
  auto queue = begun();
  auto follow = unit(2, log_kind::follow, 3);
  follow.cls = direct;
  queue.offer(
      {}, units{unit(1, create, 7), follow, unit(3, create, 8, 2), unit(4, create, 9, 1, 2)}, true);
  auto gone = unit(5, remove_actor, 1);
  gone.cls = direct;
  queue.offer({2, 4}, units{gone}, true);
  CHECK(seqs(queue.take_cancelled()) == std::vector<log_seq>{1, 2});
  CHECK(queue.waiting() == 3); // another inbox is told by a unit of its own
  CHECK(queue.position(direct).first_open == std::optional<log_seq>{5});

  const auto log = units{unit(6, create, 10, 1, 2), unit(7, create, 11, 1, 1)};
  SECTION("what is read from the log later as well") {
    auto again = begun();
    again.offer({}, units{unit(1, create, 7)}, false);
    again.offer({0, 1}, units{gone}, true);
    refill(again, units{unit(1, create, 7)});
    CHECK(seqs(again.take_cancelled()) == std::vector<log_seq>{1});
    CHECK(take_all(again) == std::vector<log_seq>{5});
    CHECK(again.is_empty());
  }
  SECTION("and what comes back from its way") {
    auto again = begun();
    again.offer({}, units{unit(1, create, 7)}, true);
    auto out = again.take_next();
    again.offer({0, 1}, units{gone}, true);
    again.put_back(std::move(*out));
    CHECK(seqs(again.take_cancelled()) == std::vector<log_seq>{1});
    CHECK(take_all(again) == std::vector<log_seq>{5});
  }
}

TEST_CASE("what an operator reopens is read from the log again", "[delivery_queue]") {
  auto queue = begun();
  const auto log = units{unit(1, create, 1), unit(2, create, 2), unit(3, create, 3, 2),
                         unit(4, create, 4, 2), unit(5, create, 5, 3)};
  queue.offer({}, log, true);
  auto out = queue.take_next();
  REQUIRE(out->unit.seq == 1);
  auto other = queue.take_next();
  REQUIRE(other->unit.seq == 3);
  queue.settle(other->unit);
  queue.settle(queue.take_next()->unit); // 5
  REQUIRE(queue.waiting() == 2);
  const auto stale = [&] {
    queue.offer({0, 5}, units{unit(6, create, 6)}, false);
    return queue.wish(bulk);
  }();
  REQUIRE(stale);

  queue.reopen(bulk, 2, 2, time_point{std::chrono::seconds{2}});
  CHECK(queue.position(bulk).open == 6);
  CHECK(queue.position(bulk).first_open == std::optional<log_seq>{1}); // is out
  queue.refilled(*stale, units{unit(6, create, 6)}, 6);
  CHECK(queue.waiting() == 0); // read before it was reopened
  auto all = log;
  all.push_back(unit(6, create, 6));
  refill(queue, all);
  CHECK(queue.waiting() == 5); // but for 1
  queue.settle(out->unit);
  auto order = take_all(queue);
  std::ranges::sort(order);
  CHECK(order == std::vector<log_seq>{2, 3, 4, 5, 6});
  CHECK(queue.is_empty());
  CHECK(queue.position(bulk).open == 0);
}

TEST_CASE("rows that were gone are told", "[delivery_queue]") {
  auto queue = begun();
  queue.offer({}, units{unit(1, create, 1)}, false);
  const auto wish = queue.wish(bulk);
  queue.refilled(*wish, {}, 1, 4);
  CHECK(queue.is_empty());
  CHECK(queue.position(bulk).gone_upto == 4);
}

namespace {

/// A host that fails, a log, and what became of each unit.
class chains {
public:
  explicit chains(std::uint64_t seed) : random_{seed} {
    queue_ = begun({.references_max = 4 + below(8), .lane_max = 1 + below(3), .refill_at = 3});
  }

  void run() {
    for (auto step = 0; step < 400; ++step)
      operate();
    for (auto rounds = 0; rounds < 2'000 && !queue_.is_empty(); ++rounds) {
      refill(queue_, log_, 1 + below(9));
      note();
      while (auto next = queue_.take_next())
        deliver(std::move(*next));
      while (!out_.empty())
        end_one(true);
    }
    CHECK(queue_.is_empty());
    CHECK(done_.size() == log_.size());
    CHECK(queue_.position(bulk).open == 0);
  }

private:
  std::size_t below(std::size_t end) { return random_() % end; }

  void operate() {
    switch (below(5)) {
    case 0:
    case 1:
      add();
      break;
    case 2:
      if (auto next = queue_.can_take() ? queue_.take_next() : std::nullopt)
        deliver(std::move(*next));
      break;
    case 3:
      if (!out_.empty())
        end_one(below(3) > 0);
      break;
    default:
      refill(queue_, log_, 1 + below(9));
    }
    note();
    const auto first = queue_.position(bulk).first_open;
    for (const auto& each : log_)
      if (!first || each.seq < *first)
        CHECK(done_.contains(each.seq)); // nothing open is forgotten
  }

  void add() {
    const auto seq = static_cast<log_seq>(log_.size()) + 1;
    const auto post = static_cast<std::int64_t>(below(12));
    auto& kind = last_.try_emplace(post, removal).first->second;
    kind = kind == removal ? create : below(3) == 0 ? removal : update;
    log_.push_back(
        unit(seq, kind, kind == create ? post + 100 * seq : 0, 1, static_cast<int>(post % 3 + 1)));
    if (kind == create)
      objects_[post] = log_.back().object;
    log_.back().object = objects_[post];
    queue_.offer({0, seq - 1}, units{log_.back()}, below(4) > 0);
  }

  void deliver(queued_unit next) {
    CHECK_FALSE(done_.contains(next.unit.seq));
    const auto about = next.unit.object;
    CHECK(sent_[about] <= next.unit.seq);  // order
    CHECK_FALSE(deleted_.contains(about)); // nothing follows a Delete
    sent_[about] = next.unit.seq;
    out_.push_back(std::move(next));
  }

  void end_one(bool well) {
    auto item = std::move(out_.front());
    out_.erase(out_.begin());
    if (!well)
      return queue_.put_back(std::move(item));
    if (item.unit.kind == removal)
      deleted_.insert(item.unit.object);
    CHECK(done_.insert(item.unit.seq).second);
    queue_.settle(item.unit);
  }

  void note() {
    for (const auto& each : queue_.take_coalesced()) {
      CHECK(each.kind != removal);
      CHECK(done_.insert(each.seq).second);
      const auto newer = std::ranges::any_of(
          log_, [&](const delivery_unit& other) { return is_superseded(each, other); });
      CHECK(newer);
    }
  }

  std::mt19937_64 random_;
  delivery_queue queue_;
  units log_;
  std::map<std::int64_t, log_kind> last_;
  std::map<std::int64_t, object_key> objects_;
  std::set<log_seq> done_;
  std::map<object_key, log_seq> sent_;
  std::set<object_key> deleted_;
  std::vector<queued_unit> out_;
};

} // namespace

TEST_CASE("every unit of random chains is sent in order or replaced, once",
          "[delivery_queue][coalescing]") {
  for (auto seed = std::uint64_t{1}; seed <= 60; ++seed) {
    CAPTURE(seed);
    chains{seed}.run();
  }
}
