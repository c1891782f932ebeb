#include "bench/farm_request.hpp"

#include <charconv>

namespace trunkline::bench {

namespace {

constexpr std::size_t request_bytes_max = 16 << 20;

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
}

bool is_name(std::string_view text, std::string_view name) {
  if (text.size() != name.size())
    return false;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (lower(text[at]) != name[at])
      return false;
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

/// Calls `see` with each name and value of `head`.
template <class Function>
void each_header(std::string_view head, Function see) {
  while (!head.empty()) {
    const auto end = head.find('\n');
    const auto line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view{} : head.substr(end + 1);
    if (const auto colon = line.find(':'); colon != std::string_view::npos)
      see(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
}

bool read_first_line(std::string_view line, farm_request& request) {
  const auto first = line.find(' ');
  const auto second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  return true;
}

} // namespace

reading read_request(std::string_view text, farm_request& request) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return text.size() < request_bytes_max ? reading::more : reading::broken;
  const auto line = text.find('\n');
  request = {};
  if (!read_first_line(text.substr(0, line), request))
    return reading::broken;
  request.head = line < end ? text.substr(line + 1, end - line - 1) : std::string_view{};
  auto length = std::size_t{0};
  each_header(request.head, [&](std::string_view name, std::string_view value) {
    if (name.size() == 14 && is_name(name, "content-length"))
      std::from_chars(value.data(), value.data() + value.size(), length);
    else if (name.size() == 6 && is_name(name, "digest"))
      request.digest = value;
    else if (name.size() == 9 && is_name(name, "signature"))
      request.signature = value;
    else if (name.size() == 10 && is_name(name, "connection"))
      request.is_last = is_name(value, "close");
  });
  if (length > request_bytes_max)
    return reading::broken;
  request.bytes = end + 4 + length;
  if (text.size() < request.bytes)
    return reading::more;
  request.body = text.substr(end + 4, length);
  return reading::whole;
}

std::string_view header_of(const farm_request& request, std::string_view wanted) {
  auto found = std::string_view{};
  each_header(request.head, [&](std::string_view name, std::string_view value) {
    if (is_name(name, wanted))
      found = value;
  });
  return found;
}

std::string_view query_of(std::string_view target, std::string_view name) {
  auto at = target.find('?');
  while (at != std::string_view::npos) {
    const auto part = target.substr(at + 1, target.find('&', at + 1) - at - 1);
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=')
      return part.substr(name.size() + 1);
    at = target.find('&', at + 1);
  }
  return {};
}

} // namespace trunkline::bench
