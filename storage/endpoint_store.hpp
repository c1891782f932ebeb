/// Inboxes that move.
///
/// One that moves on its host keeps its id, so that what waits for it goes where it is now. One
/// that moves to another host is replaced: what is written from `replacement_delay` on goes to the
/// new one, what was written before stays with the old host's books.
#pragma once

#include "storage/audience_store.hpp"

#include <chrono>

namespace trunkline {

/// After this time nobody remembers the inbox as it was.
inline constexpr auto replacement_delay = std::chrono::minutes{2};

/// How long an inbox that answered 404 or 410 is taken for gone.
inline constexpr auto inbox_gone_for = std::chrono::hours{1};

/// Where an account says that it is reached.
struct endpoint_move {
  account_id account;      ///< 0: it is new.
  endpoint_id before;      ///< 0: it had none of this kind.
  endpoint_address wanted; ///< Now.
  endpoint_id fresh;       ///< A new id, if one is needed.
};

/// Returns the endpoint of `move.wanted`. An endpoint moves with the last account that is reached
/// through it; or with the first, when it is gone: nobody moves what others still use.
caf::expected<endpoint_id> settle_endpoint(database& db, const endpoint_move& move, time_point now);

/// Returns the id of an actor whose inbox or shared inbox `endpoint` is: of those on its host the
/// one that was not fetched for longest. "" when there is none.
caf::expected<std::string> find_owner_of_inbox(database& db, endpoint_id endpoint);

/// Notes that an inbox answered 404 or 410.
caf::error note_inbox_gone(database& db, endpoint_id endpoint, time_point now);

} // namespace trunkline
