/// Asks the running node over its admin socket: how the command line does its work without a
/// restart. Blocks; for the program's own thread.
#pragma once

#include "protocol/json.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace trunkline {

struct admin_answer {
  int status = 0;
  json_value body; ///< Null when the answer was no JSON.
};

/// Sends one request. Fails with `errc::unavailable` when no node listens at `socket`, and with
/// `timed_out` when it does not answer within `limit`.
caf::expected<admin_answer> ask_admin(const std::string& socket, std::string_view method,
                                      std::string_view path, const json_object& body,
                                      std::chrono::seconds limit = std::chrono::seconds{30});

} // namespace trunkline
