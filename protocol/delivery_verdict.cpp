#include "protocol/delivery_verdict.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

constexpr auto months = std::to_array<std::string_view>(
    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});

std::optional<int> number(std::string_view text) {
  auto value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0)
    return std::nullopt;
  return value;
}

/// Reads "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<time_point> read_date(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT")
    return std::nullopt;
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const auto day = number(text.substr(5, 2));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second || *hour > 23 ||
      *minute > 59 || *second > 60)
    return std::nullopt;
  const auto date = std::chrono::year{*year} /
                    std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1} /
                    std::chrono::day{static_cast<unsigned>(*day)};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
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
    wait = std::chrono::seconds{*number(text)};
  else if (const auto date = read_date(text))
    wait = *date - now;
  if (!wait || *wait < 1s)
    return std::nullopt;
  return std::min<std::chrono::microseconds>(*wait, 24h);
}

} // namespace trunkline
