/// An engine in memory, with threads, for tests of what embedders call.
#pragma once

#include "tests/kit/gate.hpp"
#include "trunkline/engine.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <optional>
#include <string_view>
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

inline engine::builder parts_in_memory(std::string_view domain) {
  return parts_in_memory(must(options::for_domain(domain)));
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

  /// Takes values until `last` is the newest, or none comes any more.
  std::vector<T> take_until(const T& last) {
    auto all = std::vector<T>{};
    while (all.empty() || all.back() != last) {
      auto more = take(1);
      if (more.empty())
        break;
      std::ranges::move(more, std::back_inserter(all));
    }
    return all;
  }

  /// Waits for the first that fits and leaves it.
  template <class Fits>
  std::optional<T> find(Fits fits) {
    auto held = std::unique_lock{mutex_};
    auto found = values_.end();
    changed_.wait_for(held, engine_patience, [&] {
      found = std::ranges::find_if(values_, fits);
      return found != values_.end();
    });
    return found == values_.end() ? std::nullopt : std::optional<T>{*found};
  }

  /// How many there are now.
  std::size_t size() {
    const auto held = std::scoped_lock{mutex_};
    return values_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

} // namespace trunkline::kit
