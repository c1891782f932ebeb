#include "protocol/oauth.hpp"

#include "protocol/crypto.hpp"

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

constexpr std::size_t uri_bytes_max = 2'000;

/// Schemes that run or show what stands in the address itself, or read the person's files.
constexpr auto refused_schemes = std::to_array<std::string_view>(
    {"javascript", "data", "vbscript", "blob", "file", "about", "view-source", "filesystem"});

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// Returns the scheme in lower case, or "" when there is none.
std::string scheme_of(std::string_view uri) {
  const auto end = uri.find(':');
  if (end == std::string_view::npos || end == 0 || !is_letter(uri.front()))
    return {};
  auto scheme = std::string{};
  for (const auto c : uri.substr(0, end)) {
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
      return {};
    scheme += is_letter(c) ? static_cast<char>(c | 0x20) : c;
  }
  return scheme;
}

bool is_printable(std::string_view text) {
  constexpr auto refused = std::string_view{"\"<>\\^`{|}"};
  return std::ranges::all_of(text, [&](char c) {
    return c > ' ' && c < '\x7f' && refused.find(c) == std::string_view::npos;
  });
}

/// http addresses name a host, and nobody in it: user names there mislead people.
bool has_host(std::string_view rest) {
  if (!rest.starts_with("//"))
    return false;
  const auto authority = rest.substr(2, rest.find_first_of("/?", 2) - 2);
  return !authority.empty() && authority.find('@') == std::string_view::npos;
}

caf::error refused(std::string_view why) {
  return make_error(errc::invalid, "Validation failed: Redirect URI " + std::string{why});
}

} // namespace

caf::error check_redirect_uri(std::string_view uri) {
  if (uri == out_of_band)
    return {};
  if (uri.size() > uri_bytes_max)
    return refused("is too long");
  const auto scheme = scheme_of(uri);
  if (scheme.empty() || !is_printable(uri) || uri.size() == scheme.size() + 1)
    return refused("must be an absolute URI.");
  if (uri.find('#') != std::string_view::npos)
    return refused("cannot contain a fragment.");
  if (std::ranges::count(refused_schemes, scheme) > 0)
    return refused("is forbidden by the server.");
  const auto is_web = scheme == "http" || scheme == "https";
  if (is_web && !has_host(uri.substr(scheme.size() + 1)))
    return refused("must be an absolute URI.");
  return {};
}

caf::error check_challenge(std::string_view challenge, std::string_view method) {
  if (challenge.empty() && method.empty())
    return {};
  if (method != "S256")
    return make_error(errc::invalid, "The code_challenge_method must be S256.");
  if (challenge.size() != 43 || !std::ranges::all_of(challenge, is_unreserved))
    return make_error(errc::invalid, "The code_challenge is not an S256 challenge.");
  return {};
}

bool verifier_fits(std::string_view challenge, std::string_view verifier) {
  if (challenge.empty())
    return verifier.empty();
  if (verifier.size() < 43 || verifier.size() > 128 ||
      !std::ranges::all_of(verifier, is_unreserved))
    return false;
  return same_secret(challenge, to_base64url(sha256(verifier)));
}

std::string percent_encode(std::string_view text) {
  constexpr auto digits = std::string_view{"0123456789ABCDEF"};
  auto out = std::string{};
  for (const auto c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    out += '%';
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string add_parameter(std::string uri, std::string_view name, std::string_view value) {
  uri += uri.find('?') == std::string::npos ? '?' : '&';
  uri += name;
  uri += '=';
  return uri + percent_encode(value);
}

} // namespace trunkline
