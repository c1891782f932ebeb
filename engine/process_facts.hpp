/// What the operating system says of this process.
#pragma once

#include <cstdint>

namespace trunkline {

struct process_facts {
  std::int64_t resident_bytes = 0;
  std::int64_t threads = 0;
  std::int64_t open_files = 0;
  double cpu_seconds = 0;
};

/// Reads them from /proc; what cannot be read is 0.
process_facts read_process_facts();

} // namespace trunkline
