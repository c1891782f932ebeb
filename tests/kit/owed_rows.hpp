/// Hosts and inboxes by number, and the keys of what they are owed. Straight into a database.
#pragma once

#include "protocol/delivery_unit.hpp"
#include "storage/audience_store.hpp"
#include "storage/database.hpp"
#include "tests/kit/both_databases.hpp"

#include <string>
#include <vector>

namespace trunkline::kit {

inline std::vector<unit_key> keys_of(const std::vector<delivery_unit>& units) {
  auto all = std::vector<unit_key>{};
  for (const auto& unit : units)
    all.push_back(unit.key());
  return all;
}

inline void add_host(database& db, int host) {
  must(ensure_host(db, {"https", "h" + std::to_string(host) + ".example", 443}, host_id{host}));
}

/// A shared inbox; its number is its id, on whatever host.
inline void add_endpoint(database& db, int host, int endpoint) {
  must(ensure_endpoint(db, {host_id{host}, "https://inbox/" + std::to_string(endpoint), true},
                       endpoint_id{endpoint}));
}

} // namespace trunkline::kit
