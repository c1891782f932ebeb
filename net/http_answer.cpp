#include "net/http_answer.hpp"

#include "net/request_rules.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>

namespace trunkline {

namespace {

bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

void append_header(std::string& head, std::string_view name, std::string_view value) {
  if (name.empty() || !is_clean(name) || !is_clean(value))
    return;
  head.append(name).append(": ").append(value).append("\r\n");
}

} // namespace

http_response error_answer(int status, std::string_view message) {
  http_response answer{.status = status};
  answer.body.append(R"({"error":")").append(message).append(R"("})");
  if (status == 503)
    answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

bool is_bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

std::string answer_head(const http_response& response, const answer_framing& framing) {
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  std::string head;
  head.reserve(512);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(reason.data(), reason.size()).append("\r\n");
  append_header(head, "Date", framing.date);
  if (!is_bodiless(response.status)) {
    append_header(head, "Content-Type", response.content_type);
    append_header(head, "Content-Length", std::to_string(response.body.size()));
  }
  append_header(head, "Connection", framing.close ? "close" : "keep-alive");
  for (const auto& [name, value] : response.headers)
    append_header(head, name, value);
  return head += "\r\n";
}

std::string peer_of(const trusted_proxies& proxies, const ip_bytes& socket_peer,
                    const http_headers& headers) {
  if (!proxies.covers(socket_peer))
    return to_text(socket_peer);
  std::string chain;
  for (const auto& [name, value] : headers)
    if (equal_ignoring_case(name, "X-Forwarded-For"))
      chain.append(chain.empty() ? "" : ",").append(value);
  return to_text(proxies.client_of(socket_peer, chain));
}

} // namespace trunkline
