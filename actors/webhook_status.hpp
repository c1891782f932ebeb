/// How a webhook does, as its sender says: for reports and metrics. Any thread.
#pragma once

#include "protocol/time.hpp"
#include "trunkline/webhook.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace trunkline {

/// What is shown besides the public report.
struct webhook_facts {
  webhook_report report; ///< Without `behind`.
  std::uint64_t failures_in_a_row = 0;
  std::optional<time_point> next_try_at; ///< Nothing unless it waits after a failure.
  std::optional<time_point> oldest_at;   ///< Of the oldest event that waits.
};

class webhook_status {
public:
  explicit webhook_status(std::string name) { facts_.report.name = std::move(name); }

  template <class Change>
  void change(Change change) {
    const auto held = std::scoped_lock{mutex_};
    change(facts_);
  }

  /// Returns the facts with `behind` as it is at `now`.
  webhook_facts read(time_point now) const {
    const auto held = std::scoped_lock{mutex_};
    auto facts = facts_;
    if (facts.oldest_at && *facts.oldest_at < now)
      facts.report.behind =
          std::chrono::duration_cast<std::chrono::seconds>(now - *facts.oldest_at);
    return facts;
  }

private:
  mutable std::mutex mutex_;
  webhook_facts facts_;
};

} // namespace trunkline
