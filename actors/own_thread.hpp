/// An actor with a thread of its own: spawned `detached`, because it blocks or computes.
#pragma once

#include "protocol/crypto.hpp"

namespace trunkline {

/// Returns `actor`, which frees at its end what OpenSSL keeps for its thread. CAF 0.17 joins no
/// such thread: one that is still ending when the program does would free it too late, or never.
template <class Handle>
Handle on_own_thread(Handle actor) {
  actor->attach_functor(forget_thread);
  return actor;
}

} // namespace trunkline
