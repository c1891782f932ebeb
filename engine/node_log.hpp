/// Writes what happens in a node as JSON lines, without ever blocking whoever tells it.
///
/// Lines wait in a queue of their own for a thread of their own; when it is full, or nobody reads
/// the descriptor, the oldest are dropped and counted. Any thread. Never hand it a token, a
/// password or a body.
#pragma once

#include "protocol/json.hpp"
#include "protocol/time.hpp"
#include "trunkline/observing.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace trunkline {

enum class log_level : std::uint8_t { info, warning, error };

struct node_log_options {
  int descriptor = 2;                      ///< Not owned, not closed; negative: lines go nowhere.
  std::size_t lines_max = 8192;            ///< Waiting; the oldest are dropped past that.
  std::size_t line_bytes_max = 4096;       ///< Longer texts are cut: what a pipe takes at once.
  std::chrono::milliseconds patience{200}; ///< For a descriptor that takes nothing.
  log_sink sink = {}; ///< Takes the lines in place of the descriptor; called on the log's thread.
};

/// How long an ending node waits for its last line to be written.
inline constexpr auto last_words_limit = std::chrono::milliseconds{300};

class node_log {
public:
  node_log(node_log_options options, wall_clock clock);

  /// Writes what waits, for as long as the descriptor takes it. A sink that has not taken all of it
  /// after 2 s keeps its thread, which is left behind; no call of it begins afterwards.
  ~node_log();
  node_log(const node_log&) = delete;
  node_log& operator=(const node_log&) = delete;

  /// Writes `{"at":...,"level":...,"event":event, ...members}`. `event` is one word that does not
  /// change from release to release: "node_ready".
  void write(log_level level, std::string_view event, const json_object& members = {});

  /// Waits until everything told so far is written or given up, for at most `limit`.
  void flush(std::chrono::milliseconds limit);

  /// Lines that were dropped.
  std::int64_t dropped() const;

private:
  struct state;

  bool reaches_end(std::chrono::milliseconds limit);

  std::unique_ptr<state> state_;
};

} // namespace trunkline
