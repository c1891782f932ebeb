/// Events that no row of the log has, on their way to the database: what hosts say of deliveries
/// and of themselves.
///
/// Hosts put events in before they tell the dispatcher what they have settled; the dispatcher takes
/// all of them and writes them in the transaction of its checkpoint. So whatever is settled for the
/// database has its event there, and what a crash lets be delivered again is told again. Any
/// thread.
#pragma once

#include "actors/webhook_body.hpp"
#include "storage/webhook_store.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace trunkline {

class webhook_outbox {
public:
  static constexpr std::size_t waiting_max = 65'536; ///< While the database takes nothing.

  /// Keeps events of the kinds `wanted`. `on_full` is called each time that some begin to be lost,
  /// with the outbox's lock: it must neither block nor call the outbox. It may be empty.
  webhook_outbox(event_kinds wanted, std::string source, std::function<void()> on_full,
                 std::size_t most = waiting_max);

  event_kinds wanted() const { return wanted_; }

  /// Keeps `event` for the next checkpoint. When too many wait, the oldest is lost, and counted.
  void add(const engine_event& event);

  /// Returns all that waits, in order.
  std::vector<outbox_row> take();

  /// They may be in the database or not: all are written again, before what came since.
  void put_back(std::vector<outbox_row> rows);

  /// Everything up to the row `last` is in the database.
  void stored(std::int64_t last);
  std::int64_t end() const;

  std::size_t waiting() const;
  std::uint64_t dropped() const;

private:
  void make_room();

  const event_kinds wanted_;
  const std::string source_;
  const std::function<void()> on_full_;
  const std::size_t most_;
  mutable std::mutex mutex_; ///< Guards what follows.
  std::deque<outbox_row> waiting_;
  bool is_losing_ = false;
  std::int64_t end_ = 0;
  std::uint64_t dropped_ = 0;
};

} // namespace trunkline
