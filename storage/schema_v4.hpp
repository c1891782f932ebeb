/// Migration 4: where a drain ended, and what takes something back.
#pragma once

#include <array>
#include <string_view>

namespace trunkline {

inline constexpr auto schema_v4 = std::to_array<std::string_view>({
    // Rows after drained_after are not sent to the host: all of them while this is null, else those
    // up to it, the log's newest row when the host was resumed.
    "ALTER TABLE host ADD COLUMN drained_upto BIGINT",
    // Undos, by what they take back; Deletes have log_removed.
    "CREATE INDEX log_undone ON log(object_key) WHERE kind IN (5, 7, 9, 11, 13)",
});

} // namespace trunkline
