#include "engine/embedding/failures.hpp"

#include "engine/config_rules.hpp"
#include "engine/settings.hpp"
#include "protocol/errc.hpp"

#include <utility>

namespace trunkline {

namespace {

struct failure_row {
  failure_kind kind;
  const char* advice; ///< What usually helps.
};

failure_row row_of(errc code) {
  switch (code) {
  case errc::malformed:
  case errc::invalid:
    return {failure_kind::invalid, "change it, then ask again"};
  case errc::unauthenticated:
    return {failure_kind::forbidden, "use a token that is valid"};
  case errc::forbidden:
  case errc::not_allowed:
    return {failure_kind::forbidden, "act as an account that may"};
  case errc::not_found:
  case errc::gone:
    return {failure_kind::not_found, "look whether it exists, and whether this account may see it"};
  case errc::conflict:
  case errc::unique_violation:
    return {failure_kind::conflict, "read what is there, and choose something else"};
  case errc::too_large:
    return {failure_kind::too_large, "send less"};
  case errc::rate_limited:
    return {failure_kind::rate_limited, "wait, and try again"};
  case errc::unavailable:
  case errc::storage_busy:
  case errc::quarantined:
    return {failure_kind::unavailable, "try again later"};
  case errc::storage_full:
    return {failure_kind::unavailable, "make room on the disk"};
  case errc::timed_out:
  case errc::commit_unknown:
    return {failure_kind::timed_out, "look whether it was done before trying again"};
  case errc::config_invalid:
    return {failure_kind::config, "correct it; docs/configuration.md lists every setting"};
  case errc::insecure:
    return {failure_kind::config, "correct it: it would be unsafe"};
  case errc::already_running:
    return {failure_kind::in_use, "end the other one, or use another folder"};
  case errc::storage_broken:
    return {failure_kind::internal, "look at the disk, then start the engine again"};
  case errc::crashed:
  case errc::storage_refused:
    return {failure_kind::internal, "report it, with the lines of the log around it"};
  }
  return {failure_kind::internal, "report it, with the lines of the log around it"};
}

/// What is not available says by its place what can be done about it.
const char* advice_on(errc code, const std::string& where) {
  if (code == errc::unavailable && parse_listen(where))
    return "end the program that uses this port, or set another one";
  if (code == errc::unavailable && where.starts_with('/'))
    return "make it usable for this user, or name another path";
  if (code == errc::unavailable && where.starts_with("database"))
    return "look whether the database runs and takes this user, then start the engine again";
  return row_of(code).advice;
}

/// Bytes of the place in "parameter: what", "FILE:LINE: KEY: what"; 0 when none is named.
std::size_t place_size(const std::string& context) {
  const auto colon = context.find(": ");
  if (colon == std::string::npos || context.find('\n') != std::string::npos)
    return 0;
  const auto next = context.find(": ", colon + 2);
  const auto is_key = next != std::string::npos &&
                      find_setting(context.substr(colon + 2, next - colon - 2)) != nullptr;
  return is_key ? next : colon;
}

} // namespace

failure make_failure(failure_kind kind, std::string where, std::string what, std::string advice) {
  auto message = where.empty() ? what : where + ": " + what;
  if (!advice.empty())
    message += "; " + advice;
  return {.message = std::move(message),
          .kind = kind,
          .what = std::move(what),
          .where = std::move(where),
          .advice = std::move(advice)};
}

failure to_failure(const caf::error& problem) {
  const auto code = code_of(problem);
  auto context = context_of(problem);
  const auto place = place_size(context);
  if (place == 0)
    return make_failure(row_of(code).kind, "", std::move(context), row_of(code).advice);
  auto where = context.substr(0, place);
  const auto* advice = advice_on(code, where);
  return make_failure(row_of(code).kind, std::move(where), context.substr(place + 2), advice);
}

} // namespace trunkline
