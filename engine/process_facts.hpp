/// What the operating system says of this process.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace trunkline {

struct process_facts {
  std::int64_t resident_bytes = 0;
  std::int64_t threads = 0;
  std::int64_t open_files = 0;
  double cpu_seconds = 0;
};

/// Reads them from /proc; what cannot be read is 0.
process_facts read_process_facts();

/// How many cores a process keeps busy.
class cpu_meter {
public:
  /// Returns the mean over the last second or more, to a thousandth; 0 until there was one.
  double busy_cores(double cpu_seconds, std::chrono::steady_clock::time_point now);

private:
  std::optional<std::chrono::steady_clock::time_point> since_;
  double before_ = 0; ///< CPU seconds, at `since_`.
  double busy_ = 0;
};

} // namespace trunkline
