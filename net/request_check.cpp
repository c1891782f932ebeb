#include "net/request_check.hpp"

#include "net/http_answer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace trunkline {

namespace {

constexpr http_fault wrong_length{400, "Content-Length contradicts the body"};

constexpr auto methods = std::to_array<http_method>(
    {http_method::get, http_method::head, http_method::post, http_method::put, http_method::patch,
     http_method::del, http_method::options});

http_method method_of(std::string_view name) {
  const auto* found =
      std::ranges::find_if(methods, [&](auto method) { return to_string(method) == name; });
  return found == methods.end() ? http_method::other : *found;
}

/// Written into a head, it would end its line.
bool ends_line(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

/// As a parser does: what stands around a value is not part of it.
void trim(std::string& value) {
  const auto begin = value.find_first_not_of(" \t");
  const auto end = value.find_last_not_of(" \t");
  value = begin == std::string::npos ? "" : value.substr(begin, end - begin + 1);
}

std::size_t head_bytes(const loose_request& parts) {
  auto sum = parts.method.size() + parts.target.size();
  for (const auto& [name, value] : parts.headers)
    sum += name.size() + value.size();
  return sum;
}

/// Writes the head as it would have come, and reads it as a server does.
std::optional<http_fault> judge_head(const loose_request& parts, const head_limits& limits) {
  if (ends_line(parts.method) || ends_line(parts.target))
    return bad_request_line;
  auto head = parts.method + " " + parts.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : parts.headers) {
    if (ends_line(value) || name.find_first_of(":\r\n") != std::string::npos)
      return bad_header;
    head.append(name).append(": ").append(value).append("\r\n");
  }
  head.append("\r\n");
  auto size = std::size_t{0};
  if (auto fault = head_scanner{limits}.scan(head, size))
    return fault;
  return check_lines(head);
}

std::optional<http_fault> judge_body(const loose_request& parts, const request_limits& limits) {
  if (parts.body.size() > limits.body_bytes_max)
    return body_too_large;
  const auto length = find_header(parts.headers, "Content-Length");
  if (length.empty())
    return std::nullopt;
  auto bytes = std::size_t{0};
  std::from_chars(length.data(), length.data() + length.size(), bytes);
  return bytes == parts.body.size() ? std::nullopt : std::optional{wrong_length};
}

} // namespace

std::optional<http_fault> take_request(loose_request parts, const request_limits& limits,
                                       http_request& request) {
  // Before it is copied: the sizes are the sender's.
  if (parts.target.size() > limits.head.target_bytes_max)
    return target_too_long;
  if (head_bytes(parts) > limits.head.header_bytes_max)
    return headers_too_large;
  if (auto fault = judge_head(parts, limits.head))
    return fault;
  for (auto& [name, value] : parts.headers)
    trim(value);
  // HTTP/1.0 is what has no need of Host, and knows no Transfer-Encoding.
  if (auto fault = check_framing(parts.headers, 0))
    return fault;
  if (auto fault = judge_body(parts, limits))
    return fault;
  request.method = method_of(parts.method);
  request.headers = std::move(parts.headers);
  if (auto fault = take_target(parts.target, request))
    return fault;
  request.body = std::move(parts.body);
  return std::nullopt;
}

http_response answer_of(const http_fault& fault) {
  return error_answer(fault.status, fault.message);
}

} // namespace trunkline
