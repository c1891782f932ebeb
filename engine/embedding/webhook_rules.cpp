#include "engine/embedding/webhook_rules.hpp"

#include "engine/settings.hpp"
#include "protocol/errc.hpp"
#include "protocol/host_address.hpp"
#include "protocol/ip_address.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::size_t shown_bytes_max = 64;

/// Further from every word, nothing can be said of what was meant.
constexpr std::size_t distance_max = 3;

bool is_loopback(std::string_view host) {
  static const auto ipv4 = *parse_ip_prefix("127.0.0.0/8");
  static const auto ipv6 = *parse_ip_prefix("::1/128");
  if (host == "localhost")
    return true;
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  const auto ip = parse_ip(host);
  return ip && (ipv4.covers(*ip) || ipv6.covers(*ip));
}

std::string nearest_word(std::string_view word) {
  const auto* best = std::ranges::min_element(
      event_words, {}, [&](std::string_view known) { return edit_distance(word, known); });
  return edit_distance(word, *best) <= distance_max ? std::string{*best} : std::string{};
}

caf::error unknown(const std::string& word) {
  const auto shown = word.substr(0, shown_bytes_max);
  const auto meant = nearest_word(shown);
  const auto hint = meant.empty() ? std::string{"; the events are activity, post, delivery, "
                                                "host_state and account"}
                                  : "; did you mean '" + meant + "'?";
  return make_error(errc::config_invalid, "there is no event '" + shown + "'" + hint);
}

} // namespace

bool is_webhook_url(std::string_view text) {
  const auto url = parse_remote_url(text, {.allow_http = true});
  return url && (url->host.scheme == "https" || is_loopback(url->host.name));
}

caf::expected<event_kinds> read_event_words(const std::vector<std::string>& words) {
  if (words.empty())
    return event_kinds::all();
  auto kinds = event_kinds{};
  for (const auto& word : words) {
    const auto kind = event_kind_of(word);
    if (!kind)
      return unknown(word);
    kinds.add(*kind);
  }
  return kinds;
}

} // namespace trunkline
