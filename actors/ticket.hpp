/// Tickets bound what is under way: CAF's mailboxes have no limit, so work enters with a ticket
/// and whoever gets none is answered 503.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace trunkline {

/// One piece of work under way; gives its place back when the last copy is gone.
using ticket = std::shared_ptr<const void>;

/// Hands out at most `limit` tickets at a time. Any thread. Outlived by its tickets.
class ticket_office {
public:
  explicit ticket_office(std::int64_t limit) : state_{std::make_shared<state>(limit)} {}

  /// Returns a ticket, or null when all are out; both are counted.
  ticket take();

  std::int64_t limit() const { return state_->limit; }
  std::int64_t in_use() const { return state_->in_use; }
  std::int64_t refused() const { return state_->refused; }

private:
  struct state {
    explicit state(std::int64_t most) : limit{most} {}
    const std::int64_t limit;
    std::atomic<std::int64_t> in_use = 0;
    std::atomic<std::int64_t> refused = 0;
  };
  std::shared_ptr<state> state_;
};

} // namespace trunkline
