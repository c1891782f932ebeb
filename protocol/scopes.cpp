#include "protocol/scopes.hpp"

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

constexpr std::size_t scopes_max = 64;

constexpr auto reads = std::to_array<std::string_view>(
    {"accounts", "blocks", "bookmarks", "collections", "favourites", "filters", "follows", "lists",
     "mutes", "notifications", "search", "statuses"});

constexpr auto writes = std::to_array<std::string_view>(
    {"accounts", "blocks", "bookmarks", "collections", "conversations", "favourites", "filters",
     "follows", "lists", "media", "mutes", "notifications", "reports", "statuses"});

constexpr auto administered =
    std::to_array<std::string_view>({"accounts", "reports", "domain_allows", "domain_blocks",
                                     "ip_blocks", "email_domain_blocks", "canonical_email_blocks"});

/// What the old scope "follow" stands for.
constexpr auto followed = std::to_array<std::string_view>(
    {"read:blocks", "write:blocks", "read:follows", "write:follows", "read:mutes", "write:mutes"});

scope_set all_scopes() {
  auto all = scope_set{"read", "profile", "write", "follow", "push", "admin:read", "admin:write"};
  for (const auto name : reads)
    all.push_back("read:" + std::string{name});
  for (const auto name : writes)
    all.push_back("write:" + std::string{name});
  for (const auto name : administered) {
    all.push_back("admin:read:" + std::string{name});
    all.push_back("admin:write:" + std::string{name});
  }
  return all;
}

bool grants(std::string_view held, std::string_view needed) {
  if (held == needed || (held == "follow" && std::ranges::count(followed, needed) > 0))
    return true;
  if (needed == "profile") // who the person is: a part of what "read:accounts" shows
    return held == "read" || held == "read:accounts";
  return needed.size() > held.size() && needed.starts_with(held) && needed[held.size()] == ':';
}

} // namespace

const scope_set& known_scopes() {
  static const auto all = all_scopes();
  return all;
}

caf::expected<scope_set> parse_scopes(std::string_view text) {
  auto scopes = scope_set{};
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" +"), text.size());
    const auto name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty() || std::ranges::count(scopes, name) > 0)
      continue;
    if (scopes.size() == scopes_max || std::ranges::count(known_scopes(), name) == 0)
      return make_error(errc::invalid, "The requested scope is invalid, unknown, or malformed.");
    scopes.emplace_back(name);
  }
  return scopes;
}

std::string to_string(const scope_set& scopes) {
  auto text = std::string{};
  for (const auto& scope : scopes)
    text += (text.empty() ? "" : " ") + scope;
  return text;
}

bool covers(const scope_set& held, std::string_view needed) {
  return needed.empty() ||
         std::ranges::any_of(held, [&](const auto& scope) { return grants(scope, needed); });
}

bool covers_all(const scope_set& held, const scope_set& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& scope) { return covers(held, scope); });
}

} // namespace trunkline
