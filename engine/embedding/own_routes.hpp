/// The embedder's HTTP routes: their handlers run on a thread of their own, and answer when they
/// like.
///
/// Any thread may call the members. An answer that comes after `end` goes nowhere.
#pragma once

#include "api/custom_routes.hpp"
#include "engine/embedding/node_extensions.hpp"
#include "engine/embedding/virtual_world.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace trunkline {

class own_routes {
public:
  static constexpr std::size_t waiting_max = 256;      ///< Requests that no handler has got yet.
  static constexpr std::size_t unanswered_max = 1'024; ///< Those included that a handler keeps.

  /// `routes` obey the builder's rules; `world` may be null. Throws `std::system_error` when no
  /// thread can be started.
  own_routes(const std::vector<route_seat>& routes, std::shared_ptr<virtual_world> world);

  /// Calls `end` without waiting.
  ~own_routes();
  own_routes(const own_routes&) = delete;
  own_routes& operator=(const own_routes&) = delete;

  /// What the gateways look at.
  const std::shared_ptr<const custom_routes>& table() const { return table_; }

  /// Lets no handler begin, waits for the present one, at most `limit`, and answers 503 to
  /// whatever is not answered.
  void end(std::chrono::milliseconds limit);

private:
  struct state;

  custom_handler serve(route_handler_function handler) const;

  std::shared_ptr<state> state_;
  std::shared_ptr<const custom_routes> table_;
};

} // namespace trunkline
