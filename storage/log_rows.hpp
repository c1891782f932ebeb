/// The rows that a batch appends to the log, as both databases write them.
#pragma once

#include "storage/database.hpp"

#include <string_view>
#include <vector>

namespace trunkline {

inline constexpr std::string_view insert_log_row =
    "INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id, ap_id, signer,"
    " body, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// Returns the values of `insert_log_row` from `$2` on; `seq` is the database's to give.
std::vector<sql_value> log_row_values(time_point at, const log_draft& draft);

/// Refuses drafts that no database could store: `errc::invalid`.
caf::error check_drafts(const std::vector<log_draft>& drafts);

/// Appends `drafts` in the open transaction, numbered from the newest row of the log on. For a
/// database with one writer: nobody else may append between. `previous` of the receipt is the
/// newest row, so the purge of the log never removes that one.
caf::expected<commit_receipt> append_to_log(database& db, time_point now,
                                            const std::vector<log_draft>& drafts);

} // namespace trunkline
