/// Migration 2: webhooks. `{key}` becomes the database's own type of a 64-bit key. Times are
/// microseconds since 1970, flags 0 or 1.
#pragma once

#include <array>
#include <string_view>

namespace trunkline {

inline constexpr auto schema_v2 = std::to_array<std::string_view>({
    // Everything up to row `mark` of the log was taken by the receiver, and up to row `told` of the
    // outbox; told null: it does not want what is there. present: it is configured now.
    R"(CREATE TABLE webhook(
      name TEXT PRIMARY KEY, mark BIGINT NOT NULL, told BIGINT, present BIGINT NOT NULL,
      changed_at BIGINT NOT NULL))",
    // Events that are not in the log. Ids follow each other one by one: what is missing was purged.
    R"(CREATE TABLE webhook_outbox(
      id {key} PRIMARY KEY, message TEXT NOT NULL UNIQUE, kind BIGINT NOT NULL, at BIGINT NOT NULL,
      body BYTEA NOT NULL))",
    // The last id that was given: rows go, ids are never given twice.
    "CREATE TABLE webhook_outbox_end(one {key} PRIMARY KEY, last_id BIGINT NOT NULL)",
    "INSERT INTO webhook_outbox_end(one, last_id) VALUES (1, 0)",
});

} // namespace trunkline
