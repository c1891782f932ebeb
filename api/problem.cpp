#include "api/problem.hpp"

#include "api/errors.hpp"

#include <array>

namespace trunkline {

namespace {

constexpr std::int64_t retry_after_seconds = 5;

struct status_title {
  int status;
  std::string_view title;
};

constexpr auto titles = std::to_array<status_title>({
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
});

std::string_view title_of(int status) {
  for (const auto& row : titles)
    if (row.status == status)
      return row.title;
  return "Error";
}

} // namespace

http_response problem(int status, errc code, std::string_view words) {
  auto body = json_object{{"type", "urn:trunkline:problem:" + std::string{to_string(code)}},
                          {"title", title_of(status)},
                          {"status", status},
                          {"detail", words}};
  auto response = http_response{.status = status, .content_type = "application/problem+json"};
  if (status == 503 || status == 507) {
    body["retry_after"] = retry_after_seconds;
    response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
  }
  if (status == 401)
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"trunkline admin\"");
  response.body = to_json(body);
  return response;
}

http_response problem(const caf::error& failure) {
  const auto code = code_of(failure);
  return problem(status_of(code), code, public_words(failure));
}

} // namespace trunkline
