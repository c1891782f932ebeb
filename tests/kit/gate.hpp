/// A gate that callbacks stand at until a test opens it; with the test it opens by itself. Any
/// thread. Who stands at it may outlast the test.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace trunkline::kit {

class gate {
public:
  gate() = default;
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;
  ~gate() { open(); }

  void open() const {
    const auto held = std::scoped_lock{state_->mutex};
    state_->is_open = true;
    state_->changed.notify_all();
  }

  void pass() const { state_->pass(); }

  /// The same, for a callback that outlasts the gate.
  std::function<void()> passer() const {
    return [inside = state_] { inside->pass(); };
  }

  /// Waits until somebody has come `times` times; returns false after a minute.
  bool wait_arrived(int times = 1) const {
    auto held = std::unique_lock{state_->mutex};
    return state_->changed.wait_for(held, std::chrono::minutes{1},
                                    [&] { return state_->arrived >= times; });
  }

private:
  struct state {
    void pass() {
      auto held = std::unique_lock{mutex};
      ++arrived;
      changed.notify_all();
      changed.wait(held, [this] { return is_open; });
    }

    std::mutex mutex; ///< Guards what follows.
    std::condition_variable changed;
    bool is_open = false;
    int arrived = 0;
  };

  const std::shared_ptr<state> state_ = std::make_shared<state>();
};

} // namespace trunkline::kit
