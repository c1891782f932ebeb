#include "api/admin_handlers.hpp"
#include "api/embedded_files.hpp"
#include "api/handling.hpp"

#include <algorithm>

namespace trunkline {

namespace {

/// The page loads nothing but itself, and stands in nobody's frame.
constexpr auto page_policy = std::string_view{
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"};

void answer_file(std::string_view name, std::string_view content_type, const http_reply& reply) {
  const auto found = std::ranges::find(dashboard_files, name, &embedded_file::name);
  auto answer = http_response{.status = 200, .body = std::string{found->text}};
  answer.content_type = content_type;
  answer.headers.emplace_back("Content-Security-Policy", page_policy);
  answer.headers.emplace_back("Referrer-Policy", "no-referrer");
  answer.headers.emplace_back("Cache-Control", "no-cache");
  reply(std::move(answer));
}

} // namespace

void show_page(gateway_state&, const matched_request&, http_reply reply) {
  answer_file("index.html", "text/html; charset=utf-8", reply);
}

void show_page_script(gateway_state&, const matched_request&, http_reply reply) {
  answer_file("page.js", "text/javascript; charset=utf-8", reply);
}

void show_page_style(gateway_state&, const matched_request&, http_reply reply) {
  answer_file("page.css", "text/css; charset=utf-8", reply);
}

} // namespace trunkline
