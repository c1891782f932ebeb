/// What the answer to a delivery means: for the item, for its host, and for what is done next.
#pragma once

#include "protocol/http_signature.hpp"
#include "protocol/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

enum class delivery_outcome : std::uint8_t {
  delivered,   ///< 2xx.
  host_failed, ///< Counts against the host; the item stays, unless its host proves to be well.
  host_busy,   ///< 429: the host takes less for now; no failure.
  item_failed, ///< An exception at once; its lane passes.
  dead_letter, ///< Never sent again.
  sign_again,  ///< Once more, signed after RFC 9421.
};

/// One answer, or that there was none.
struct delivery_answer {
  int status = 0;             ///< 0: no answer.
  bool fully_written = false; ///< Of a request without an answer.
  std::string_view failure;   ///< Without an answer: why, in words.
  std::string_view retry_after;
  bool shared_inbox = false;
  signature_scheme known = signature_scheme::unknown; ///< What has worked with this host.
  signature_scheme used = signature_scheme::cavage;
  bool answered_lately = false; ///< 2xx to another request in the last `proven_for`.
};

/// How long a 2xx shows that a host takes our signatures.
inline constexpr auto proven_for = std::chrono::minutes{10};

struct delivery_verdict {
  delivery_outcome outcome = delivery_outcome::delivered;
  std::string reason; ///< "status 410"; "" when delivered.
  std::optional<std::chrono::microseconds> retry_after;
  bool may_be_items = false;   ///< A failure that may be the item's: the host got all of it.
  bool asks_for_actor = false; ///< Fetch the actor again: its inbox is not there.
  bool asks_for_inbox = false; ///< Look up the shared inbox again.
};

/// Returns the row of the status matrix for `answer`.
delivery_verdict judge(const delivery_answer& answer, time_point now);

/// Reads a Retry-After header, seconds or an HTTP date. Nothing when it is neither, or shorter than
/// 1 s; at most 24 h.
std::optional<std::chrono::microseconds> read_retry_after(std::string_view text, time_point now);

} // namespace trunkline
