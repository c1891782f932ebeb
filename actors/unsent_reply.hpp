/// The promise to say why a request was never sent. It is moved along until somebody keeps it; the
/// first word counts, and one that is destroyed without a word says that whoever had it has ended:
/// who waits for the end of a request must hear of it, whatever ends before.
#pragma once

#include "protocol/errc.hpp"

#include <caf/error.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

namespace trunkline {

/// Copies are of one promise. Any thread.
class unsent_reply {
public:
  /// Called at most once, on any thread; must not block.
  using sink = std::function<void(const caf::error&)>;

  unsent_reply() = default;
  explicit unsent_reply(sink tell) : state_{std::make_shared<state>(std::move(tell))} {}

  /// The request is not sent.
  void fail(const caf::error& why) const {
    if (state_)
      state_->tell_once(why);
  }

  /// It was handed to a sender, which tells of its end.
  void let_go() const {
    if (state_)
      state_->told_ = true;
  }

private:
  struct state {
    explicit state(sink tell) : tell_{std::move(tell)} {}
    ~state() { tell_once(make_error(errc::unavailable, "signing: shutting down")); }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    void tell_once(const caf::error& why) {
      if (!told_.exchange(true))
        tell_(why);
    }

    const sink tell_;
    std::atomic<bool> told_ = false;
  };

  std::shared_ptr<state> state_;
};

} // namespace trunkline
