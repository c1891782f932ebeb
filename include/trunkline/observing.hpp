/// What an engine says of itself: log lines, metrics, and how its actors are.
#pragma once

#include "trunkline/abi.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {
inline namespace v0 {

enum class log_severity : std::uint8_t { info, warning, error };

/// One line of the log. Never holds a token, a password or the text of a post.
struct log_line {
  std::chrono::system_clock::time_point at;
  log_severity severity = log_severity::info;
  std::string event; ///< One word that does not change from release to release: "node_ready".
  std::string json;  ///< All of it as one JSON object, without a line break.
};

/// Takes the lines in place of stderr, one at a time, on a thread of the log's own. 8,192 lines
/// wait for it; the oldest are dropped past that, and counted. An exception is ignored.
using log_sink = std::function<void(const log_line&)>;

/// One number at the time of the call.
struct metric_reading {
  std::string name; ///< "trunkline_delivery_attempts_total"
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
  bool rises = false; ///< A counter: it falls at a start only.
};

/// How one actor is: what GET /admin/v1/actors/KIND/ID shows, member by member.
struct actor_report {
  std::string kind;
  std::string id;
  bool stale = false; ///< It did not answer in time; this is what it said last.
  /// Names as in the JSON, those of nested objects joined by dots: {"mailbox", "0"}.
  std::vector<std::pair<std::string, std::string>> members;

  /// Returns the value of `name`, or "".
  std::string member(std::string_view name) const {
    for (const auto& [key, value] : members)
      if (key == name)
        return value;
    return "";
  }
};

} // namespace v0
} // namespace trunkline
