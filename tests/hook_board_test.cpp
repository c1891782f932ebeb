// Hooks on threads of their own: order, bounds, exceptions, and one that never returns.
#include "engine/embedding/hook_board.hpp"
#include "tests/kit/gate.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using numbers = std::vector<std::int64_t>;

/// What hooks were called with; waits for as many as are due.
class noted_calls {
public:
  void note(std::int64_t one) {
    const auto held = std::scoped_lock{mutex_};
    all_.push_back(one);
    changed_.notify_all();
  }
  /// The calls once there are `count`, or whatever came within a minute.
  numbers wait_for(std::size_t count) {
    auto held = std::unique_lock{mutex_};
    changed_.wait_for(held, 60s, [&] { return all_.size() >= count; });
    return all_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  numbers all_;
};

engine_event activity(std::int64_t seq, std::string type = "Create") {
  return activity_event{.seq = seq, .type = std::move(type)};
}

engine_event delivery(std::int64_t seq) {
  return delivery_event{.seq = seq};
}

hook_seat on_activity(std::function<void(const activity_event&)> call, std::string type = "",
                      std::size_t queue_max = 1'024) {
  return {.call = std::move(call),
          .activity_type = std::move(type),
          .options = {.queue_max = queue_max}};
}

hook_seat on_delivery(std::function<void(const delivery_event&)> call) {
  return {.call = std::move(call), .activity_type = {}, .options = {}};
}

numbers first(std::int64_t count) {
  auto all = numbers{};
  for (auto i = std::int64_t{1}; i <= count; ++i)
    all.push_back(i);
  return all;
}

log_entry row(log_kind kind) {
  return {.kind = kind,
          .author = account_id{1},
          .object = {object_kind::follow, 2, 1},
          .extra = {},
          .facts = {}};
}

} // namespace

