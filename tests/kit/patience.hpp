/// How much longer a deadline is in a build that is slowed down.
#pragma once

#include <chrono>

namespace trunkline::kit {

/// Returns `limit`, ten times as much without optimisation or with a sanitizer.
template <class Duration>
constexpr auto patient(Duration limit) {
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return limit * 10;
#else
  return limit;
#endif
}

} // namespace trunkline::kit
