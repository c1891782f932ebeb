/// How the links of a node are, for whoever shows it. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace trunkline {

struct link_facts {
  bool is_up = false;
  std::optional<std::chrono::microseconds> round_trip;        ///< Of the newest ping.
  std::optional<std::chrono::steady_clock::time_point> since; ///< When it came up or went down.
  std::chrono::steady_clock::time_point heard_at;             ///< The peer, for the last time.
  std::string why_down;                                       ///< "" while it is up.
  std::size_t bytes_in_flight = 0;                            ///< Sent and not acknowledged.
  std::size_t bytes_waiting = 0;                              ///< For credit.
  std::uint64_t refused = 0;                                  ///< What found the link full.
};

class link_board {
public:
  using links = std::map<std::string, link_facts>; ///< By peer.

  void note(const std::string& peer, link_facts facts) {
    const auto held = std::scoped_lock{mutex_};
    links_[peer] = std::move(facts);
    changed_.notify_all();
  }

  links all() const {
    const auto held = std::scoped_lock{mutex_};
    return links_;
  }

  /// Waits until `holds` of the links, for at most `limit`. Returns whether it does.
  bool wait(std::chrono::nanoseconds limit, const std::function<bool(const links&)>& holds) const {
    auto held = std::unique_lock{mutex_};
    return changed_.wait_for(held, limit, [&] { return holds(links_); });
  }

private:
  mutable std::mutex mutex_; ///< Guards the links.
  mutable std::condition_variable changed_;
  links links_;
};

} // namespace trunkline
