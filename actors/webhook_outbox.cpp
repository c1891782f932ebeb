#include "actors/webhook_outbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace trunkline {

webhook_outbox::webhook_outbox(event_kinds wanted, std::string source,
                               std::function<void()> on_full, std::size_t most)
    : wanted_{wanted}, source_{std::move(source)}, on_full_{std::move(on_full)}, most_{most} {}

void webhook_outbox::add(const engine_event& event) {
  const auto kind = kind_of(event);
  if (!wanted_.has(kind))
    return;
  auto made = render_webhook(event, source_);
  auto row = outbox_row{.id = 0,
                        .message = std::move(made.id),
                        .kind = static_cast<std::int64_t>(kind),
                        .at = made.at,
                        .body = *made.body};
  const auto held = std::scoped_lock{mutex_};
  waiting_.push_back(std::move(row));
  make_room();
}

std::vector<outbox_row> webhook_outbox::take() {
  const auto held = std::scoped_lock{mutex_};
  auto rows = std::vector<outbox_row>{std::make_move_iterator(waiting_.begin()),
                                      std::make_move_iterator(waiting_.end())};
  waiting_.clear();
  return rows;
}

void webhook_outbox::put_back(std::vector<outbox_row> rows) {
  const auto held = std::scoped_lock{mutex_};
  waiting_.insert(waiting_.begin(), std::make_move_iterator(rows.begin()),
                  std::make_move_iterator(rows.end()));
  make_room();
}

void webhook_outbox::stored(std::int64_t last) {
  const auto held = std::scoped_lock{mutex_};
  end_ = std::max(end_, last);
  is_losing_ = false;
}

std::int64_t webhook_outbox::end() const {
  const auto held = std::scoped_lock{mutex_};
  return end_;
}

std::size_t webhook_outbox::waiting() const {
  const auto held = std::scoped_lock{mutex_};
  return waiting_.size();
}

std::uint64_t webhook_outbox::dropped() const {
  const auto held = std::scoped_lock{mutex_};
  return dropped_;
}

void webhook_outbox::make_room() {
  if (waiting_.size() <= most_)
    return;
  const auto excess = waiting_.size() - most_;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(excess));
  dropped_ += excess;
  if (!std::exchange(is_losing_, true) && on_full_)
    on_full_();
}

} // namespace trunkline
