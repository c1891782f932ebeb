#include "protocol/names.hpp"

#include "protocol/errc.hpp"

#include <idn2.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

namespace trunkline {

namespace {

constexpr std::size_t host_max = 253;
constexpr std::size_t label_max = 63;

// Sorted. Paths of the server, mailboxes that RFC 2142 names, and words that would be believed.
constexpr auto reserved_names = std::to_array<std::string_view>({
    "abuse",         "account",   "accounts",   "activity",  "actor",     "admin",
    "administrator", "api",       "app",        "apps",      "auth",      "autoconfig",
    "collections",   "contact",   "everyone",   "followers", "following", "help",
    "here",          "host",      "hostmaster", "inbox",     "instance",  "instance_actor",
    "mastodon",      "media",     "metrics",    "mod",       "moderator", "moderators",
    "nodeinfo",      "noreply",   "oauth",      "official",  "outbox",    "owner",
    "postmaster",    "proxy",     "public",     "relay",     "root",      "security",
    "server",        "staff",     "statuses",   "support",   "system",    "tags",
    "test_admin",    "trunkline", "users",      "webfinger", "webmaster", "well_known",
    "www",
});
static_assert(std::ranges::is_sorted(reserved_names));

constexpr char lower_letter(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

constexpr bool is_name_letter(char letter) {
  return (lower_letter(letter) >= 'a' && lower_letter(letter) <= 'z') || is_digit(letter) ||
         letter == '_';
}

caf::error bad_host(std::string_view why) {
  return make_error(errc::invalid, "host: " + std::string{why});
}

bool is_label(std::string_view label) {
  const auto fits = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || is_digit(letter) || letter == '-';
  };
  return !label.empty() && label.size() <= label_max && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, fits);
}

bool has_only_labels(std::string_view name) {
  while (true) {
    const auto dot = name.find('.');
    if (!is_label(name.substr(0, dot)))
      return false;
    if (dot == std::string_view::npos)
      return true;
    name.remove_prefix(dot + 1);
  }
}

/// An address in brackets; whether it is one is judged by whoever connects.
bool is_bracketed(std::string_view name) {
  const auto fits = [](char letter) {
    return is_digit(letter) || (letter >= 'a' && letter <= 'f') || letter == ':' || letter == '.';
  };
  return name.size() > 2 && name.size() <= 47 && name.front() == '[' && name.back() == ']' &&
         std::ranges::all_of(name.substr(1, name.size() - 2), fits);
}

caf::expected<std::string> to_a_labels(std::string_view name) {
  char* raw = nullptr;
  const auto result =
      idn2_to_ascii_8z(std::string{name}.c_str(), &raw, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const auto held = std::unique_ptr<char, decltype(&idn2_free)>{raw, idn2_free};
  if (result != IDN2_OK)
    return bad_host("not a host name");
  auto text = std::string{held.get()};
  std::ranges::transform(text, text.begin(), lower_letter);
  return text;
}

std::string join(std::string_view origin, std::string_view path, std::string_view name,
                 std::string_view rest = {}) {
  auto url = std::string{origin};
  url.reserve(origin.size() + path.size() + name.size() + rest.size());
  return url.append(path).append(name).append(rest);
}

} // namespace

std::string fold_name(std::string_view name) {
  auto folded = std::string{name};
  std::ranges::transform(folded, folded.begin(), lower_letter);
  return folded;
}

bool is_reserved_name(std::string_view folded) {
  return std::ranges::binary_search(reserved_names, folded);
}

caf::expected<std::string> check_local_name(std::string_view name) {
  if (name.empty() || name.size() > local_name_max)
    return make_error(errc::invalid, "username: must have 1 to 30 letters");
  if (!std::ranges::all_of(name, is_name_letter))
    return make_error(errc::invalid, "username: only letters, digits and _ are allowed");
  auto folded = fold_name(name);
  if (is_reserved_name(folded))
    return make_error(errc::invalid, "username: is reserved");
  return folded;
}

caf::expected<std::string> canonical_host(std::string_view name) {
  if (name.empty())
    return bad_host("is empty");
  if (name.size() > host_max)
    return bad_host("is longer than 253 bytes");
  if (name.find('\0') != std::string_view::npos)
    return bad_host("not a host name");
  if (auto folded = fold_name(name); is_bracketed(folded))
    return folded;
  if (name.find(':') != std::string_view::npos)
    return bad_host("must have no port");
  if (name.back() == '.')
    return bad_host("must not end with a dot");
  auto labels = to_a_labels(name);
  if (!labels)
    return labels;
  if (labels->size() > host_max || !has_only_labels(*labels))
    return bad_host("not a host name");
  return labels;
}

std::string fold_tag(std::string_view tag) {
  utf8proc_uint8_t* raw = nullptr;
  const auto options = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(tag.data()),
                                 static_cast<utf8proc_ssize_t>(tag.size()), &raw, options);
  const auto held = std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)>{raw, std::free};
  if (size < 0 || static_cast<std::size_t>(size) > tag_bytes_max)
    return {};
  return {reinterpret_cast<const char*>(held.get()), static_cast<std::size_t>(size)};
}

std::string url_space::actor(std::string_view name) const {
  return join(origin, "/users/", name);
}
std::string url_space::inbox(std::string_view name) const {
  return join(origin, "/users/", name, "/inbox");
}
std::string url_space::outbox(std::string_view name) const {
  return join(origin, "/users/", name, "/outbox");
}
std::string url_space::followers(std::string_view name) const {
  return join(origin, "/users/", name, "/followers");
}
std::string url_space::following(std::string_view name) const {
  return join(origin, "/users/", name, "/following");
}
std::string url_space::featured(std::string_view name) const {
  return join(origin, "/users/", name, "/collections/featured");
}
std::string url_space::main_key(std::string_view name) const {
  return join(origin, "/users/", name, "#main-key");
}
std::string url_space::shared_inbox() const {
  return join(origin, "/inbox", {});
}
std::string url_space::instance_actor() const {
  return join(origin, "/actor", {});
}

std::string url_space::post(std::string_view name, post_id id) const {
  return join(origin, "/users/", name, "/statuses/").append(to_string(id));
}
std::string url_space::activity(std::string_view name, post_id id) const {
  return post(name, id).append("/activity");
}
std::string url_space::update(std::string_view name, post_id id, std::int64_t fresh) const {
  return post(name, id).append("#updates/").append(std::to_string(fresh));
}
std::string url_space::remove(std::string_view name, post_id id) const {
  return post(name, id).append("#delete");
}
std::string url_space::other(std::string_view name, std::string_view kind,
                             std::int64_t fresh) const {
  return join(origin, "/users/", name, "#").append(kind).append("/").append(std::to_string(fresh));
}

std::string url_space::profile_page(std::string_view name) const {
  return join(origin, "/@", name);
}
std::string url_space::post_page(std::string_view name, post_id id) const {
  return join(origin, "/@", name, "/").append(to_string(id));
}
std::string url_space::tag_page(std::string_view folded) const {
  return join(origin, "/tags/", folded);
}

url_space urls_of(std::string_view domain) {
  return {join("https://", domain, {})};
}

} // namespace trunkline
