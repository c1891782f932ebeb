#include "api/errors.hpp"

namespace trunkline {

namespace {

constexpr auto retry_after_seconds = "5";

/// The context of such a failure is about the server's inside, and stays there.
bool is_internal(int status) {
  return status >= 500;
}

std::string_view general_words(int status) {
  if (status == 507)
    return "The server has no space left; nothing was changed";
  if (status == 503)
    return "The server cannot do this now; try again soon";
  return "Internal server error";
}

} // namespace

int status_of(errc code) {
  switch (code) {
  case errc::malformed:
    return 400;
  case errc::unauthenticated:
    return 401;
  case errc::forbidden:
    return 403;
  case errc::not_found:
    return 404;
  case errc::conflict:
  case errc::unique_violation:
    return 409;
  case errc::not_allowed:
    return 405;
  case errc::gone:
    return 410;
  case errc::too_large:
    return 413;
  case errc::invalid:
    return 422;
  case errc::rate_limited:
    return 429;
  case errc::unavailable:
  case errc::timed_out:
  case errc::storage_busy:
  case errc::commit_unknown:
  case errc::quarantined:
    return 503;
  case errc::storage_full:
    return 507;
  case errc::storage_broken:
  case errc::storage_refused:
  case errc::config_invalid:
  case errc::already_running:
  case errc::crashed:
  case errc::insecure:
    return 500;
  }
  return 500;
}

std::string public_words(const caf::error& failure) {
  const auto code = code_of(failure);
  const auto status = status_of(code);
  if (is_internal(status))
    return std::string{general_words(status)};
  if (code == errc::unique_violation)
    return "Conflicts with what is stored";
  return context_of(failure);
}

http_response client_error(const caf::error& failure) {
  auto response = json_response(json_object{{"error", public_words(failure)}});
  response.status = status_of(code_of(failure));
  if (response.status == 503 || response.status == 507)
    response.headers.emplace_back("Retry-After", retry_after_seconds);
  return response;
}

http_response json_response(const json_value& content) {
  return {.status = 200, .body = to_json(content)};
}

} // namespace trunkline
