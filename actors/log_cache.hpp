/// Something kept in memory that rows of the log make wrong: the fan-out tells it of each row.
#pragma once

#include "protocol/log_entry.hpp"

namespace trunkline {

class log_cache {
public:
  virtual ~log_cache() = default;

  /// Forgets what `row` changes. Called by the fan-out, once per row, in order; must be cheap.
  virtual void apply(const log_entry& row) = 0;
};

} // namespace trunkline
