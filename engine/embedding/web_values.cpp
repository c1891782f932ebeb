#include "engine/embedding/web_values.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trunkline {

namespace {

constexpr auto own_methods = std::to_array<http_method>(
    {http_method::get, http_method::post, http_method::put, http_method::patch, http_method::del});

/// Headers that frame an answer: two of them would tear it in two.
constexpr auto framing_headers = std::to_array<std::string_view>(
    {"content-type", "content-length", "transfer-encoding", "connection", "date"});

constexpr auto token_letters =
    std::string_view{"abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"};

std::string lower_case(std::string_view text) {
  auto folded = std::string{text};
  std::ranges::transform(folded, folded.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return folded;
}

bool is_name(std::string_view name) {
  return !name.empty() && lower_case(name).find_first_not_of(token_letters) == std::string::npos;
}

bool is_value(std::string_view value) {
  return std::ranges::none_of(value, [](char letter) {
    return (letter >= 0 && letter < ' ' && letter != '\t') || letter == '\x7f';
  });
}

bool is_sound(const web_response& answer) {
  return answer.status >= 200 && answer.status <= 599 && is_value(answer.content_type) &&
         std::ranges::all_of(answer.headers, [](const auto& header) {
           return is_name(header.first) && is_value(header.second);
         });
}

} // namespace

std::optional<http_method> parse_own_method(std::string_view name) {
  const auto found =
      std::ranges::find_if(own_methods, [name](auto method) { return to_string(method) == name; });
  return found == own_methods.end() ? std::nullopt : std::optional{*found};
}

web_request to_web(const http_request& request) {
  auto target = request.path;
  if (!request.query.empty())
    target += "?" + request.query;
  return {.method = std::string{to_string(request.method)},
          .target = std::move(target),
          .headers = request.headers,
          .body = request.body,
          .peer = request.peer};
}

web_caller to_web(const caller& who) {
  return {.known = who.known,
          .account = who.account ? to_string(who.account) : "",
          .scopes = who.scopes};
}

http_response from_web(web_response answer) {
  if (!is_sound(answer))
    return {.status = 500, .body = R"({"error":"Internal server error"})"};
  std::erase_if(answer.headers, [](const auto& header) {
    return std::ranges::count(framing_headers, lower_case(header.first)) > 0;
  });
  return {.status = answer.status,
          .body = std::move(answer.body),
          .content_type = std::move(answer.content_type),
          .headers = std::move(answer.headers)};
}

} // namespace trunkline
