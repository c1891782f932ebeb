#include "protocol/exception_queue.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto begin = time_point{1'000s};

delivery_unit unit(log_seq seq, std::int64_t object, int endpoint = 1) {
  return {.seq = seq,
          .author = account_id{1},
          .object = {object_kind::post, 0, object},
          .at = begin,
          .to = std::make_shared<const delivery_endpoint>(
              delivery_endpoint{.id = endpoint_id{endpoint}, .host = host_id{1}, .url = {}})};
}

waiting_exception waiting(const delivery_unit& of, std::chrono::seconds after,
                          std::uint64_t probed = 0) {
  return {.unit = of,
          .row = {.unit = of.key(), .object = of.object, .error = {}, .next_try_at = begin + after},
          .probed = probed};
}

log_seq seq_of(const waiting_exception* found) {
  return found ? found->unit.seq : 0;
}

} // namespace

TEST_CASE("the exception that was due first has its turn", "[exception_queue]") {
  auto queue = exception_queue{};
  CHECK_FALSE(queue.due(begin));
  CHECK_FALSE(queue.next_due());
  CHECK_FALSE(queue.for_probe());
  queue.put(waiting(unit(1, 7), 30s));
  queue.put(waiting(unit(2, 8), 10s));
  CHECK(queue.next_due() == begin + 10s);
  CHECK(seq_of(queue.due(begin + 9s)) == 0);
  CHECK(seq_of(queue.due(begin + 10s)) == 2);
  queue.put(waiting(unit(2, 8), 60s)); // tried, and again later
  CHECK(queue.size() == 2);
  CHECK(seq_of(queue.due(begin + 40s)) == 1);
}

TEST_CASE("the oldest exception is known", "[exception_queue]") {
  auto queue = exception_queue{};
  CHECK_FALSE(queue.oldest_at());
  auto newer = unit(2, 8);
  newer.at = begin + 60s;
  queue.put(waiting(newer, 10s));
  queue.put(waiting(newer, 90s)); // tried
  CHECK(queue.oldest_at() == begin + 60s);
  queue.put(waiting(unit(1, 7), 30s));
  CHECK(queue.oldest_at() == begin);
  queue.erase(unit(1, 7));
  CHECK(queue.oldest_at() == begin + 60s);
  queue.erase(newer);
  CHECK_FALSE(queue.oldest_at());
}

TEST_CASE("exceptions about one object go in order, one at a time", "[exception_queue]") {
  auto queue = exception_queue{};
  queue.put(waiting(unit(5, 7), 10s));
  queue.put(waiting(unit(3, 7), 30s)); // a replay may bring an older one
  queue.put(waiting(unit(4, 7, 2), 20s));
  CHECK(seq_of(queue.due(begin + 25s)) == 4); // another endpoint
  queue.set_out(unit(4, 7, 2), true);
  CHECK(queue.is_out(unit(4, 7, 2)));
  CHECK(seq_of(queue.due(begin + 25s)) == 0); // 5 waits for 3
  CHECK(seq_of(queue.due(begin + 30s)) == 3);
  queue.set_out(unit(3, 7), true);
  CHECK(seq_of(queue.due(begin + 99s)) == 0);
  CHECK_FALSE(queue.for_probe());
  queue.set_out(unit(3, 7), false);
  CHECK(queue.erase(unit(3, 7)));
  CHECK_FALSE(queue.erase(unit(3, 7)));
  CHECK(seq_of(queue.due(begin + 99s)) == 5);
}

TEST_CASE("what is gone is out no more", "[exception_queue]") {
  auto queue = exception_queue{};
  queue.put(waiting(unit(1, 7), 0s));
  queue.put(waiting(unit(2, 7), 0s));
  queue.set_out(unit(1, 7), true);
  CHECK(queue.erase(unit(1, 7)));
  CHECK(seq_of(queue.due(begin)) == 2);
  CHECK(queue.erase(unit(2, 7)));
  CHECK(queue.empty());
  CHECK_FALSE(queue.holds(unit(1, 7)));
  CHECK_FALSE(queue.is_out(unit(1, 7)));
}

TEST_CASE("probes go round", "[exception_queue]") {
  auto queue = exception_queue{};
  for (auto object = 1; object <= 3; ++object)
    queue.put(waiting(unit(object, object), 1h));
  auto order = std::vector<log_seq>{};
  for (auto number = std::uint64_t{1}; number <= 6; ++number) {
    auto next = *queue.for_probe();
    order.push_back(next.unit.seq);
    next.probed = number;
    queue.put(std::move(next));
  }
  CHECK(order == std::vector<log_seq>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("an exception knows what else is about its object", "[exception_queue]") {
  auto queue = exception_queue{};
  queue.put(waiting(unit(9, 7), 0s));
  queue.put(waiting(unit(2, 7), 0s));
  queue.put(waiting(unit(3, 8), 0s));
  CHECK(queue.holds(unit(99, 7)));
  CHECK_FALSE(queue.holds(unit(99, 7, 2)));
  CHECK_FALSE(queue.holds(unit(99, 9)));
  const auto about = queue.about(unit(99, 7));
  REQUIRE(about.size() == 2);
  CHECK(about[0].unit.seq == 2);
  CHECK(queue.find(unit(3, 8)));
  CHECK_FALSE(queue.find(unit(4, 8)));
  const auto all = queue.all();
  REQUIRE(all.size() == 3);
  CHECK(all[1].unit.seq == 3);
}

TEST_CASE("a clock that stood moves the turns that had not come", "[exception_queue]") {
  auto queue = exception_queue{};
  queue.put(waiting(unit(1, 1), 10s));
  queue.put(waiting(unit(2, 2), 20s));
  const auto moved = queue.postpone(begin + 10s, 1h);
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].row.next_try_at == begin + 20s + 1h);
  CHECK(seq_of(queue.due(begin + 10s)) == 1);
  CHECK(queue.erase(unit(1, 1)));
  CHECK(queue.next_due() == begin + 20s + 1h);
}
