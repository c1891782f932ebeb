/// A Trunkline node inside any program. Several engines may live in one process, each with a
/// folder of its own.
#pragma once

#include "trunkline/options.hpp"
#include "trunkline/result.hpp"
#include "trunkline/version.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace trunkline {

/// A started node. Move-only; the destructor ends it at once, without losing what was answered.
/// Calls may come from any thread, but none from a callback of the engine.
class engine {
public:
  class builder;

  engine(engine&&) noexcept;
  engine& operator=(engine&&) noexcept;
  ~engine();

  /// Waits until the node serves, for at most `timeout`. Fails with what stopped the start (a
  /// folder that is in use, a database away, a port taken), or when the time is over.
  result<bool> wait_ready(std::chrono::milliseconds timeout);

  /// Where clients and the admin API reach this node, "http://127.0.0.1:3000"; port 0 is resolved.
  /// "" until it is ready.
  std::string web_url() const;
  std::string admin_url() const;

  /// Stops accepting at once, finishes what is in flight for at most `timeout`, closes. Returns
  /// whether everything in flight was answered. A second call does nothing and returns true.
  bool drain(std::chrono::milliseconds timeout);

private:
  struct state;
  explicit engine(std::unique_ptr<state> inside);
  std::unique_ptr<state> state_;
};

class engine::builder {
public:
  explicit builder(options values);

  /// Begins to start the node and returns at once. Fails only when no thread can be started.
  result<engine> start();

private:
  options values_;
};

} // namespace trunkline
