/// The words in which changes of an account are refused, as Mastodon says them.
#pragma once

#include "protocol/errc.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/unit.hpp>

#include <string>
#include <string_view>

namespace trunkline {

inline caf::error refused(std::string_view why) {
  return make_error(errc::invalid, "Validation failed: " + std::string{why});
}

inline caf::error no_record() {
  return make_error(errc::not_found, "Record not found");
}

inline caf::error not_allowed() {
  return make_error(errc::forbidden, "This action is not allowed");
}

/// The answer of a change that gives nothing but success.
inline caf::expected<caf::unit_t> done(caf::error failure = {}) {
  if (failure)
    return failure;
  return caf::unit;
}

} // namespace trunkline
