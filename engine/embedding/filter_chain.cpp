#include "engine/embedding/filter_chain.hpp"

#include "protocol/loose_members.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace trunkline {

content_filter::~content_filter() = default;

namespace {

using steady = std::chrono::steady_clock;

/// Of a refusal, in the log and in answers.
constexpr std::size_t reason_bytes_max = 500;

/// One activity on its way through the chain.
struct question {
  activity_origin from;
  filtered_activity what; ///< As the filters have left it.
  std::function<void(gate_decision)> decided;
  steady::time_point due; ///< It is decided by then, whoever was asked.
  gate_decision so_far = {};
  std::size_t next = 0; ///< The filter that is asked, or will be.
  bool is_over = false;
};

using question_ptr = std::shared_ptr<question>;

/// A decision on its way out; sent without holding the lock.
struct answer {
  std::function<void(gate_decision)> to;
  gate_decision what;
};

/// What became of one call.
struct outcome {
  std::optional<verdict> said;
  std::string problem; ///< Why there is no verdict.
};

bool applies(const filter_seat& seat, bool is_local) {
  const auto wanted = seat.options.direction;
  return wanted == filter_direction::both || (wanted == filter_direction::outbound) == is_local;
}

bool is_text(const filtered_activity& what) {
  return is_utf8(what.content) && is_utf8(what.summary) && is_utf8(what.language);
}

/// Whatever the filter throws ends here.
outcome call(content_filter& filter, const activity_origin& from, filtered_activity& what) {
  try {
    auto said = filter.check(from, what);
    if (said.rewritten() && !is_text(what))
      return {.said = {}, .problem = "wrote what is no UTF-8"};
    return {.said = std::move(said), .problem = {}};
  } catch (const std::exception& thrown) {
    return {.said = {}, .problem = std::string{"threw: "} + thrown.what()};
  } catch (...) {
    return {.said = {}, .problem = "threw"};
  }
}

void send(std::vector<answer> answers) {
  for (auto& one : answers)
    one.to(std::move(one.what));
}

} // namespace

/// Shared with the threads, so that one that is left behind has something to stand on.
class filter_chain::state {
public:
  state(std::vector<filter_seat> seats, filter_chain_options options);

  /// Returns whether `run` is to be called.
  bool add(question_ptr one);
  void run();
  void watch();
  void stop();
  std::vector<filter_report> reports() const;

private:
  using lock = std::unique_lock<std::mutex>;

  void ask_next(question& one, lock& held);
  bool take(question& one, const outcome& came, filtered_activity& rewritten);
  void follow(question& one, const verdict& said, filtered_activity& rewritten);
  void end(question& one, gate_decision::kind how, std::string reason = {});
  void end_failed(question& one);
  void give_up(question& one);
  void give_up_overdue(steady::time_point now);
  void be_stuck();
  void skip_others(question& one) const;
  steady::time_point next_due() const;
  bool is_idle() const { return is_stuck_ || (!current_ && waiting_.empty()); }
  std::vector<answer> take_answers() { return std::exchange(answers_, {}); }
  void log(const std::string& line) const;

  const std::vector<filter_seat> seats_;
  const filter_chain_options options_;

  mutable std::mutex mutex_; ///< Guards what follows.
  std::condition_variable changed_;
  std::vector<filter_report> reports_;
  std::deque<question_ptr> waiting_;
  question_ptr current_;
  std::vector<answer> answers_; ///< To be sent by whoever holds the lock.
  std::size_t asked_ = 0;       ///< The filter of the last call.
  steady::time_point asked_at_; ///< When it was called.
  bool is_asking_ = false;
  bool is_stuck_ = false;    ///< The call under way has not returned in time.
  bool is_running_ = false;  ///< `run` is on its way or at work.
  bool is_watching_ = false; ///< The watch waits for a moment, and needs no wake.
  bool is_stopped_ = false;
};

filter_chain::state::state(std::vector<filter_seat> seats, filter_chain_options options)
    : seats_{std::move(seats)}, options_{std::move(options)} {
  for (const auto& seat : seats_)
    reports_.push_back({.name = seat.options.name});
}

