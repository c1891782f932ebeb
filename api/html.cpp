#include "api/html.hpp"

#include "protocol/entities.hpp"
#include "protocol/plain_text.hpp"

namespace trunkline {

const std::string_view page_style =
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c1c1e;background:#fff}"
    "h1{font-size:1.4rem}article{border-top:1px solid #ddd;padding:1rem 0}"
    "label{display:block;margin:.8rem 0}input{font:inherit;display:block;width:100%;padding:.4rem;"
    "box-sizing:border-box}"
    "button{font:inherit;padding:.5rem 1.2rem;margin-right:.6rem}"
    "code{font-size:1.1rem;word-break:break-all}.problem{color:#a1162a}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#18181b}a{color:#9cc4ff}}";

http_response html_page(int status, const std::string& title, const std::string& body) {
  auto response = http_response{.status = status, .content_type = "text/html; charset=utf-8"};
  response.body = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width\"><title>" +
                  escape_html(title) +
                  "</title><link rel=\"stylesheet\" href=\"/page.css\"></head><body><h1>" +
                  escape_html(title) + "</h1>" + body + "</body></html>";
  // No form-action: browsers apply it to the redirect that leads back to the app.
  response.headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'self';"
                                                  " img-src 'self'; base-uri 'none';"
                                                  " frame-ancestors 'none'"},
                      {"X-Frame-Options", "DENY"}};
  return response;
}

http_response html_problem(int status, const std::string& problem) {
  return html_page(status, "This does not work",
                   "<p class=\"problem\">" + escape_html(problem) + "</p>");
}

std::string hidden_field(std::string_view name, const std::string& value) {
  return "<input type=\"hidden\" name=\"" + std::string{name} + "\" value=\"" + escape_html(value) +
         "\">";
}

} // namespace trunkline
