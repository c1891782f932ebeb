/// Webhooks: the events of hooks, sent to a URL, signed, at least once.
///
/// Requests follow the Standard Webhooks specification (standardwebhooks.com): POST with
/// `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,BASE64`, an HMAC-SHA256 of
/// "ID.TIMESTAMP.BODY". The body is JSON: {"type": "post.created", "timestamp": ..., "data":
/// {...}}. A webhook has a mark in the log; it moves on after a 2xx. What is not taken is tried
/// again after 5 s, then twice as long each time, at most an hour, in order, for as long as the log
/// keeps it (30 days). A receiver knows a repeated event by its id.
#pragma once

#include "trunkline/abi.hpp"
#include "trunkline/result.hpp"
#include "trunkline/web.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {
inline namespace v0 {

struct webhook {
  std::string name =
      {};               ///< Its mark in the log is kept by this name; letters, digits, '_' and '-'.
  std::string url = {}; ///< https; http to loopback addresses alone.
  std::string secret = {}; ///< At least 24 bytes; the key of the signature, as it is.
  /// Of "activity", "post", "delivery", "host_state", "account"; empty: all.
  std::vector<std::string> events = {};
};

/// How one webhook does.
struct webhook_report {
  std::string name = {};
  std::int64_t mark = 0;       ///< Everything up to this row of the log was taken.
  std::uint64_t delivered = 0; ///< Since the start.
  std::uint64_t failures = 0;  ///< Tries that failed, since the start.
  std::uint64_t lost = 0;      ///< Rows that were purged before they were sent, since the start.
  std::string last_error = {};
  std::chrono::seconds behind{0}; ///< Age of the oldest event that waits; 0 without one.
};

/// For receivers: tells whether a request was signed with `secret` within five minutes of `now`.
/// Fails with what is missing or wrong.
TRUNKLINE_API result<bool> verify_webhook(const web_headers& headers, std::string_view body,
                                          std::string_view secret,
                                          std::chrono::system_clock::time_point now);

} // namespace v0
} // namespace trunkline
