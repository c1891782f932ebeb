/// The hooks of an engine: each on a thread of its own, with a bounded queue, so that one that
/// blocks, throws or never returns harms nobody but itself.
///
/// Any thread may call the members. In a virtual world calls run in turn, without threads.
#pragma once

#include "actors/event_hub.hpp"
#include "engine/embedding/callback_worker.hpp"
#include "engine/embedding/node_extensions.hpp"
#include "protocol/json.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace trunkline {

class hook_board {
public:
  /// `world` may be null. Throws `std::system_error` when no thread can be started.
  hook_board(const std::vector<hook_seat>& hooks, std::shared_ptr<virtual_world> world);
  ~hook_board();
  hook_board(const hook_board&) = delete;
  hook_board& operator=(const hook_board&) = delete;

  /// What the hooks want; the board outlives the hub.
  event_subscriber as_subscriber();

  /// Gives `event` to the hooks that want it. Does not block: a hook that is full misses it.
  void tell(const engine_event& event);

  /// Counts the events of a row that was never rendered.
  void note_dropped(const log_entry& row);

  /// In the order in which the hooks were added.
  std::vector<hook_report> reports() const;

  /// No call begins afterwards. Waits for the present calls, at most `limit` for all of them;
  /// threads that are busy by then are left behind. A second call does nothing.
  void end(std::chrono::milliseconds limit);

private:
  struct hook {
    hook(const hook_seat& seat, std::shared_ptr<virtual_world> world);

    bool wants(const engine_event& event) const;
    std::uint64_t count_wanted(const told_of_row& told) const;

    /// Shared with what waits: a thread that is left behind has it still.
    const std::shared_ptr<const hook_seat> seat;
    std::atomic<std::uint64_t> dropped = 0;
    callback_worker worker;
  };

  std::vector<std::unique_ptr<hook>> hooks_;
};

/// Returns the reports as the admin API shows them.
json_array render_reports(const std::vector<hook_report>& reports);

/// Returns the word of reports: "activity", "post", "delivery", "host_state" or "account".
std::string_view event_word(const hook_seat& seat);

} // namespace trunkline
