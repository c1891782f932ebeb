#include "kit/peer_ledger.hpp"

#include <utility>

namespace trunkline::kit {

/// Who answers with a failure, or not at all, may have done it all the same.
bool peer_ledger::is_worked(const peer_answer& answer) {
  if (answer.failure)
    return answer.failure->fully_written() && random_() % 2 == 0;
  if (answer.status >= 500)
    return random_() % 5 == 0;
  return answer.status / 100 == 2;
}

void peer_ledger::sent(arrival what, moment at, const peer_answer& answer) {
  if (!is_worked(answer))
    return;
  const auto span = static_cast<std::uint64_t>(answer.after.count()) + 1;
  due_.emplace(at + moment{random_() % span}, std::move(what));
}

void peer_ledger::work_until(moment now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    work(due_.begin()->second);
    due_.erase(due_.begin());
  }
}

void peer_ledger::work(const arrival& what) {
  const auto is_new = seen_.emplace(what.url, what.number).second;
  switch (what.kind) {
  case log_kind::create:
  case log_kind::like:
    if (is_new)
      objects_.emplace(what.url, what.object);
    return;
  case log_kind::remove:
  case log_kind::undo_like:
    objects_.erase({what.url, what.object});
    return;
  default: // an edit of what is not known is no news
    return;
  }
}

} // namespace trunkline::kit
