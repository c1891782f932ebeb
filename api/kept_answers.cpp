#include "api/kept_answers.hpp"

#include "protocol/errc.hpp"

namespace trunkline {

caf::expected<std::optional<http_response>>
kept_answers::begin(const std::string& key, const std::string& fingerprint, time_point now) {
  const auto lock = std::scoped_lock{mutex_};
  while (!order_.empty() && now - order_.front().first >= age_max)
    forget_oldest();
  const auto found = answers_.find(key);
  if (found == answers_.end()) {
    if (order_.size() >= answers_max)
      forget_oldest();
    answers_.emplace(key, kept{.fingerprint = fingerprint, .at = now, .answer = {}});
    order_.emplace_back(now, key);
    return std::optional<http_response>{};
  }
  if (found->second.fingerprint != fingerprint)
    return make_error(errc::invalid, "Idempotency-Key: was used for another request; take a new "
                                     "one for each action");
  if (!found->second.answer)
    return make_error(errc::conflict, "Idempotency-Key: the first request with it is under way; "
                                      "ask again soon");
  return found->second.answer;
}

void kept_answers::keep(const std::string& key, const http_response& answer) {
  const auto lock = std::scoped_lock{mutex_};
  if (const auto found = answers_.find(key); found != answers_.end())
    found->second.answer = answer;
}

void kept_answers::forget(const std::string& key) {
  const auto lock = std::scoped_lock{mutex_};
  answers_.erase(key);
}

/// An entry of `order_` whose answer is younger, or gone, has been overtaken.
void kept_answers::forget_oldest() {
  const auto found = answers_.find(order_.front().second);
  if (found != answers_.end() && found->second.at == order_.front().first)
    answers_.erase(found);
  order_.pop_front();
}

} // namespace trunkline
