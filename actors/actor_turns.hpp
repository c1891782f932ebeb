/// Which actors have a turn at this moment, thread by thread: what the watchdog looks at.
///
/// A turn costs its thread a few stores into a place of its own, without a lock or an allocation.
/// Labels are read under a lock that is otherwise taken only when a label is given or goes, and a
/// thread begins or ends: what is read is there, however the actor ends meanwhile. Any thread.
#pragma once

#include <caf/fwd.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

/// A turn that had not ended when somebody looked.
struct open_turn {
  std::uint64_t thread = 0; ///< No other thread of this process has or had this number.
  std::uint64_t number = 0; ///< Of the turn, in its thread.
  std::string actor;        ///< What operators call it.
};

/// What operators call an actor; a member of it.
class actor_label {
public:
  explicit actor_label(const caf::actor_system& home) : home_{&home} {}

  /// Waits for whoever reads it.
  ~actor_label();
  actor_label(const actor_label&) = delete;
  actor_label& operator=(const actor_label&) = delete;

  /// The kind of the actor, with its key where there are several: "account 17".
  void set(std::string text);

private:
  friend std::vector<open_turn> open_turns(const caf::actor_system& home);

  const caf::actor_system* home_;
  std::string text_ = "an actor without a label";
};

/// Returns the turns of the actors of `home`.
std::vector<open_turn> open_turns(const caf::actor_system& home);

/// INTERNAL: where a thread says whose turn it is.
struct turn_place;

/// Says as long as it lives that an actor has its turn on this thread. A turn inside of another, as
/// virtual worlds may have them, hides that one for good.
class actor_turn {
public:
  explicit actor_turn(const actor_label& label);
  ~actor_turn();
  actor_turn(const actor_turn&) = delete;
  actor_turn& operator=(const actor_turn&) = delete;

private:
  turn_place* place_;
};

} // namespace trunkline
