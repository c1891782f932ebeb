/// Messages and handle of the password worker.
#pragma once

#include "actors/ticket.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace trunkline {

struct make_password_hash {
  std::string password;
  ticket admission; ///< Bounds what waits here.
};

struct password_hash {
  std::string text; ///< As `hash_password` makes it.
};

struct check_password {
  std::string password;
  std::string hash; ///< "" for an account that does not exist: the answer is false, as late.
  ticket admission;
};

using password_handle = caf::typed_actor<
    // Fails with `invalid` (empty or too long) or `unavailable`.
    caf::replies_to<make_password_hash>::with<password_hash>,
    caf::replies_to<check_password>::with<bool>>;

} // namespace trunkline
