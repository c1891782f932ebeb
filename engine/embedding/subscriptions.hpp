/// The embedder's subscriptions to home timelines: tells each new post once, oldest first.
///
/// The fan-out says which posts are new; whether a home shows them is asked of the client API, in
/// process. Nothing is asked while nothing is new. All functions are called on one thread, which
/// there is from the first subscription on. Any thread may call the members.
#pragma once

#include "actors/log_cache.hpp"
#include "actors/log_position.hpp"
#include "engine/embedding/calls.hpp"
#include "engine/embedding/virtual_world.hpp"
#include "trunkline/calls.hpp"
#include "trunkline/result.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace trunkline {

class subscriptions final : public log_cache {
public:
  static constexpr std::size_t subscriptions_max = 256;
  /// New posts that are remembered one by one; past that a home's newest ones are looked through.
  static constexpr std::size_t rows_max = 4'096;

  /// `world` may be null. What cannot be read is tried again after `first_pause`, then twice as
  /// long each time; after ten times from the beginning.
  explicit subscriptions(std::shared_ptr<virtual_world> world,
                         std::chrono::milliseconds first_pause = std::chrono::milliseconds{5});

  /// Calls `end` without waiting.
  ~subscriptions() override;
  subscriptions(const subscriptions&) = delete;
  subscriptions& operator=(const subscriptions&) = delete;

  /// Says where homes are read. What `entry` leads to lives until `end`.
  void begin(call_entry entry, std::shared_ptr<const log_position> position);

  /// Tells `call` of posts that are committed from now on and enter the home of `account`. Fails
  /// with `too_large` past `subscriptions_max`, with `unavailable` before `begin` and after `end`.
  result<subscription> add(account_id account, timeline_function call);

  /// Called by the fan-out.
  void apply(const log_entry& row) override;

  /// Lets no call begin, and waits for the present one, at most `limit`.
  void end(std::chrono::milliseconds limit);

private:
  struct subscriber;
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace trunkline