bool filter_chain::state::add(question_ptr one) {
  auto held = lock{mutex_};
  skip_others(*one);
  auto starts = false;
  const auto filters = static_cast<std::int64_t>(seats_.size() - one->next);
  one->due = steady::now() + options_.patience * filters;
  if (filters == 0) {
    end(*one, gate_decision::kind::passed);
  } else if (is_stopped_) {
    end(*one, gate_decision::kind::later, "chain: the engine ends");
  } else if (is_stuck_ || waiting_.size() >= options_.waiting_max) {
    give_up(*one);
  } else {
    waiting_.push_back(std::move(one));
    starts = !std::exchange(is_running_, true);
    if (!std::exchange(is_watching_, true))
      changed_.notify_all();
  }
  auto answers = take_answers();
  held.unlock();
  send(std::move(answers));
  return starts;
}

/// On the filters' thread: until nothing waits.
void filter_chain::state::run() {
  auto held = lock{mutex_};
  while (!waiting_.empty()) {
    current_ = std::move(waiting_.front());
    waiting_.pop_front();
    const auto one = current_;
    while (!one->is_over)
      ask_next(*one, held);
    current_ = nullptr;
    auto answers = take_answers();
    held.unlock();
    send(std::move(answers));
    held.lock();
  }
  is_running_ = false;
}

/// Asks without holding the lock; meanwhile the watch may have decided, and then the verdict comes
/// too late.
void filter_chain::state::ask_next(question& one, lock& held) {
  const auto& seat = seats_[one.next];
  auto& report = reports_[one.next];
  auto what = one.what;
  ++report.checked;
  asked_ = one.next;
  asked_at_ = steady::now();
  is_asking_ = true;
  held.unlock();
  const auto came = call(*seat.filter, one.from, what);
  held.lock();
  is_asking_ = false;
  if (steady::now() - asked_at_ > filter_budget)
    ++report.over_budget;
  if (std::exchange(is_stuck_, false))
    log("filter " + seat.options.name + " has returned");
  if (one.is_over || !take(one, came, what))
    return;
  ++one.next;
  skip_others(one);
  if (one.next == seats_.size())
    end(one, gate_decision::kind::passed);
}

/// Returns whether the next filter is to be asked.
bool filter_chain::state::take(question& one, const outcome& came, filtered_activity& rewritten) {
  auto& report = reports_[one.next];
  if (!came.said) {
    if (++report.failed == 1) // it may fail at every activity
      log("filter " + report.name +
          " failed for the first time: " + display_line(came.problem, reason_bytes_max));
    if (seats_[one.next].options.on_failure == filter_failure::open)
      return true;
    end_failed(one);
    return false;
  }
  if (came.said->rejected()) {
    ++report.rejected;
    end(one, gate_decision::kind::refused,
        report.name + ": " + display_line(came.said->reason(), reason_bytes_max));
    return false;
  }
  follow(one, *came.said, rewritten);
  return true;
}

void filter_chain::state::follow(question& one, const verdict& said, filtered_activity& rewritten) {
  auto& report = reports_[one.next];
  if (said.rewritten()) {
    ++report.rewritten;
    one.what.content = std::move(rewritten.content);
    one.what.summary = std::move(rewritten.summary);
    one.what.language = std::move(rewritten.language);
    one.what.sensitive = rewritten.sensitive;
    one.so_far.rewritten = true;
    one.so_far.sensitive = false; // a mark of an earlier filter was there to be seen
  }
  if (said.marks_sensitive()) {
    ++report.marked_sensitive;
    one.what.sensitive = true;
    one.so_far.sensitive = true;
  }
  if (said.delists()) {
    ++report.delisted;
    if (one.what.visibility == "public")
      one.what.visibility = "unlisted";
    one.so_far.delisted = true;
  }
}

void filter_chain::state::end(question& one, gate_decision::kind how, std::string reason) {
  one.is_over = true;
  if (how != gate_decision::kind::passed)
    one.so_far = {};
  one.so_far.what = how;
  one.so_far.reason = std::move(reason);
  one.so_far.activity = std::move(one.what); // a filter that is at work has a copy of its own
  answers_.push_back({std::move(one.decided), std::move(one.so_far)});
}

void filter_chain::state::end_failed(question& one) {
  end(one, gate_decision::kind::later, seats_[one.next].options.name + ": failed");
}

