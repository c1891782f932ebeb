/// What a mark's row counts beside the mark, so that sums are exact after any crash: the column
/// `shard_mark.sums`.
#pragma once

#include "protocol/delivery_progress.hpp"
#include "protocol/delivery_unit.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// How much of a host is open: newer than what its row of backlog says, since that is written only
/// when the host has moved; or of a host without one.
struct waiting_count {
  host_id host;
  std::int64_t count = 0;
  log_seq counted_to = 0; ///< All that was offered up to here.

  friend bool operator==(const waiting_count&, const waiting_count&) = default;
};

struct mark_sums {
  delivery_sums ended; ///< The outcomes alone, of units that the books as stored cover.
  std::vector<waiting_count> waiting; ///< By host.

  friend bool operator==(const mark_sums&, const mark_sums&) = default;
};

/// Returns the bytes of `sums`.
std::string encode_sums(const mark_sums& sums);

/// Reads what `encode_sums` writes; no bytes are no sums. Fails with `errc::malformed`.
caf::expected<mark_sums> decode_sums(std::string_view bytes);

} // namespace trunkline
