/// The graph as accounts change it: follows, blocks, mutes.
///
/// Every function tells what it changed, so that nothing is logged twice: doing what is done
/// already writes nothing. Each belongs in the transaction of its change.
#pragma once

#include "protocol/graph.hpp"
#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// A local account as far as it acts, or any account as far as others act on it.
struct account_facts {
  account_id id;
  std::string name;
  bool is_local = true;
  bool locked = false;   ///< Follows wait until they are accepted.
  bool disabled = false; ///< May not act.
};

/// Returns the account; nothing when there is none or it is deleted.
caf::expected<std::optional<account_facts>> find_account_facts(database& db, account_id id);

/// Finds who is named in a post: a local account when `host` is "". Nothing when nobody is.
struct named_account {
  account_id id;
  std::string name;   ///< As its owner writes it.
  std::string uri;    ///< What the link to it shows.
  std::string domain; ///< "" for a local account.
};
caf::expected<std::optional<named_account>> find_named(database& db, const std::string& folded_name,
                                                       const std::string& host);

/// One account follows another. `via`: the endpoint of a remote follower; 0 for a local one.
struct follow_edge {
  account_id follower;
  account_id followee;
  endpoint_id via;
};

enum class follow_change {
  none,      ///< It was so already.
  followed,  ///< New, and in force.
  requested, ///< New, and waits for the followee.
  changed,   ///< Other options than before, in force.
  asked_anew ///< Other options than before, still waiting.
};

/// Follows, or changes what an existing follow shows. `accepted` counts for a new one alone.
/// `uri` is the id of the Follow.
caf::expected<follow_change> store_follow(database& db, const follow_edge& edge,
                                          const follow_options& options, bool accepted,
                                          const std::string& uri, time_point now);

enum class follow_end {
  none,     ///< There was no follow.
  unfollow, ///< One in force ended.
  withdrawn ///< One that waited ended.
};

/// Ends a follow, or withdraws the request.
caf::expected<follow_end> erase_follow(database& db, const follow_edge& edge);

/// Tells whether one of the two blocks the other.
caf::expected<bool> is_blocked_either_way(database& db, account_id one, account_id other);

/// Blocks or unblocks; the follows between them are another matter. Returns whether it changed.
caf::expected<bool> store_block(database& db, account_id blocker, account_id blocked,
                                time_point now);
caf::expected<bool> erase_block(database& db, account_id blocker, account_id blocked);

/// Mutes, or changes how. A duration counts from `now`. Returns whether anything changed.
caf::expected<bool> store_mute(database& db, account_id muter, account_id muted,
                               const mute_options& options, time_point now);
caf::expected<bool> erase_mute(database& db, account_id muter, account_id muted);

} // namespace trunkline
