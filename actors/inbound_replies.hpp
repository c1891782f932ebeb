/// Replies of other servers to posts of ours, passed on to those who follow the author.
///
/// A reply goes to its own author's followers; those of whom it answers would never see it. It is
/// passed on as it came, signed by the author of ours, when it was addressed to his followers, or
/// is public and carries its own signature, as Mastodon's do.
#pragma once

#include "actors/inbound_work.hpp"

#include <vector>

namespace trunkline {

/// Endpoints of an audience that is made anew to leave out where a reply came from; a larger one
/// takes it back to its origin, which knows it.
inline constexpr std::size_t forward_exclusion_max = 256;

/// To whom changes of a reply are passed on.
struct reply_forwarding {
  account_id author;                  ///< Of ours, whose post is answered; 0: to nobody.
  std::vector<audience_id> audiences; ///< Those that the reply went to.
};

/// Passes on a reply that has just come.
caf::error forward_new_reply(const inbound_work& work, const post& reply, const remote_note& note);

/// Returns to whom a reply was passed on.
caf::expected<reply_forwarding> reply_audiences(const inbound_work& work, const post& reply);

/// Passes on what came about a reply.
caf::error forward(const inbound_work& work, log_kind kind, const post& reply,
                   const reply_forwarding& to);

} // namespace trunkline
