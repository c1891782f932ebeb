/// A value, or why there is none: what every fallible call of the public interface returns.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace trunkline {

/// Why something could not be done, in words fit for a log or a terminal. It holds no secret.
struct failure {
  std::string message;
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

} // namespace trunkline
