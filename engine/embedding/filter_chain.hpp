/// The embedder's filters as one gate: a chain on a thread of its own, and a watch that goes on
/// without a filter that does not return.
///
/// Any thread may call the members. In a virtual world there are no threads: filters run in turn,
/// and are waited for.
#pragma once

#include "actors/content_gate.hpp"
#include "engine/embedding/callback_worker.hpp"
#include "engine/embedding/node_extensions.hpp"
#include "engine/embedding/virtual_world.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace trunkline {

struct filter_chain_options {
  std::size_t waiting_max = 4'096; ///< Checks that wait; of more, the filters are not asked.
  std::chrono::milliseconds patience = filter_patience;
  std::function<void(std::string)> log; ///< One line; any thread, must not block. May be empty.
};

class filter_chain final : public content_gate {
public:
  /// `seats` hold no null. `world` may be null. Throws `std::system_error` when no thread can be
  /// started.
  filter_chain(std::vector<filter_seat> seats, std::shared_ptr<virtual_world> world,
               filter_chain_options options = {});

  /// Calls `stop` without waiting.
  ~filter_chain() override;
  filter_chain(const filter_chain&) = delete;
  filter_chain& operator=(const filter_chain&) = delete;

  /// As the gate says. While a filter has not returned, `decided` is called within this call.
  void check(activity_origin from, filtered_activity what,
             std::function<void(gate_decision)> decided) override;

  /// How each filter has decided, in the order of the chain.
  std::vector<filter_report> reports() const;

  /// Answers what waits, and all that is asked from now on, with "later". Waits for a filter that
  /// is at work, at most `limit`; past that its thread is left behind. Returns whether it ended.
  bool stop(std::chrono::milliseconds limit);

private:
  class state;
  const std::shared_ptr<state> state_; ///< Shared with the threads.
  callback_worker worker_;
  std::thread watch_; ///< Of the time that calls take; none in a virtual world.
};

} // namespace trunkline
