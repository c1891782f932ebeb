/// What other servers made of what they got: which objects each inbox knows of.
///
/// A request is worked at some time before its answer, or after its sender has given up or died. A
/// server knows a post again by the id of its activity, and remembers nothing of what was deleted.
#pragma once

#include "kit/delivery_peers.hpp"
#include "protocol/codes.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace trunkline::kit {

class peer_ledger {
public:
  using moment = std::chrono::microseconds;

  explicit peer_ledger(std::uint64_t seed) : random_{seed} {}

  /// One activity as it arrives.
  struct arrival {
    std::string url;
    int number = 0; ///< Of its row: its id.
    log_kind kind = log_kind::create;
    std::int64_t object = 0;
  };
  /// It was sent `at`, and its sender will be answered so.
  void sent(arrival what, moment at, const peer_answer& answer);
  /// Works what is due.
  void work_until(moment now);

  bool knows(const std::string& url, std::int64_t object) const {
    return objects_.contains({url, object});
  }

private:
  bool is_worked(const peer_answer& answer);
  void work(const arrival& what);

  std::mt19937_64 random_;
  std::multimap<moment, arrival> due_;
  std::set<std::pair<std::string, int>> seen_;
  std::set<std::pair<std::string, std::int64_t>> objects_;
};

} // namespace trunkline::kit
