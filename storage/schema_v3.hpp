/// Migration 3: what operators order about hosts, the audit of it, and indexes by which a host that
/// fell behind finds its own rows. Times are microseconds since 1970, flags 0 or 1.
#pragma once

#include <array>
#include <string_view>

namespace trunkline {

inline constexpr auto schema_v3 = std::to_array<std::string_view>({
    "ALTER TABLE host ADD COLUMN flushed_upto BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE host ADD COLUMN drained_after BIGINT",

    // Rows are added and never changed. id: in order of the commits.
    R"(CREATE TABLE audit(
      id {key} PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
      target TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL))",
    "CREATE INDEX audit_target ON audit(target, id)",

    // from_seq: the log's newest row when the pair was made: nothing before it is owed through it.
    // left_seq: likewise when n became 0; null while it is more.
    "ALTER TABLE follower_endpoint ADD COLUMN from_seq BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE follower_endpoint ADD COLUMN left_seq BIGINT",

    // By author: what is owed to an audience; of it what is owed to those as well who left it (the
    // kinds of `takes_back`). `seq + 0`: an order that no other index has (missed_sources.cpp).
    "CREATE INDEX log_owed ON log(author, class, (seq + 0)) WHERE audience_id <> 0",
    R"(CREATE INDEX log_taken_back ON log(author, class, (seq + 0))
      WHERE audience_id <> 0 AND kind IN (3, 5, 19))",
    // Deletes, by their post, which is gone.
    "CREATE INDEX log_removed ON log(object_key) WHERE kind = 3",
    // Bodies that are rendered again when they are needed; the others stay as long as their rows.
    "DROP INDEX log_body",
    R"(CREATE INDEX log_rendered ON log(seq) WHERE body IS NOT NULL AND ap_id IS NOT NULL
      AND kind IN (1, 2, 4, 6, 8, 10, 12, 18, 20, 24))",

    // Rows of the log written from then on go to replaced_by; what came before stays where it was.
    "ALTER TABLE endpoint ADD COLUMN replaced_at BIGINT",
    "CREATE INDEX endpoint_host ON endpoint(host_id, id)",
    "CREATE INDEX endpoint_replaced ON endpoint(replaced_by) WHERE replaced_by IS NOT NULL",
    "CREATE INDEX delivery_exception_host ON delivery_exception(host_id, status, seq, endpoint_id)",
    "CREATE INDEX delivery_exception_row ON delivery_exception(status, seq, endpoint_id)",
});

} // namespace trunkline
