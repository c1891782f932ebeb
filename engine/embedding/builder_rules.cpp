#include "engine/embedding/builder_rules.hpp"

#include "api/client_api.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/embedding/web_values.hpp"
#include "engine/embedding/webhook_rules.hpp"
#include "protocol/errc.hpp"
#include "protocol/scopes.hpp"
#include "protocol/webhook_signature.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace trunkline {

namespace {

using problem = std::optional<failure>;

constexpr std::size_t route_segments_max = 16;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= seat_name_bytes_max &&
         std::ranges::all_of(text,
                             [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; });
}

/// "builder.filter 'NAME'"
std::string place(std::string_view call, std::string_view name) {
  return "builder." + std::string{call} + " '" + std::string{name} + "'";
}

problem refuse(std::string where, std::string what, std::string advice) {
  return make_failure(failure_kind::invalid, std::move(where), std::move(what), std::move(advice));
}

problem check_name(std::string_view call, const std::string& name, bool is_taken) {
  if (!is_name(name))
    return refuse(place(call, name.substr(0, seat_name_bytes_max)), "is no name",
                  "give 1 to 64 letters, digits, '_' and '-'");
  if (is_taken)
    return refuse(place(call, name), "the name is used twice", "give each a name of its own");
  return std::nullopt;
}

problem too_many(std::string_view call, std::size_t limit) {
  return refuse("builder." + std::string{call},
                "an engine has at most " + std::to_string(limit) + " of them", "add fewer");
}

problem no_function(std::string where) {
  return refuse(std::move(where), "there is nothing to call", "give a function that is not empty");
}

bool is_literal_byte(char c) {
  return is_letter_or_digit(c) ||
         std::string_view{"-._~!$&'()*+,;=:@"}.find(c) != std::string::npos;
}

bool is_segment(std::string_view segment) {
  return segment == "{}" || (!segment.empty() && std::ranges::all_of(segment, is_literal_byte));
}

/// What ends with a slash is the same path as without, and no pattern.
bool is_pattern(std::string_view pattern) {
  if (pattern.size() > route_pattern_bytes_max || !pattern.starts_with('/'))
    return false;
  auto segments = std::size_t{0};
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const auto end = std::min(pattern.find('/'), pattern.size());
    if (++segments > route_segments_max || !is_segment(pattern.substr(0, end)))
      return false;
    pattern.remove_prefix(end);
  }
  return true;
}

bool is_scope(const std::string& text) {
  const auto scopes = parse_scopes(text);
  return scopes && scopes->size() <= 1;
}

bool is_taken(const node_extensions& there, const route_seat& one, http_method method) {
  const auto is_own = std::ranges::any_of(there.routes, [&](const auto& other) {
    return other.method == one.method && other.pattern == one.pattern;
  });
  return is_own || std::ranges::any_of(client_routes(), [&](const auto& row) {
           return row.method == method && row.pattern == one.pattern;
         });
}

} // namespace

problem find_problem(const node_extensions& there, const filter_seat& one) {
  if (!one.filter)
    return refuse(place("filter", one.options.name), "the filter is null", "give one");
  if (there.filters.size() >= filters_max)
    return too_many("filter", filters_max);
  return check_name("filter", one.options.name,
                    std::ranges::any_of(there.filters, [&](const auto& other) {
                      return other.options.name == one.options.name;
                    }));
}

problem find_problem(const node_extensions& there, const hook_seat& one) {
  constexpr auto names = std::to_array<std::string_view>(
      {"on_activity", "on_post", "on_delivery", "on_host_state", "on_account"});
  const auto where = "builder." + std::string{names[one.call.index()]};
  if (!std::visit([](const auto& call) { return static_cast<bool>(call); }, one.call))
    return no_function(where);
  if (one.options.queue_max < 1 || one.options.queue_max > hook_queue_max)
    return refuse(where, "queue_max is " + std::to_string(one.options.queue_max),
                  "give 1 to " + std::to_string(hook_queue_max));
  if (there.hooks.size() >= hooks_max)
    return too_many("on_activity, on_post, ...", hooks_max);
  return std::nullopt;
}

problem find_problem(const node_extensions& there, const webhook& one) {
  if (auto wrong = check_name("webhook", one.name,
                              std::ranges::any_of(there.webhooks, [&](const auto& other) {
                                return other.name == one.name;
                              })))
    return wrong;
  const auto where = place("webhook", one.name);
  if (there.webhooks.size() >= webhooks_max)
    return too_many("webhook", webhooks_max);
  if (!is_webhook_url(one.url))
    return refuse(where, "the URL is refused",
                  "give an absolute https URL, or an http one of a loopback address");
  if (one.secret.size() < webhook_secret_bytes_min)
    return refuse(where, "the secret is shorter than 24 bytes", "give a random one of 32 bytes");
  if (const auto kinds = read_event_words(one.events); !kinds)
    return refuse(where, context_of(kinds.error()),
                  "use activity, post, delivery, host_state and account");
  return std::nullopt;
}

problem find_problem(const node_extensions& there, const route_seat& one) {
  const auto where = place("route", one.method.substr(0, 16) + " " +
                                        one.pattern.substr(0, route_pattern_bytes_max));
  const auto method = parse_own_method(one.method);
  if (!method)
    return refuse(where, "the method is none that a route has",
                  "use GET (HEAD is answered too), POST, PUT, PATCH or DELETE");
  if (!is_pattern(one.pattern))
    return refuse(where, "the pattern is malformed",
                  "begin with '/', without one at the end; each of at most 16 segments is plain "
                  "text or {}");
  if (!one.handler)
    return no_function(where);
  if (!is_scope(one.options.scope))
    return refuse(where, "there is no scope '" + one.options.scope + "'",
                  "use one of Mastodon's, such as read or write:statuses");
  if (is_taken(there, one, *method))
    return refuse(where, "the pattern is taken", "choose another path");
  if (there.routes.size() >= routes_max)
    return too_many("route", routes_max);
  return std::nullopt;
}

} // namespace trunkline
