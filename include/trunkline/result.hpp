/// A value, or why there is none: what every fallible call of the public interface returns. No call
/// throws, but for `std::bad_alloc`.
#pragma once

#include "trunkline/abi.hpp"

#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace trunkline {
inline namespace v0 {

/// What kind of failure it is, for programs that decide by it.
enum class failure_kind : std::uint8_t {
  invalid,      ///< What was asked is malformed or refused; asking again will not help.
  forbidden,    ///< Known, but not allowed.
  not_found,    ///< No such thing, or not for this caller.
  conflict,     ///< Contradicts what is stored: the name is taken.
  too_large,    ///< Over a named limit.
  rate_limited, ///< Too many from this caller; later it may work.
  unavailable,  ///< Not now: starting, draining, full, a database or a server away.
  timed_out,    ///< No answer within the deadline; whether it was done is not known.
  config,       ///< The configuration is refused.
  in_use,       ///< Another engine holds the folder.
  rejected,     ///< A filter refused it; `what` is the filter's reason.
  internal,     ///< A bug, or a disk that fails.
};

/// Why something could not be done, in words fit for a log or a terminal. It holds no secret.
struct failure {
  std::string message; ///< All of it: "WHERE: WHAT; ADVICE".
  failure_kind kind = failure_kind::internal;
  std::string what;   ///< What was wrong.
  std::string where;  ///< "FILE:LINE: KEY", a parameter, a path; "" when there is no place.
  std::string advice; ///< What to do about it; "" when nothing can be done.
};

template <class T>
class [[nodiscard]] result {
public:
  result(T value) : content_{std::in_place_index<0>, std::move(value)} {}
  result(failure why) : content_{std::in_place_index<1>, std::move(why)} {}

  explicit operator bool() const noexcept { return content_.index() == 0; }

  /// The value; only when there is one.
  T& operator*() {
    assert(*this);
    return *std::get_if<0>(&content_);
  }
  const T& operator*() const {
    assert(*this);
    return *std::get_if<0>(&content_);
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

  /// The failure; only when there is one.
  const failure& error() const {
    assert(!*this);
    return *std::get_if<1>(&content_);
  }

private:
  std::variant<T, failure> content_;
};

} // namespace v0
} // namespace trunkline
