#include "engine/embedding/failures.hpp"

#include "protocol/errc.hpp"

#include <utility>

namespace trunkline {

namespace {

struct failure_row {
  failure_kind kind;
  const char* advice; ///< What usually helps; "" when it depends.
};

failure_row row_of(errc code) {
  switch (code) {
  case errc::malformed:
  case errc::invalid:
    return {failure_kind::invalid, ""};
  case errc::unauthenticated:
  case errc::forbidden:
  case errc::not_allowed:
    return {failure_kind::forbidden, ""};
  case errc::not_found:
  case errc::gone:
    return {failure_kind::not_found, ""};
  case errc::conflict:
  case errc::unique_violation:
    return {failure_kind::conflict, ""};
  case errc::too_large:
    return {failure_kind::too_large, ""};
  case errc::rate_limited:
    return {failure_kind::rate_limited, "wait, and try again"};
  case errc::unavailable:
  case errc::storage_busy:
  case errc::quarantined:
    return {failure_kind::unavailable, "try again"};
  case errc::storage_full:
    return {failure_kind::unavailable, "make room on the disk"};
  case errc::timed_out:
  case errc::commit_unknown:
    return {failure_kind::timed_out, "look whether it was done before trying again"};
  case errc::config_invalid:
  case errc::insecure:
    return {failure_kind::config, ""};
  case errc::already_running:
    return {failure_kind::in_use, "end the other one, or use another folder"};
  case errc::storage_broken:
    return {failure_kind::internal, "look at the disk, then start the engine again"};
  case errc::crashed:
  case errc::storage_refused:
    return {failure_kind::internal, ""};
  }
  return {failure_kind::internal, ""};
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
  const auto row = row_of(code_of(problem));
  auto context = context_of(problem);
  // "FILE:LINE: KEY: what", "parameter: what": the place is what stands before the last ": ".
  const auto is_list = context.find('\n') != std::string::npos;
  const auto colon = is_list ? std::string::npos : context.find(": ");
  if (colon == std::string::npos)
    return make_failure(row.kind, "", std::move(context), row.advice);
  return make_failure(row.kind, context.substr(0, colon), context.substr(colon + 2), row.advice);
}

} // namespace trunkline
