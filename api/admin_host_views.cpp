#include "api/admin_host_views.hpp"

#include "protocol/errc.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace trunkline {

namespace {

using namespace std::chrono;

/// Past it what waits for a host that does well is worth a look.
constexpr auto late = minutes{1};

/// How many of each list may be among the worst.
constexpr std::size_t candidates_max = 100;

/// "4,812"
std::string grouped(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto at = std::ssize(text) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    text.insert(text.begin() + at, ',');
  return text;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return grouped(number) + " " + std::string{number == 1 ? one : many};
}

/// "22 min"
std::string age_of(microseconds age) {
  if (age < minutes{1})
    return std::to_string(std::max(duration_cast<seconds>(age).count(), std::int64_t{0})) + " s";
  if (age < hours{1})
    return std::to_string(duration_cast<minutes>(age).count()) + " min";
  if (age < hours{48})
    return std::to_string(duration_cast<hours>(age).count()) + " h";
  return std::to_string(duration_cast<hours>(age).count() / 24) + " days";
}

/// "11:02" for a time of today, else "2026-11-27 11:02".
std::string clock_words(time_point at, time_point now) {
  const auto text = to_iso8601(at);
  const auto clock = text.substr(11, 5);
  return floor<days>(at) == floor<days>(now) ? clock : text.substr(0, 10) + " " + clock;
}

/// "2.4 s" for 2,412 ms.
std::string latency_words(microseconds latency) {
  const auto tenths = duration_cast<milliseconds>(latency).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

/// What an operator has ordered for it; "" for nothing.
std::string orders_on(const host_facts& facts) {
  auto words = std::string{};
  if (facts.paused)
    words += ", paused by an operator";
  if (facts.is_drained())
    words += ", drained: takes nothing new";
  if (facts.limit_in_flight)
    words += ", limited to " + grouped(*facts.limit_in_flight) + " at once";
  if (facts.limit_per_s)
    words += ", limited to " + grouped(*facts.limit_per_s) + "/s";
  return words;
}

/// What is wrong with it, and since when; "" for nothing.
std::string trouble_of(const host_health_line& health, time_point now) {
  const auto& facts = health.facts;
  auto words = std::string{};
  if (facts.fail_streak > 0)
    words = ", " + (health.last_error.empty() ? "fails" : health.last_error);
  if (facts.fail_streak > 0 && facts.first_fail_at)
    words += " since " + clock_words(*facts.first_fail_at, now);
  if (facts.state == host_state::dormant || facts.state == host_state::dead)
    words += ", " + std::string{to_string(facts.state)};
  if (facts.state == host_state::slow)
    words += ", answers after " + latency_words(health.latency);
  return words;
}

/// A paused host is not tried, whatever its timer says.
std::string next_try_of(const host_health_line& health, time_point now) {
  if (health.facts.paused)
    return "";
  if (health.facts.state == host_state::probing)
    return ", is being tried";
  if (!health.facts.next_try_at)
    return "";
  return ", next try " +
         (*health.facts.next_try_at <= now ? "now" : clock_words(*health.facts.next_try_at, now));
}

json_value number_or_null(const std::optional<std::int64_t>& number) {
  return number ? json_value{*number} : json_value{};
}

json_value last_error_of(const host_health_line& health) {
  if (health.last_error.empty())
    return {};
  return json_object{{"text", health.last_error}, {"at", time_or_null(health.last_error_at)}};
}

/// How bad it is: seconds of waiting, of all units together.
double weight_of(const host_line& host, time_point now) {
  const auto age = host.oldest_at ? duration<double>(now - *host.oldest_at).count() : 0.0;
  return static_cast<double>(host.sums.pending) * std::max(age, 1.0);
}

} // namespace

json_value time_or_null(const std::optional<time_point>& at) {
  return at ? json_value{to_iso8601(*at)} : json_value{};
}

json_value text_or_null(std::string text) {
  return text.empty() ? json_value{} : json_value{std::move(text)};
}

std::string_view word_of(delivery_class cls) {
  return cls == delivery_class::direct ? "direct" : "bulk";
}

std::string to_text(const unit_key& unit) {
  return std::to_string(unit.seq) + ":" + to_string(unit.endpoint);
}

caf::expected<unit_key> read_unit(std::string_view text, std::string_view field) {
  const auto colon = std::min(text.find(':'), text.size());
  const auto seq = parse_id(text.substr(0, colon));
  const auto endpoint = parse_id(text.substr(std::min(colon + 1, text.size())));
  if (seq && endpoint)
    return unit_key{.seq = *seq, .endpoint = endpoint_id{*endpoint}};
  return make_error(errc::invalid, std::string{field} + ": '" + std::string{text} +
                                       "' must be ROW:ENDPOINT, as `unit` in a list");
}

json_object render(const delivery_sums& sums) {
  return {{"offered", sums.offered}, {"delivered", sums.delivered}, {"coalesced", sums.coalesced},
          {"dead", sums.dead},       {"expired", sums.expired},     {"cancelled", sums.cancelled},
          {"pending", sums.pending}};
}

json_object render(const host_line& host, const std::string& node, time_point now) {
  const auto& health = host.health;
  const auto& facts = health.facts;
  const auto latency = duration_cast<milliseconds>(health.latency).count();
  return {{"name", to_name(host.address)},
          {"origin", to_key(host.address)},
          {"node", node},
          {"state", to_string(facts.state)},
          {"paused", facts.paused},
          {"drained", facts.is_drained()},
          {"behind", health.behind},
          {"backlog", host.sums.pending},
          {"oldest_at", time_or_null(host.oldest_at)},
          {"fail_streak", facts.fail_streak},
          {"failing_since", facts.fail_streak > 0 ? time_or_null(facts.first_fail_at) : nullptr},
          {"next_try_at", time_or_null(facts.next_try_at)},
          {"latency_ms", latency > 0 ? json_value{latency} : json_value{}},
          {"window", facts.window},
          {"in_flight", health.in_flight},
          {"exceptions", host.exceptions},
          {"dead", host.dead_letters},
          {"last_ok_at", time_or_null(facts.last_ok_at)},
          {"last_error", last_error_of(health)},
          {"limit", json_object{{"in_flight", number_or_null(facts.limit_in_flight)},
                                {"per_s", number_or_null(facts.limit_per_s)}}},
          {"sums", render(host.sums)},
          {"sentence", sentence_of(host, now)}};
}

std::string sentence_of(const host_line& host, time_point now) {
  auto words = host.sums.pending > 0 ? grouped(host.sums.pending) + " waiting" : "nothing waiting";
  if (host.sums.pending > 0 && host.oldest_at)
    words += ", oldest " + age_of(now - *host.oldest_at);
  if (host.exceptions > 0)
    words += ", " + counted(host.exceptions, "exception", "exceptions");
  words +=
      orders_on(host.health.facts) + trouble_of(host.health, now) + next_try_of(host.health, now);
  if (host.dead_letters > 0)
    words += ", " + counted(host.dead_letters, "dead letter", "dead letters");
  return words;
}

bool needs_attention(const host_line& host, time_point now) {
  const auto& facts = host.health.facts;
  if (host.sums.pending <= 0)
    return false;
  return facts.paused || facts.is_drained() || facts.fail_streak > 0 || is_withheld(facts.state) ||
         facts.state == host_state::slow || host.exceptions > 0 ||
         (host.oldest_at && now - *host.oldest_at >= late);
}

std::vector<host_line> worst_of(const host_board& board, time_point now) {
  auto found = std::map<host_id, host_line>{};
  for (const auto order : {host_order::backlog, host_order::oldest, host_order::failures})
    for (auto& host : board.list({.order = order, .limit = candidates_max}))
      if (needs_attention(host, now))
        found.emplace(host.health.facts.id, std::move(host));
  auto worst = std::vector<host_line>{};
  for (auto& [id, host] : found)
    worst.push_back(std::move(host));
  std::ranges::sort(worst, [now](const host_line& one, const host_line& other) {
    return is_worse(one, other, now);
  });
  worst.resize(std::min(worst.size(), attention_max));
  return worst;
}

bool is_worse(const host_line& one, const host_line& other, time_point now) {
  const auto here = weight_of(one, now);
  const auto there = weight_of(other, now);
  return here != there ? here > there : one.health.facts.id < other.health.facts.id;
}

} // namespace trunkline
