#include "trunkline/engine.hpp"

#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/embedding/signals.hpp"
#include "protocol/errc.hpp"

#include <algorithm>

namespace trunkline {

namespace {

/// Nobody waits longer, and clocks do not overflow.
constexpr auto patience_max = std::chrono::hours{24};

std::chrono::milliseconds bounded(std::chrono::milliseconds timeout) {
  return std::clamp<std::chrono::milliseconds>(timeout, std::chrono::milliseconds{0}, patience_max);
}

} // namespace

engine::engine(std::unique_ptr<state> inside) : state_{std::move(inside)} {}
engine::engine(engine&&) noexcept = default;
engine& engine::operator=(engine&&) noexcept = default;
engine::~engine() = default;

result<bool> engine::wait_ready(std::chrono::milliseconds timeout) {
  const auto limit = bounded(timeout);
  const auto problem = state_->inside.wait_ready(limit);
  if (!problem)
    return true;
  if (code_of(problem) == errc::timed_out)
    return make_failure(failure_kind::timed_out, "engine.wait_ready",
                        "not ready after " + std::to_string(limit.count()) + " ms",
                        "wait again, or look at the log");
  return to_failure(problem);
}

std::string engine::web_url() const {
  return state_->inside.web_url();
}

std::string engine::admin_url() const {
  return state_->inside.admin_url();
}

int engine::run_until_signal() {
  auto signals = signal_wait{};
  if (!signals.is_first())
    return -1;
  state_->inside.watch_loss([&signals] { signals.stop(); });
  const auto number = signals.wait();
  state_->inside.watch_loss({});
  return number;
}

bool engine::drain(std::chrono::milliseconds timeout) {
  return state_->inside.drain(bounded(timeout));
}

std::string engine::metrics_text() const {
  return state_->inside.metrics_text();
}

failure engine::lost() const {
  if (auto problem = state_->inside.lost())
    return to_failure(problem);
  return {};
}

} // namespace trunkline
