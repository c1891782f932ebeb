#include "actors/event_hub.hpp"

#include "actors/messages.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// What is over once storage answers again.
bool may_pass(errc code) {
  return code == errc::unavailable || code == errc::timed_out || code == errc::storage_busy;
}

bool is_wanted(const event_subscriber& by, const engine_event& event) {
  if (std::holds_alternative<delivery_event>(event))
    return by.wants_deliveries;
  if (std::holds_alternative<host_state_event>(event))
    return by.wants_host_states;
  return by.wants_rows;
}

} // namespace

void event_hub::subscribe(event_subscriber one) {
  subscribers_.push_back(std::move(one));
}

bool event_hub::wants_rows() const {
  return std::ranges::any_of(subscribers_, &event_subscriber::wants_rows);
}

bool event_hub::wants_deliveries() const {
  return std::ranges::any_of(subscribers_, &event_subscriber::wants_deliveries);
}

bool event_hub::wants_host_states() const {
  return std::ranges::any_of(subscribers_, &event_subscriber::wants_host_states);
}

void event_hub::apply(const log_entry& row) {
  if (told_of(row).is_nothing())
    return;
  auto to_wake = event_renderer_handle{};
  {
    const auto held = std::scoped_lock{mutex_};
    if (ended_)
      return;
    if (waiting_.size() < rows_max_) {
      // Facts and recipients are not rendered, and many rows may wait.
      waiting_.push_back({.seq = row.seq,
                          .at = row.at,
                          .kind = row.kind,
                          .author = row.author,
                          .object = row.object,
                          .extra = {},
                          .facts = {}});
      if (renderer_ && !std::exchange(woken_, true))
        to_wake = renderer_;
    } else {
      ++dropped_;
      drop(row);
    }
  }
  if (to_wake)
    caf::anon_send(to_wake, caf::tick_atom_v);
}

void event_hub::tell(const engine_event& event) const {
  for (const auto& one : subscribers_)
    if (is_wanted(one, event))
      one.tell(event);
}

std::size_t event_hub::waiting() const {
  const auto held = std::scoped_lock{mutex_};
  return waiting_.size();
}

std::uint64_t event_hub::dropped() const {
  const auto held = std::scoped_lock{mutex_};
  return dropped_;
}

void event_hub::begin(event_renderer_handle by) {
  {
    const auto held = std::scoped_lock{mutex_};
    renderer_ = by;
    woken_ = true;
  }
  caf::anon_send(by, caf::tick_atom_v);
}

void event_hub::end() {
  const auto held = std::scoped_lock{mutex_};
  ended_ = true;
  renderer_ = event_renderer_handle{};
  waiting_.clear();
}

/// Whoever gets nothing is woken by the next row.
std::vector<log_entry> event_hub::take(std::size_t most) {
  const auto held = std::scoped_lock{mutex_};
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  auto rows = std::vector<log_entry>{std::make_move_iterator(waiting_.begin()),
                                     std::make_move_iterator(waiting_.begin() + count)};
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  woken_ = !rows.empty();
  return rows;
}

void event_hub::pass_on(const std::vector<engine_event>& events) const {
  for (const auto& event : events)
    tell(event);
}

void event_hub::drop(const std::vector<log_entry>& rows) {
  const auto held = std::scoped_lock{mutex_};
  dropped_ += rows.size();
  for (const auto& row : rows)
    drop(row);
}

void event_hub::drop(const log_entry& row) const {
  for (const auto& one : subscribers_)
    if (one.wants_rows && one.dropped)
      one.dropped(row);
}

event_renderer_handle::behavior_type
event_renderer_state::make_behavior(event_renderer_dependencies dependencies,
                                    event_renderer_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  return {[this](caf::tick_atom) { render_next(); }};
}

/// Asks for the batch at work, or for the next one.
void event_renderer_state::render_next() {
  if (asking_)
    return;
  if (rows_.empty())
    rows_ = has_.hub->take(options_.rows_max);
  if (rows_.empty())
    return;
  asking_ = true;
  ask_storage(self_, has_.storage, ask_events(rows_, has_.urls),
              [this](const caf::expected<std::vector<engine_event>>& read) {
                asking_ = false;
                take(read);
              });
}

void event_renderer_state::take(const caf::expected<std::vector<engine_event>>& read) {
  if (!read && may_pass(code_of(read.error())))
    return self_->delayed_send(self_, options_.retry_wait, caf::tick_atom_v);
  if (read)
    has_.hub->pass_on(*read);
  else
    has_.hub->drop(rows_);
  rows_.clear();
  render_next();
}

event_renderer_handle::behavior_type
event_renderer(watched_pointer<event_renderer_handle, event_renderer_state> self,
               event_renderer_dependencies dependencies, event_renderer_options options) {
  self->set_label("event_renderer");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
