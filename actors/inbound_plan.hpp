/// What must be fetched before an activity can be applied. Pure: it asks nobody.
///
/// Nothing of ours is ever fetched. What is known already the resolver answers from storage. The
/// sender's own things come first, those of other servers last.
#pragma once

#include "actors/resolver_messages.hpp"
#include "protocol/activity.hpp"
#include "protocol/host_address.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trunkline {

struct inbound_fetch {
  std::variant<resolve_account, resolve_post> wanted;
  /// Without it the activity has no effect; what is not essential is tried once.
  bool is_essential = true;
  /// Only when somebody here follows the signer: nobody else makes us fetch what he likes.
  bool if_followed = false;
  /// On another server than the sender's: others need not wait for it.
  bool is_elsewhere = false;
};

struct inbound_plan {
  std::vector<inbound_fetch> fetches; ///< In this order; at most 2.
  /// The sender's own word. Otherwise it is a hint: fetched, and not applied.
  bool is_applied = true;
};

/// Where things lie, to tell ours and the sender's from others'.
struct inbound_place {
  std::string_view own_origin; ///< "https://example.org"
  const host_address& sender;  ///< Whose lane it is.
};

/// Plans what `signer` has sent, after `judge_activity` has let it in.
inbound_plan plan_inbound(const activity& said, std::string_view signer,
                          const inbound_place& place);

} // namespace trunkline
