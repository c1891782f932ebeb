/// Failures as embedders get them, made of ours.
#pragma once

#include "trunkline/result.hpp"

#include <caf/error.hpp>

#include <string>

namespace trunkline {

/// `where` is what the context names before its first colon (of a setting, its source and key),
/// `what` the rest of it, `advice` what usually helps.
failure to_failure(const caf::error& problem);

/// Joins the parts into `message`.
failure make_failure(failure_kind kind, std::string where, std::string what,
                     std::string advice = {});

} // namespace trunkline
