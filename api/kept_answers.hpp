/// Answers to requests that had an Idempotency-Key: the same key gets the same answer again.
///
/// Kept for an hour in memory, the newest `answers_max`; a restart forgets them. Any thread.
#pragma once

#include "net/http_types.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace trunkline {

class kept_answers {
public:
  static constexpr std::size_t answers_max = 1'024;
  static constexpr auto age_max = std::chrono::hours{1};

  /// Takes a key for a request. Returns its answer when it has one; nothing when it is new: then
  /// `keep` or `forget` must follow. Fails with `conflict` while the first request is under way,
  /// and with `invalid` when the key came with another request.
  caf::expected<std::optional<http_response>> begin(const std::string& key,
                                                    const std::string& fingerprint, time_point now);

  void keep(const std::string& key, const http_response& answer);
  void forget(const std::string& key);

private:
  struct kept {
    std::string fingerprint;
    time_point at;
    std::optional<http_response> answer;
  };

  void forget_oldest();

  std::mutex mutex_;
  std::map<std::string, kept> answers_;
  std::deque<std::pair<time_point, std::string>> order_; ///< Some are gone, or there anew.
};

} // namespace trunkline
