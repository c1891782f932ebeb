/// The reserve of ids of each slot: no id above it has been handed out.
#pragma once

#include "storage/database.hpp"

#include <cstdint>

namespace trunkline {

class id_slot_store {
public:
  explicit id_slot_store(database& db) : db_{db} {}

  /// Returns the reserve of `slot`, or 0 when it was never used.
  caf::expected<std::int64_t> reserve(std::uint8_t slot);

  /// Raises the reserve of `slot` to `until`; never lowers it.
  caf::error raise(std::uint8_t slot, std::int64_t until);

private:
  database& db_;
};

} // namespace trunkline