/// Decides as the filters that are not asked any more want it.
void filter_chain::state::give_up(question& one) {
  for (; one.next < seats_.size(); ++one.next, skip_others(one)) {
    ++reports_[one.next].given_up;
    if (seats_[one.next].options.on_failure == filter_failure::closed)
      return end_failed(one);
  }
  end(one, gate_decision::kind::passed);
}

/// Passes over the filters of the other direction.
void filter_chain::state::skip_others(question& one) const {
  while (one.next < seats_.size() && !applies(seats_[one.next], one.from.local))
    ++one.next;
}

/// On the watch's thread, which sleeps while nothing is asked: at most a few wakes a second.
void filter_chain::state::watch() {
  auto held = lock{mutex_};
  while (!is_stopped_) {
    if (is_idle()) {
      is_watching_ = false;
      changed_.wait(held, [this] { return is_stopped_ || is_watching_; });
      continue;
    }
    if (changed_.wait_until(held, next_due(), [this] { return is_stopped_; }))
      return;
    give_up_overdue(steady::now());
    auto answers = take_answers();
    held.unlock();
    send(std::move(answers));
    held.lock();
  }
}

/// No call that begins later is due before this.
steady::time_point filter_chain::state::next_due() const {
  auto due = (is_asking_ ? asked_at_ : steady::now()) + options_.patience;
  if (current_ && !current_->is_over)
    due = std::min(due, current_->due);
  for (const auto& one : waiting_) // not in their order: each has the time of its own filters
    due = std::min(due, one->due);
  return due;
}

void filter_chain::state::give_up_overdue(steady::time_point now) {
  if (is_asking_ && !is_stuck_ && now >= asked_at_ + options_.patience)
    be_stuck();
  if (current_ && !current_->is_over && now >= current_->due)
    give_up(*current_);
  std::erase_if(waiting_, [&](const question_ptr& one) {
    if (one->due > now)
      return false;
    give_up(*one);
    return true;
  });
}

/// Whoever waits behind the call waits no longer.
void filter_chain::state::be_stuck() {
  is_stuck_ = true;
  log("filter " + seats_[asked_].options.name +
      " does not return; others go on without the filters");
  if (!current_->is_over)
    give_up(*current_);
  for (const auto& one : std::exchange(waiting_, {}))
    give_up(*one);
}

void filter_chain::state::stop() {
  auto held = lock{mutex_};
  is_stopped_ = true;
  if (current_ && !current_->is_over)
    end(*current_, gate_decision::kind::later, "chain: the engine ends");
  for (const auto& one : std::exchange(waiting_, {}))
    end(*one, gate_decision::kind::later, "chain: the engine ends");
  auto answers = take_answers();
  changed_.notify_all();
  held.unlock();
  send(std::move(answers));
}

std::vector<filter_report> filter_chain::state::reports() const {
  const auto held = std::scoped_lock{mutex_};
  return reports_;
}

/// Under the lock: nothing is written once `stop` has returned, when the log may be gone.
void filter_chain::state::log(const std::string& line) const {
  if (options_.log && !is_stopped_)
    options_.log(line);
}

filter_chain::filter_chain(std::vector<filter_seat> seats, std::shared_ptr<virtual_world> world,
                           filter_chain_options options)
    : state_{std::make_shared<state>(std::move(seats), std::move(options))}, worker_{2, world} {
  if (!world)
    watch_ = std::thread{[inside = state_] { inside->watch(); }};
}

filter_chain::~filter_chain() {
  stop(std::chrono::milliseconds{0});
}

void filter_chain::check(activity_origin from, filtered_activity what,
                         std::function<void(gate_decision)> decided) {
  auto one = std::make_shared<question>(question{
      .from = std::move(from), .what = std::move(what), .decided = std::move(decided), .due = {}});
  // When it is stopped by now, `stop` has answered.
  if (state_->add(std::move(one)))
    worker_.post([inside = state_] { inside->run(); });
}

std::vector<filter_report> filter_chain::reports() const {
  return state_->reports();
}

bool filter_chain::stop(std::chrono::milliseconds limit) {
  state_->stop();
  const auto ended = worker_.stop(limit);
  if (watch_.joinable())
    watch_.join();
  return ended;
}

} // namespace trunkline
