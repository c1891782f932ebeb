/// An engine in memory, with threads, for tests of what embedders call.
#pragma once

#include "tests/kit/gate.hpp"
#include "trunkline/engine.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// How long a test waits for what must come.
inline constexpr auto engine_patience = std::chrono::seconds{60};

template <class T>
T must(result<T> answer) {
  if (!answer)
    FAIL(answer.error().message);
  return std::move(*answer);
}

inline engine::builder parts_in_memory(options values = must(options::for_domain("a.example"))) {
  auto parts = engine::builder{std::move(values)};
  parts.storage(store::memory());
  return parts;
}

inline engine start_engine(engine::builder parts) {
  auto started = must(parts.start());
  must(started.wait_ready(engine_patience));
  return started;
}

/// Values that threads give and a test waits for.
template <class T>
class mail {
public:
  void put(T value) {
    const auto held = std::scoped_lock{mutex_};
    values_.push_back(std::move(value));
    changed_.notify_all();
  }

  /// Waits for `count` values and takes all there are.
  std::vector<T> take(std::size_t count) {
    auto held = std::unique_lock{mutex_};
    changed_.wait_for(held, engine_patience, [&] { return values_.size() >= count; });
    return std::exchange(values_, {});
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

} // namespace trunkline::kit
