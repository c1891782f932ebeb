/// The password worker: hashes and checks passwords one after the other on a thread of its own, so
/// that no other actor waits for argon2id. The engine spawns it `detached`; there is one per node.
/// Callers bound what waits with a ticket and a deadline.
#pragma once

#include "actors/password_worker_messages.hpp"

namespace trunkline {

password_handle::behavior_type password_worker(password_handle::pointer self);

} // namespace trunkline
