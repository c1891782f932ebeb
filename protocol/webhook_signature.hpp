/// Signatures of webhooks, as standardwebhooks.com has them: an HMAC-SHA256 of "ID.TIMESTAMP.BODY".
///
/// Pure; any thread.
#pragma once

#include "protocol/time.hpp"

#include <caf/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline {

/// A shorter one could be guessed.
inline constexpr std::size_t webhook_secret_bytes_min = 24;
inline constexpr std::size_t webhook_secret_bytes_max = 1'024;

/// How far a request's time may be from the receiver's: what was recorded cannot be sent again
/// later.
inline constexpr auto webhook_tolerance = std::chrono::minutes{5};

/// The headers of a request, as they stand in it.
struct webhook_headers {
  std::string_view id;        ///< webhook-id
  std::string_view timestamp; ///< webhook-timestamp: seconds since 1970, in decimal.
  std::string_view signature; ///< webhook-signature: "v1,BASE64", maybe several parted by spaces.
};

/// What is signed.
struct webhook_content {
  std::string_view id; ///< Holds no '.'.
  std::int64_t seconds = 0;
  std::string_view body;
};

/// Returns the value of webhook-signature, "v1,BASE64"; `secret` is the key, byte by byte.
std::string sign_webhook(std::string_view secret, const webhook_content& content);

/// Fails unless one of the signatures was made with `secret`, within `webhook_tolerance` of `now`:
/// with `errc::malformed`, naming the header that is missing or cannot be read, with
/// `errc::invalid` when `secret` is too short, else with `errc::forbidden`.
caf::error check_webhook(const webhook_headers& headers, std::string_view body,
                         std::string_view secret, time_point now);

} // namespace trunkline
