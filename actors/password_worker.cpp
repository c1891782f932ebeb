#include "actors/password_worker.hpp"

#include "actors/messages.hpp"
#include "protocol/password.hpp"

#include <caf/result.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace trunkline {

password_handle::behavior_type password_worker(password_handle::pointer) {
  return {
      [](const make_password_hash& wish) -> caf::result<password_hash> {
        auto hash = hash_password(wish.password);
        if (!hash)
          return std::move(hash.error());
        return password_hash{std::move(*hash)};
      },
      [](const check_password& claim) { return verify_password(claim.password, claim.hash); },
  };
}

} // namespace trunkline
