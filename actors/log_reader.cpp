#include "actors/log_reader.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "storage/log_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

log_reader_handle::behavior_type
log_reader_state::make_behavior(log_reader_dependencies dependencies, log_reader_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  storage_.readers = has_.readers;
  find_start();
  self_->delayed_send(self_, options_.poll_interval, poll_log{});
  return {
      [this](log_hint& hint) { take(hint); },
      [this](describe_log) { return describe(); },
      [this](const read_missed& wish) { return read_units(wish); },
      [this](const log_has_grown& news) {
        if (start_ && news.upto > handed_)
          read();
      },
      [this](poll_log) { poll(); },
      [this](close_hole due) {
        if (at_hole_ && due.epoch == hole_epoch_) {
          at_hole_ = false;
          read();
        }
      },
  };
}

caf::result<found_units> log_reader_state::read_units(const read_missed& wish) {
  if (refills_waiting_ >= options_.refills_max) {
    ++counters_.refills_refused;
    return make_error(errc::unavailable, "log: too many hosts read what they missed");
  }
  auto reply = self_->make_response_promise<found_units>();
  auto& of_host = refills_[wish.wanted.host];
  if (of_host.empty())
    refill_turns_.push_back(wish.wanted.host);
  of_host.push_back({wish.wanted, reply});
  ++refills_waiting_;
  begin_refills();
  return reply;
}

/// Takes one of each host in turn.
void log_reader_state::begin_refills() {
  while (refills_reading_ < options_.refills_at_once && !refill_turns_.empty()) {
    const auto host = refill_turns_.front();
    refill_turns_.pop_front();
    const auto of_host = refills_.find(host);
    auto next = std::move(of_host->second.front());
    of_host->second.pop_front();
    if (of_host->second.empty())
      refills_.erase(of_host);
    else
      refill_turns_.push_back(host);
    --refills_waiting_;
    read_refill(std::move(next));
  }
}

void log_reader_state::read_refill(waiting_refill next) {
  ++refills_reading_;
  ask_storage(self_, storage_, query<found_units>{[wanted = next.wanted](database& db) {
                return find_missed(db, wanted);
              }},
              [this, reply = next.reply](caf::expected<found_units> found) mutable {
                --refills_reading_;
                ++counters_.refills;
                if (found)
                  reply.deliver(std::move(*found));
                else
                  reply.deliver(std::move(found.error()));
                begin_refills();
              });
}

void log_reader_state::find_start() {
  if (options_.start)
    return begin_after(*options_.start);
  reading_ = true;
  ask_storage(self_, storage_, query<log_seq>{newest_seq}, [this](caf::expected<log_seq> newest) {
    reading_ = false;
    if (newest)
      return begin_after(*newest);
    ++counters_.failed;
  });
}

void log_reader_state::begin_after(log_seq newest) {
  start_ = handed_ = newest;
  hand_on({}, std::nullopt);
  hand_on_hints();
  read();
}

void log_reader_state::take(log_hint& hint) {
  const auto rows = hint.rows.size();
  counters_.hints += static_cast<std::int64_t>(rows);
  if (rows > 0 && has_.on_commit)
    has_.on_commit(hint.rows.back().seq);
  if (rows == 0 || (start_ && hint.rows.back().seq <= handed_))
    return;
  // What joins on is handed on at once and takes no room.
  const auto joins = start_ && hint.previous <= handed_;
  if (is_full() || (!joins && waiting_rows_ + rows > options_.hints_max)) {
    counters_.dropped += static_cast<std::int64_t>(rows);
    return wait_at_hole();
  }
  if (waiting_.try_emplace(hint.previous, std::move(hint)).second)
    waiting_rows_ += rows;
  hand_on_hints();
}

/// Hands on what joins on to the rows handed on, and waits for the rest.
void log_reader_state::hand_on_hints() {
  while (start_ && !waiting_.empty()) {
    const auto first = waiting_.begin();
    if (first->first > handed_)
      return wait_at_hole();
    auto rows = std::move(first->second.rows);
    waiting_rows_ -= rows.size();
    waiting_.erase(first);
    std::erase_if(rows, [this](const log_entry& row) { return row.seq <= handed_; });
    if (!rows.empty())
      hand_on(std::move(rows), std::nullopt);
  }
  at_hole_ = false;
}

void log_reader_state::hand_on(std::vector<log_entry> rows,
                               std::optional<steady_time> end_seen_at) {
  if (!rows.empty())
    handed_ = rows.back().seq;
  self_->send(has_.fanout,
              apply_rows{.rows = std::move(rows), .upto = handed_, .end_seen_at = end_seen_at});
}

void log_reader_state::wait_at_hole() {
  if (std::exchange(at_hole_, true))
    return;
  ++counters_.holes;
  self_->delayed_send(self_, options_.hole_wait, close_hole{++hole_epoch_});
}

bool log_reader_state::is_full() const {
  const auto applied = std::max(has_.position->applied(), start_.value_or(0));
  return handed_ - applied >= options_.outstanding_max;
}

void log_reader_state::poll() {
  self_->delayed_send(self_, options_.poll_interval, poll_log{});
  if (start_)
    return read();
  if (!reading_)
    find_start();
}

void log_reader_state::read() {
  if (reading_)
    return;
  if (is_full())
    return wait_at_hole();
  reading_ = true;
  const auto began = self_->clock().now();
  const auto read_rows = [after = handed_, limit = options_.rows_max](database& db) {
    return read_log(db, after, limit);
  };
  ask_storage(self_, storage_, query<std::vector<log_entry>>{read_rows},
              [this, began](caf::expected<std::vector<log_entry>> rows) {
                reading_ = false;
                if (rows)
                  return take_read(std::move(*rows), began);
                ++counters_.failed;
              });
}

void log_reader_state::take_read(std::vector<log_entry> rows, steady_time began) {
  const auto is_end = rows.size() < options_.rows_max;
  std::erase_if(rows, [this](const log_entry& row) { return row.seq <= handed_; });
  counters_.read += static_cast<std::int64_t>(rows.size());
  hand_on(std::move(rows), is_end ? std::optional{began} : std::nullopt);
  hand_on_hints();
  if (!is_end)
    read();
}

log_report log_reader_state::describe() const {
  auto report = counters_;
  report.handed_on = handed_;
  report.refills_waiting = static_cast<std::int64_t>(refills_waiting_);
  report.mailbox = static_cast<std::int64_t>(self_->mailbox().size());
  return report;
}

log_reader_handle::behavior_type
log_reader(watched_pointer<log_reader_handle, log_reader_state> self,
           log_reader_dependencies dependencies, log_reader_options options) {
  self->set_label("log_reader");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
