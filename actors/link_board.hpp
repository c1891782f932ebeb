/// How the links of a node are, for whoever shows it. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

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
  void note(const std::string& peer, link_facts facts) {
    const auto held = std::scoped_lock{mutex_};
    links_[peer] = std::move(facts);
  }

  void forget(const std::string& peer) {
    const auto held = std::scoped_lock{mutex_};
    links_.erase(peer);
  }

  std::map<std::string, link_facts> all() const {
    const auto held = std::scoped_lock{mutex_};
    return links_;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, link_facts> links_;
};

} // namespace trunkline
