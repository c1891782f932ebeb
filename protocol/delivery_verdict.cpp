#include "protocol/delivery_verdict.hpp"

#include "protocol/http_date.hpp"

#include <algorithm>
#include <charconv>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

std::chrono::seconds seconds_in(std::string_view digits) {
  auto value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return std::chrono::seconds{value};
}

/// Signatures that this host does not understand: it is tried once with the other kind.
bool asks_for_other_signature(const delivery_answer& answer) {
  return (answer.status == 400 || answer.status == 401) &&
         answer.known == signature_scheme::unknown && answer.used != signature_scheme::rfc9421;
}

delivery_outcome outcome_of(const delivery_answer& answer) {
  switch (answer.status) {
  case 401:
  case 403:
    return answer.answered_lately ? delivery_outcome::item_failed : delivery_outcome::host_failed;
  case 404:
  case 410:
    return answer.shared_inbox ? delivery_outcome::item_failed : delivery_outcome::dead_letter;
  case 408:
  case 425:
    return delivery_outcome::host_failed;
  case 429:
    return delivery_outcome::host_busy;
  case 501:
    return delivery_outcome::dead_letter;
  default:
    return answer.status >= 500 && answer.status < 600 ? delivery_outcome::host_failed
                                                       : delivery_outcome::dead_letter;
  }
}

} // namespace

delivery_verdict judge(const delivery_answer& answer, time_point now) {
  if (answer.status >= 200 && answer.status < 300)
    return {};
  if (answer.status == 0)
    return {.outcome = delivery_outcome::host_failed,
            .reason = std::string{answer.failure},
            .may_be_items = answer.fully_written};
  auto verdict = delivery_verdict{.reason = "status " + std::to_string(answer.status)};
  if (asks_for_other_signature(answer)) {
    verdict.outcome = delivery_outcome::sign_again;
    return verdict;
  }
  verdict.outcome = outcome_of(answer);
  verdict.may_be_items = verdict.outcome == delivery_outcome::host_failed;
  const auto is_missing = answer.status == 404 || answer.status == 410;
  verdict.asks_for_actor = is_missing && !answer.shared_inbox;
  verdict.asks_for_inbox = is_missing && answer.shared_inbox;
  if (verdict.outcome == delivery_outcome::host_failed ||
      verdict.outcome == delivery_outcome::host_busy)
    verdict.retry_after = read_retry_after(answer.retry_after, now);
  return verdict;
}

std::optional<std::chrono::microseconds> read_retry_after(std::string_view text, time_point now) {
  auto wait = std::optional<std::chrono::microseconds>{};
  if (!text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == text.npos)
    wait = seconds_in(text);
  else if (const auto date = parse_http_date(text))
    wait = *date - now;
  if (!wait || *wait < 1s)
    return std::nullopt;
  return std::min<std::chrono::microseconds>(*wait, 24h);
}

} // namespace trunkline