TEST_CASE("a hook gets its events in order, each once", "[hook_board]") {
  auto calls = noted_calls{};
  auto board =
      hook_board{{on_activity([&](const activity_event& one) { calls.note(one.seq); })}, nullptr};
  for (auto seq = std::int64_t{1}; seq <= 1'000; ++seq)
    board.tell(activity(seq));
  CHECK(calls.wait_for(1'000) == first(1'000));
  const auto report = board.reports()[0];
  CHECK(report.event == "activity");
  CHECK(report.called == 1'000);
  CHECK(report.dropped == 0);
  CHECK(report.failed == 0);
}

TEST_CASE("a hook gets events of its kind and type alone", "[hook_board]") {
  auto follows = noted_calls{};
  auto posts = noted_calls{};
  auto states = noted_calls{};
  auto accounts = noted_calls{};
  const auto seats = std::vector<hook_seat>{
      on_activity([&](const activity_event& one) { follows.note(one.seq); }, "Follow"),
      {.call = [&](const post_event& one) { posts.note(one.seq); },
       .activity_type = {},
       .options = {}},
      {.call = [&](const host_state_event&) { states.note(1); },
       .activity_type = {},
       .options = {}},
      {.call = [&](const account_event& one) { accounts.note(one.seq); },
       .activity_type = {},
       .options = {}}};
  auto board = hook_board{seats, nullptr};
  board.tell(activity(1, "Create"));
  board.tell(post_event{.seq = 2});
  board.tell(delivery(3));
  board.tell(host_state_event{});
  board.tell(account_event{.seq = 4});
  board.tell(activity(5, "Follow"));
  CHECK(follows.wait_for(1) == numbers{5});
  CHECK(posts.wait_for(1) == numbers{2});
  CHECK(states.wait_for(1) == numbers{1});
  CHECK(accounts.wait_for(1) == numbers{4});
  auto words = std::vector<std::string>{};
  for (const auto& report : board.reports()) {
    words.push_back(report.event);
    CHECK(report.called == 1);
  }
  CHECK(words == std::vector<std::string>{"activity", "post", "host_state", "account"});
}

TEST_CASE("a hook that never returns drops its own events and holds up nobody", "[hook_board]") {
  auto stuck = kit::gate{};
  auto good = noted_calls{};
  auto deliveries = noted_calls{};
  auto board =
      hook_board{{on_activity([wait = stuck.passer()](const activity_event&) { wait(); }, "", 3),
                  on_activity([&](const activity_event& one) { good.note(one.seq); }),
                  on_delivery([&](const delivery_event& one) { deliveries.note(one.seq); })},
                 nullptr};
  board.tell(activity(1));
  REQUIRE(stuck.wait_arrived());
  for (auto seq = std::int64_t{2}; seq <= 100; ++seq) {
    board.tell(activity(seq));
    board.tell(delivery(seq - 1));
  }
  CHECK(good.wait_for(100) == first(100));
  CHECK(deliveries.wait_for(99) == first(99));
  const auto reports = board.reports();
  CHECK(reports[0].called == 1);
  CHECK(reports[0].waiting == 3);
  CHECK(reports[0].dropped == 96); // the newest
  CHECK(reports[1].dropped == 0);
  CHECK(reports[2].dropped == 0);
}

TEST_CASE("what waited for a slow hook is what came first", "[hook_board]") {
  auto slow = kit::gate{};
  auto calls = noted_calls{};
  auto board = hook_board{{on_activity(
                              [&](const activity_event& one) {
                                slow.pass();
                                calls.note(one.seq);
                              },
                              "", 2)},
                          nullptr};
  board.tell(activity(1));
  REQUIRE(slow.wait_arrived());
  for (auto seq = std::int64_t{2}; seq <= 5; ++seq)
    board.tell(activity(seq));
  slow.open();
  CHECK(calls.wait_for(3) == first(3));
  CHECK(board.reports()[0].dropped == 2);
}

TEST_CASE("a hook that throws is counted, and called again", "[hook_board]") {
  auto calls = noted_calls{};
  auto board = hook_board{{on_activity([&](const activity_event& one) {
                            calls.note(one.seq);
                            if (one.seq == 1)
                              throw std::runtime_error{"a bug"};
                            if (one.seq == 2)
                              throw 7; // NOLINT: embedders may
                          })},
                          nullptr};
  for (const auto seq : {1, 2, 3, 4})
    board.tell(activity(seq));
  CHECK(calls.wait_for(4) == first(4)); // the fourth begins after the third is counted
  CHECK(board.reports()[0].failed == 2);
}

TEST_CASE("rows that were never read count for the hooks that would have had their events",
          "[hook_board]") {
  const auto ignore = [](const activity_event&) {};
  auto board =
      hook_board{{on_activity(ignore),
                  on_activity(ignore, "Accept"),
                  on_activity(ignore, "Create"),
                  {.call = [](const post_event&) {}, .activity_type = {}, .options = {}},
                  {.call = [](const account_event&) {}, .activity_type = {}, .options = {}},
                  on_delivery([](const delivery_event&) {})},
                 nullptr};
  board.note_dropped(row(log_kind::create));
  board.note_dropped(row(log_kind::accept_follow)); // a Follow and its Accept
  board.note_dropped(row(log_kind::create_actor));
  auto dropped = std::vector<std::uint64_t>{};
  for (const auto& report : board.reports())
    dropped.push_back(report.dropped);
  CHECK(dropped == std::vector<std::uint64_t>{3, 1, 1, 1, 1, 0});
}

TEST_CASE("a board says what its hooks want", "[hook_board]") {
  const auto wants = [](const hook_seat& seat) {
    auto board = hook_board{{seat}, nullptr};
    const auto one = board.as_subscriber();
    return std::vector{one.wants_rows, one.wants_deliveries, one.wants_host_states};
  };
  CHECK(wants(on_activity([](const activity_event&) {})) == std::vector{true, false, false});
  CHECK(wants(on_delivery([](const delivery_event&) {})) == std::vector{false, true, false});
  CHECK(wants({.call = [](const host_state_event&) {}, .activity_type = {}, .options = {}}) ==
        std::vector{false, false, true});
}

TEST_CASE("reports are shown with all that they say", "[hook_board]") {
  CHECK(to_json(render_reports({{.event = "post",
                                 .called = 1,
                                 .dropped = 2,
                                 .failed = 3,
                                 .waiting = 4,
                                 .busy = 5ms}})) ==
        R"([{"event":"post","called":1,"dropped":2,"failed":3,"waiting":4,"busy_ms":5}])");
}

TEST_CASE("sixteen hooks that never return end together, within the limit", "[hook_board]") {
  auto stuck = kit::gate{};
  auto seats = std::vector<hook_seat>(
      16, on_activity([wait = stuck.passer()](const activity_event&) { wait(); }));
  auto calls = std::make_shared<noted_calls>();
  seats.push_back(on_activity([calls](const activity_event& one) { calls->note(one.seq); }));
  auto board = hook_board{seats, nullptr};
  board.tell(activity(1));
  REQUIRE(stuck.wait_arrived(16));
  board.tell(activity(2));
  calls->wait_for(2);
  const auto began = std::chrono::steady_clock::now();
  board.end(1s);
  CHECK(std::chrono::steady_clock::now() - began < 10s); // not 16 times the limit
  board.tell(activity(3));
  CHECK(calls->wait_for(2) == first(2)); // nothing begins any more
}
