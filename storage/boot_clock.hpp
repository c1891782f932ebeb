/// Time since the machine was started, sleep and standstill included: a process that was frozen
/// must see that time has passed.
#pragma once

#include <time.h>

#include <chrono>

namespace trunkline {

/// CLOCK_BOOTTIME. Any thread.
struct boot_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boot_clock>;
  static constexpr bool is_steady = true;

  static time_point now() {
    auto read = timespec{};
    ::clock_gettime(CLOCK_BOOTTIME, &read);
    return time_point{std::chrono::seconds{read.tv_sec} + std::chrono::nanoseconds{read.tv_nsec}};
  }
};
using boot_time = boot_clock::time_point;

} // namespace trunkline
