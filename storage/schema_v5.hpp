/// Migration 5: a node's name, the process that runs it, and how often it renewed its lease.
#pragma once

#include <array>
#include <string_view>

namespace trunkline {

inline constexpr auto schema_v5 = std::to_array<std::string_view>({
    // name '' is the node that is alone; holder tells one process from another of the same name.
    "ALTER TABLE node ADD COLUMN name TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE node ADD COLUMN holder TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE node ADD COLUMN renewals BIGINT NOT NULL DEFAULT 0",
    // Partial, and so no key: changes of other columns wait for nobody who holds the row.
    "CREATE UNIQUE INDEX node_name ON node(name) WHERE name <> ''",
});

} // namespace trunkline
