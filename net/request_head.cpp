#include "net/request_head.hpp"

#include "net/request_rules.hpp"

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

constexpr auto own_headers = std::to_array<std::string_view>(
    {"Host", "User-Agent", "Accept-Encoding", "Connection", "Content-Length", "Transfer-Encoding",
     "Trailer", "Upgrade", "Expect", "TE", "Keep-Alive", "Proxy-Authorization"});

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && std::ranges::all_of(name, allowed);
}

bool is_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && byte != '\t') || byte == 0x7f;
  });
}

bool has_body(const outgoing_request& request) {
  return request.body || request.method == http_method::post;
}

void add_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

} // namespace

std::optional<std::string> find_request_fault(const outgoing_request& request) {
  if (request.method == http_method::other)
    return "the method has no name";
  for (const auto& [name, value] : request.headers) {
    if (!is_name(name))
      return "a header's name has characters that no name has";
    if (!is_value(value))
      return "the header " + name + " holds a line end or a control character";
    if (std::ranges::any_of(own_headers, [&](auto own) { return equal_ignoring_case(name, own); }))
      return "the header " + name + " is the client's to write";
  }
  return std::nullopt;
}

std::string make_request_head(const outgoing_request& request, const remote_url& url,
                              std::string_view user_agent) {
  std::string head;
  head.reserve(512);
  head.append(to_string(request.method)).append(" ").append(url.target).append(" HTTP/1.1\r\n");
  add_header(head, "Host", to_name(url.host));
  add_header(head, "User-Agent", user_agent);
  add_header(head, "Accept-Encoding", "gzip");
  if (has_body(request))
    add_header(head, "Content-Length", std::to_string(request.body ? request.body->size() : 0));
  for (const auto& [name, value] : request.headers)
    add_header(head, name, value);
  return head.append("\r\n");
}

} // namespace trunkline
