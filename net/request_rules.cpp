#include "net/request_rules.hpp"

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

constexpr http_fault bare_line_end{400, "Line without CRLF"};
constexpr http_fault nul_byte{400, "NUL in the head"};
constexpr http_fault bad_host{400, "Missing, repeated or malformed Host"};
constexpr http_fault bad_length{400, "Malformed or repeated Content-Length"};
constexpr http_fault bad_coding{400, "Unsupported or ambiguous Transfer-Encoding"};
constexpr http_fault bad_expectation{417, "Unsupported Expect"};
constexpr http_fault bad_target{400, "Malformed request target"};
constexpr http_fault foreign_target{400, "Request target names another host than Host"};

constexpr std::size_t method_bytes_max = 32;
constexpr std::size_t version_bytes = 10; // a space, "HTTP/1.1" and one to spare
constexpr std::size_t length_digits_max = 18;

constexpr std::array<bool, 256> make_token_bytes() {
  std::array<bool, 256> token{};
  for (unsigned c = '0'; c <= '9'; ++c)
    token[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c)
    token[c] = token[c - 'a' + 'A'] = true;
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
    token[static_cast<unsigned char>(c)] = true;
  return token;
}

constexpr auto token_bytes = make_token_bytes();

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return token_bytes[static_cast<unsigned char>(c)];
  });
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Visible ASCII: what a target may be made of.
bool is_visible(char c) {
  return c > ' ' && c < 0x7f;
}

/// What a value may hold: visible bytes, spaces, tabs and bytes above ASCII.
bool is_value_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

bool is_request_line(std::string_view line) {
  const auto first = line.find(' ');
  if (first == std::string_view::npos || first > method_bytes_max ||
      !is_token(line.substr(0, first)))
    return false;
  const auto second = line.find(' ', first + 1);
  if (second == std::string_view::npos || second == first + 1)
    return false;
  return std::ranges::all_of(line.substr(first + 1, second - first - 1), is_visible) &&
         line.substr(second + 1).starts_with("HTTP/") &&
         std::ranges::all_of(line.substr(second + 1), is_visible);
}

bool is_header_line(std::string_view line) {
  const auto colon = line.find(':');
  return colon != std::string_view::npos && is_token(line.substr(0, colon)) &&
         std::ranges::all_of(line.substr(colon + 1), is_value_byte);
}

std::size_t count(const http_headers& headers, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers, [&](const auto& header) { return equal_ignoring_case(header.first, name); }));
}

bool is_host(std::string_view host) {
  const auto allowed = [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
           std::string_view{"-._~[]:"}.find(c) != std::string_view::npos;
  };
  return !host.empty() && std::ranges::all_of(host, allowed);
}

bool is_length(std::string_view text) {
  return !text.empty() && text.size() <= length_digits_max && std::ranges::all_of(text, is_digit);
}

/// A path of whole percent escapes without a NUL.
bool is_path(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '#')
      return false;
    if (path[i] != '%')
      continue;
    if (path.size() - i < 3 || !is_hex(path[i + 1]) || !is_hex(path[i + 2]))
      return false;
    if (path[i + 1] == '0' && path[i + 2] == '0')
      return false;
  }
  return true;
}

/// Cuts "http://host" or "https://host" off `target`; returns the host.
std::optional<std::string_view> cut_authority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme))
      continue;
    target.remove_prefix(scheme.size());
    const auto end = std::min(target.find_first_of("/?"), target.size());
    const auto host = target.substr(0, end);
    target.remove_prefix(end);
    return host;
  }
  return std::nullopt;
}

} // namespace

std::optional<http_fault> head_scanner::scan(std::string_view text, std::size_t& size) {
  size = 0;
  for (; seen_ < text.size(); ++seen_) {
    if (text[seen_] == '\0')
      return nul_byte;
    // The byte after a CR decides; a CR at the very end waits for it.
    if (seen_ > 0 && text[seen_ - 1] == '\r' && text[seen_] != '\n')
      return bare_line_end;
    if (text[seen_] != '\n')
      continue;
    if (seen_ == line_begin_ || text[seen_ - 1] != '\r')
      return bare_line_end;
    const auto line = text.substr(line_begin_, seen_ - 1 - line_begin_);
    line_begin_ = seen_ + 1;
    if (line_begin_ > limits_.header_bytes_max)
      return headers_too_large;
    if (auto fault = take_line(line))
      return fault;
    if (line.empty()) {
      size = line_begin_;
      return std::nullopt;
    }
  }
  if (lines_ == 0 && text.size() > method_bytes_max + limits_.target_bytes_max + version_bytes)
    return target_too_long;
  if (text.size() > limits_.header_bytes_max)
    return headers_too_large;
  return std::nullopt;
}

std::optional<http_fault> head_scanner::take_line(std::string_view line) {
  if (lines_++ == 0) {
    const auto begin = line.find(' ');
    const auto end = line.rfind(' ');
    if (begin < end && end - begin - 1 > limits_.target_bytes_max)
      return target_too_long;
    return std::nullopt;
  }
  if (!line.empty() && lines_ - 1 > limits_.headers_max)
    return headers_too_large;
  return std::nullopt;
}

std::optional<http_fault> check_lines(std::string_view head) {
  bool first = true;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    if (line.empty())
      return first ? std::optional{bad_request_line} : std::nullopt;
    if (first && !is_request_line(line))
      return bad_request_line;
    if (!first && !is_header_line(line))
      return bad_header;
    first = false;
    head.remove_prefix(end + 2);
  }
  return std::nullopt;
}

std::optional<http_fault> check_framing(const http_headers& headers, int minor) {
  const auto hosts = count(headers, "Host");
  if (hosts > 1 || (hosts == 0 && minor > 0))
    return bad_host;
  if (hosts == 1 && !is_host(find_header(headers, "Host")))
    return bad_host;
  const auto lengths = count(headers, "Content-Length");
  if (lengths > 1 || (lengths == 1 && !is_length(find_header(headers, "Content-Length"))))
    return bad_length;
  const auto codings = count(headers, "Transfer-Encoding");
  if (codings > 1 || (codings == 1 && (lengths > 0 || minor == 0)))
    return bad_coding;
  if (codings == 1 && !equal_ignoring_case(find_header(headers, "Transfer-Encoding"), "chunked"))
    return bad_coding;
  const auto expectations = count(headers, "Expect");
  if (expectations > 1 ||
      (expectations == 1 && !equal_ignoring_case(find_header(headers, "Expect"), "100-continue")))
    return bad_expectation;
  return std::nullopt;
}

std::optional<http_fault> take_target(std::string_view target, http_request& request) {
  if (const auto authority = cut_authority(target)) {
    if (!equal_ignoring_case(*authority, request.header("Host")))
      return foreign_target;
    if (!target.starts_with('/')) {
      request.path = "/";
      request.query = target.empty() ? "" : target.substr(1);
      return std::nullopt;
    }
  }
  const auto mark = target.find('?');
  const auto path = target.substr(0, mark);
  if (!path.starts_with('/') || !is_path(path) || target.find('#') != std::string_view::npos)
    return bad_target;
  request.path = path;
  request.query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  return std::nullopt;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

} // namespace trunkline
