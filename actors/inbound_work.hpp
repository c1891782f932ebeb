/// One arrival at work: what every effect begins and ends with, and the effects by name.
///
/// For the files `inbound_*.cpp` alone. Everything runs on the writer's thread, in the transaction
/// of the arrival.
#pragma once

#include "actors/inbound_changes.hpp"
#include "protocol/log_entry.hpp"
#include "protocol/notification.hpp"
#include "protocol/post.hpp"
#include "storage/graph_store.hpp"
#include "storage/remote_post_store.hpp"
#include "storage/remote_store.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// An activity that is undone, as its Undo names it.
struct undone_activity {
  activity_type type = activity_type::unknown; ///< Unknown when only the id was sent.
  std::string id;                              ///< "" when it has none.
  std::string object;                          ///< "" when only the id was sent.
};

/// Followers of ours who go along with one Move; the same said again takes along as many more.
inline constexpr std::int64_t moved_followers_max = 500;

struct inbound_work {
  write_context& context;
  const inbound_context& shared;
  const arrival& row;
  const activity& said;
  const remote_account& actor; ///< Who says it.

  database& db() const { return context.db; }
  time_point now() const { return context.now; }
  caf::expected<std::int64_t> fresh_id() const { return shared.ids->next(); }

  /// Tells whether `uri` is one of ours.
  bool is_own(std::string_view uri) const;
  /// Tells whether `uri` is of the actor's origin: he may speak for it.
  bool is_theirs(std::string_view uri) const;
  /// The activity's id; what stands for it when it has none, or one of another origin.
  std::string known_id() const;
  note_context notes() const;

  /// Returns the account of ours with this actor; nothing when it is none of ours, or deleted.
  caf::expected<std::optional<account_facts>> local_account(const std::string& uri) const;
  /// Returns the post at `uri`, of a boost what it boosts; nothing when it is unknown.
  caf::expected<std::optional<post>> known_post(const std::string& uri) const;
  /// Tells whether `account`, one of ours, wants to hear nothing of the actor.
  caf::expected<bool> is_shunned_by(account_id account) const;
  /// Tells whether what is said was undone before it came.
  caf::expected<bool> take_early_undo() const;

  /// A row that reports what the actor did; it goes to nobody.
  log_draft entry(log_kind kind, object_key object) const;
  void log(log_draft entry) const { context.log.push_back(std::move(entry)); }

  caf::error notify(account_id owner, notification_kind kind, post_id post) const;
  caf::error unnotify(account_id owner, notification_kind kind, post_id post) const;
};

inline object_key between(object_kind kind, account_id actor, std::int64_t target) {
  return {kind, actor.value, target};
}

/// What stands for an activity that may be undone before it comes.
std::string undo_key(const remote_account& actor, const undone_activity& what);

// inbound_relations.cpp
caf::error receive_follow(inbound_work& work);
caf::error receive_accept(inbound_work& work);
caf::error receive_reject(inbound_work& work);
caf::error receive_block(inbound_work& work);

// inbound_posts.cpp
caf::error receive_create(inbound_work& work);
caf::error receive_update(inbound_work& work);
caf::error receive_delete(inbound_work& work);

// inbound_interactions.cpp
caf::error receive_like(inbound_work& work);
caf::error receive_announce(inbound_work& work);
caf::error receive_vote(inbound_work& work, const remote_note& vote);
caf::error receive_add(inbound_work& work);
caf::error receive_remove(inbound_work& work);

// inbound_reports.cpp, inbound_moves.cpp
caf::error receive_flag(inbound_work& work);
caf::error receive_move(inbound_work& work);

// Each returns whether there was what is undone.
caf::expected<bool> undo_follow(inbound_work& work, const undone_activity& what);
caf::expected<bool> undo_block(inbound_work& work, const undone_activity& what);
caf::expected<bool> undo_like(inbound_work& work, const undone_activity& what);
caf::expected<bool> undo_announce(inbound_work& work, const undone_activity& what);

} // namespace trunkline
