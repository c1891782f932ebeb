/// The graph as accounts change it: follows, blocks, mutes.
///
/// Every function tells what it changed, so that nothing is logged twice: doing what is done
/// already writes nothing. Each belongs in the transaction of its change. A remote follower is
/// counted at the endpoint that its account has, while its follow is in force.
#pragma once

#include "protocol/graph.hpp"
#include "protocol/ids.hpp"
#include "storage/database.hpp"
#include "storage/reach_store.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// A local account as far as it acts, or any account as far as others act on it.
struct account_facts {
  account_id id;
  std::string name;
  bool is_local = true;
  bool locked = false;    ///< Follows wait until they are accepted.
  bool disabled = false;  ///< May not act.
  bool suspended = false; ///< A remote account, by this server.
};

/// Returns the account; nothing when there is none or it is deleted.
caf::expected<std::optional<account_facts>> find_account_facts(database& db, account_id id);

/// Finds who is named in a post: a local account when `host` is "". Nothing when nobody is.
caf::expected<std::optional<account_reach>> find_named(database& db, const std::string& folded_name,
                                                       const std::string& host);

/// One account follows another.
struct follow_edge {
  account_id follower;
  account_id followee;
  friend bool operator==(const follow_edge&, const follow_edge&) = default;
};

/// A follow as it is stored.
struct stored_follow {
  bool accepted = false; ///< False: it waits for the followee.
  std::string uri;       ///< The id of the Follow.
};

/// Returns the follow, or nothing.
caf::expected<std::optional<stored_follow>> find_follow(database& db, const follow_edge& edge);

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

/// Puts a follow in force that waits. Returns whether one did.
caf::expected<bool> accept_follow(database& db, const follow_edge& edge);

enum class follow_end {
  none,     ///< There was no follow.
  unfollow, ///< One in force ended.
  withdrawn ///< One that waited ended.
};

/// Ends a follow, or withdraws the request.
caf::expected<follow_end> erase_follow(database& db, const follow_edge& edge);

/// Tells whether one of the two blocks the other.
caf::expected<bool> is_blocked_either_way(database& db, account_id one, account_id other);

/// Blocks or unblocks; the follows between them are another matter. `uri` is the id of the Block.
/// Returns whether it changed.
caf::expected<bool> store_block(database& db, account_id blocker, account_id blocked,
                                time_point now, const std::string& uri = {});
caf::expected<bool> erase_block(database& db, account_id blocker, account_id blocked);

/// Returns the id of the Block that was sent, "" when none was.
caf::expected<std::string> block_uri(database& db, account_id blocker, account_id blocked);

/// Mutes, or changes how. A duration counts from `now`. Returns whether anything changed.
caf::expected<bool> store_mute(database& db, account_id muter, account_id muted,
                               const mute_options& options, time_point now);
caf::expected<bool> erase_mute(database& db, account_id muter, account_id muted);

} // namespace trunkline
