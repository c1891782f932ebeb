#include "engine/embedding/hook_board.hpp"

#include "actors/webhook_body.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace trunkline {

namespace {

static_assert(std::variant_size_v<hook_seat::function> == event_words.size());

/// `hook_seat::function` is in the order of `engine_event`.
event_kind kind_of(const hook_seat& seat) {
  return static_cast<event_kind>(seat.call.index());
}

void call(const hook_seat& seat, const engine_event& event) {
  std::visit(
      [&seat](const auto& one) {
        using function = std::function<void(const std::remove_cvref_t<decltype(one)>&)>;
        std::get<function>(seat.call)(one);
      },
      event);
}

} // namespace

hook_board::hook::hook(const hook_seat& given, std::shared_ptr<virtual_world> world)
    : seat{std::make_shared<const hook_seat>(given)}, worker{given.options.queue_max,
                                                             std::move(world)} {}

bool hook_board::hook::wants(const engine_event& event) const {
  if (event.index() != seat->call.index())
    return false;
  const auto* activity = std::get_if<activity_event>(&event);
  return !activity || seat->activity_type.empty() || seat->activity_type == activity->type;
}

std::uint64_t hook_board::hook::count_wanted(const told_of_row& told) const {
  switch (kind_of(*seat)) {
  case event_kind::activity:
    return static_cast<std::uint64_t>(std::ranges::count_if(told.activities, [&](auto type) {
      return !type.empty() && (seat->activity_type.empty() || seat->activity_type == type);
    }));
  case event_kind::post:
    return told.post ? 1 : 0;
  case event_kind::account:
    return told.account ? 1 : 0;
  default:
    return 0;
  }
}

hook_board::hook_board(const std::vector<hook_seat>& hooks, std::shared_ptr<virtual_world> world) {
  for (const auto& seat : hooks)
    hooks_.push_back(std::make_unique<hook>(seat, world));
}

hook_board::~hook_board() {
  end(std::chrono::milliseconds{0});
}

event_subscriber hook_board::as_subscriber() {
  const auto has = [this](auto... kinds) {
    return std::ranges::any_of(
        hooks_, [=](const auto& one) { return ((kind_of(*one->seat) == kinds) || ...); });
  };
  return {.wants_rows = has(event_kind::activity, event_kind::post, event_kind::account),
          .wants_deliveries = has(event_kind::delivery),
          .wants_host_states = has(event_kind::host_state),
          .tell = [this](const engine_event& event) { tell(event); },
          .dropped = [this](const log_entry& row) { note_dropped(row); }};
}

void hook_board::tell(const engine_event& event) {
  auto kept = std::shared_ptr<const engine_event>{}; // one copy for all of them
  for (const auto& one : hooks_) {
    if (!one->wants(event))
      continue;
    if (!kept)
      kept = std::make_shared<const engine_event>(event);
    if (!one->worker.post([seat = one->seat, kept] { call(*seat, *kept); }))
      ++one->dropped;
  }
}

void hook_board::note_dropped(const log_entry& row) {
  const auto told = told_of(row);
  for (const auto& one : hooks_)
    one->dropped += one->count_wanted(told);
}

std::vector<hook_report> hook_board::reports() const {
  auto all = std::vector<hook_report>{};
  for (const auto& one : hooks_)
    all.push_back({.event = std::string{event_word(*one->seat)},
                   .called = one->worker.begun(),
                   .dropped = one->dropped,
                   .failed = one->worker.failed(),
                   .waiting = one->worker.waiting(),
                   .busy = one->worker.busy()});
  return all;
}

/// Those between two calls end at once: they go first, and those that take long share the time.
void hook_board::end(std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  auto order = std::vector<std::pair<std::chrono::milliseconds, hook*>>{};
  for (const auto& one : hooks_)
    order.emplace_back(one->worker.busy(), one.get());
  std::ranges::sort(order, {}, &decltype(order)::value_type::first);
  for (const auto& [busy, one] : order) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    one->worker.stop(std::max(left, std::chrono::milliseconds{0}));
  }
}

json_array render_reports(const std::vector<hook_report>& reports) {
  auto list = json_array{};
  for (const auto& one : reports)
    list.emplace_back(json_object{{"event", one.event},
                                  {"called", static_cast<std::int64_t>(one.called)},
                                  {"dropped", static_cast<std::int64_t>(one.dropped)},
                                  {"failed", static_cast<std::int64_t>(one.failed)},
                                  {"waiting", static_cast<std::int64_t>(one.waiting)},
                                  {"busy_ms", one.busy.count()}});
  return list;
}

std::string_view event_word(const hook_seat& seat) {
  return event_words[seat.call.index()];
}

} // namespace trunkline
