/// Home: which posts stand in an account's home timeline, as a pure function of its graph, its
/// filters and the posts.
///
/// The rules, the first that applies decides:
///  - own posts and own boosts belong;
///  - nothing else of anybody who is not followed (and accepted), is blocked, muted or blocks;
///  - a direct post belongs when the viewer is named in it;
///  - nothing that names or boosts somebody blocked or muted, and no boost of somebody who blocks
///    the viewer; nor a boost by somebody whose boosts the follow hides;
///  - a post in none of the languages of the follow does not belong; an unknown language does, and
///    a boost has no language of its own;
///  - a reply belongs when it answers the viewer, its own author or somebody the viewer follows. A
///    reply to a post nobody knows (`reply_author` 0) does not; as in Mastodon, a reply keeps its
///    `reply_author` when the answered post is deleted, and is judged by it.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/log_entry.hpp"
#include "protocol/time.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Posts and boosts that a home timeline holds in memory; older ones are read from storage.
inline constexpr std::size_t home_ring_size = 400;

/// A post or boost in a home ring.
struct home_reference {
  post_id id;
  post_id boost_of; ///< 0: no boost.
  friend bool operator==(const home_reference&, const home_reference&) = default;
};
static_assert(sizeof(home_reference) == 16);

/// An accepted follow, as far as Home looks at it.
struct followee {
  account_id account;
  bool show_boosts = true;
};

/// The languages a follow is limited to; never empty.
struct followee_languages {
  account_id account;
  std::vector<std::string> languages; ///< ISO 639
};

struct muted_account {
  account_id account;
  std::optional<time_point> expires_at; ///< Nothing: until unmuted.
};

/// Whom an account follows and does not want to see. Every list is sorted by account, unique.
struct viewer_graph {
  account_id viewer;
  std::vector<followee> followees;           ///< Accepted ones only.
  std::vector<followee_languages> languages; ///< Only of follows that are limited.
  std::vector<muted_account> muted;          ///< Expired ones may be among them.
  std::vector<account_id> blocked;           ///< By the viewer.
  std::vector<account_id> blocking;          ///< Who block the viewer.

  /// Returns the follow of `account`, or null.
  const followee* follow_of(account_id account) const;

  /// Returns the languages the follow of `account` is limited to, or null for all.
  const std::vector<std::string>* languages_of(account_id account) const;

  /// Tells whether the viewer blocks `account`, or mutes it at `now`.
  bool hides(account_id account, time_point now) const;

  bool is_blocked_by(account_id account) const;

  /// Tells whether posts of `account` can belong at all: the viewer's own, or of somebody followed
  /// who is neither hidden nor blocks the viewer.
  bool shows_author(account_id account, time_point now) const;

  /// Returns when the next mute ends after `now`: what was judged before is then wrong.
  std::optional<time_point> changes_at(time_point now) const;
};

/// Tells whether the post belongs in the home of `graph.viewer` at `now`. `facts.mentions` of a
/// boost are those of the boosted post.
bool belongs_in_home(const viewer_graph& graph, const post_facts& facts, time_point now);

/// Tells whether the post belongs, or would if the post it boosts named nobody: an edit may change
/// whom that names, everything else about a boost stays. The same as `belongs_in_home` for what is
/// no boost. Rings hold what may belong, whoever reads them judges again.
bool may_belong_in_home(const viewer_graph& graph, const post_facts& facts, time_point now);

/// Returns the newest `limit` posts of the home of `graph.viewer`, by id, newest first, each once.
/// `posts` come in any order; the boost of a deleted post must not be among them.
std::vector<post_id> home_of(const viewer_graph& graph, std::span<const post_facts> posts,
                             time_point now, std::size_t limit = home_ring_size);

/// A home as it was read: from storage, to be put into a ring, or from a ring.
struct home_snapshot {
  std::shared_ptr<const viewer_graph> graph; ///< By which the posts were judged.
  std::vector<home_reference> posts;         ///< Newest first, at most `home_ring_size`.
  post_id complete_from; ///< No post that belongs and is not older than this is missing; 0: none.
  log_seq seq = 0;       ///< What was committed up to here is in it.
  time_point judged_at;  ///< For mutes that end.
};

} // namespace trunkline
