/// Messages and handle of an account actor: everything a local account does, in its order.
///
/// Callers send these to the account region, which finds or starts the actor of `account`. Every
/// answer comes after the commit. Each message may carry a ticket, which is given back with it.
#pragma once

#include "actors/ticket.hpp"
#include "protocol/graph.hpp"
#include "protocol/post.hpp"
#include "protocol/profile.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <caf/unit.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

struct publish_post {
  account_id account;
  post_draft draft;
  std::string idempotency_key; ///< "" for none; at most 255 bytes.
  ticket admission;
};

struct edit_post {
  account_id account;
  post_id post;
  post_draft draft; ///< `seen_by`, `reply_to` and `app` are ignored.
  ticket admission;
};

struct delete_post {
  account_id account;
  post_id post;
  ticket admission;
};

struct boost_post {
  account_id account;
  post_id post;
  visibility seen_by = visibility::everyone;
  ticket admission;
};

struct unboost_post {
  account_id account;
  post_id post; ///< The boosted post, not the boost.
  ticket admission;
};

struct follow_account {
  account_id account;
  account_id target;
  follow_options options;
  ticket admission;
};

struct unfollow_account {
  account_id account;
  account_id target;
  ticket admission;
};

struct block_account {
  account_id account;
  account_id target;
  ticket admission;
};

struct unblock_account {
  account_id account;
  account_id target;
  ticket admission;
};

struct mute_account {
  account_id account;
  account_id target;
  mute_options options;
  ticket admission;
};

struct unmute_account {
  account_id account;
  account_id target;
  ticket admission;
};

struct favourite_post {
  account_id account;
  post_id post;
  ticket admission;
};

struct unfavourite_post {
  account_id account;
  post_id post;
  ticket admission;
};

struct bookmark_post {
  account_id account;
  post_id post;
  bool kept = true; ///< False: take the bookmark away.
  ticket admission;
};

struct pin_post {
  account_id account;
  post_id post;
  bool pinned = true; ///< False: unpin.
  ticket admission;
};

struct vote_in_poll {
  account_id account;
  post_id post;
  std::vector<std::int64_t> choices; ///< Counted from 0.
  ticket admission;
};

struct answer_follow_request {
  account_id account;
  account_id follower;
  bool accepted = true; ///< False: refuse.
  ticket admission;
};

struct drop_follower {
  account_id account;
  account_id follower;
  ticket admission;
};

struct block_domain {
  account_id account;
  std::string host;
  bool blocked = true; ///< False: unblock.
  ticket admission;
};

struct report_account {
  account_id account;
  account_id target;
  std::vector<post_id> posts; ///< At most 100, all of `target`.
  std::string comment;        ///< At most 1,000 characters.
  std::string category;       ///< "spam", "legal", "violation", "other"; "" is "other".
  bool forward = false;       ///< To the server of `target`.
  ticket admission;
};

struct change_profile {
  account_id account;
  profile_changes changes;
  ticket admission;
};

/// Says that the account has moved to `target`, whose aliases must name it.
struct move_account {
  account_id account;
  account_id target;
  ticket admission;
};

/// Gives the account a new key pair; the old one signs the Update that says so.
struct rotate_key {
  account_id account;
  std::string public_pem;
  std::string sealed_private_key; ///< Encrypted with the key of `secrets.key_file`.
  ticket admission;
};

/// Asks an account actor how it is; answered while everything else waits.
struct describe_account {
  account_id account;
};

struct account_report {
  account_id account;
  std::int64_t writes = 0;    ///< Committed since the actor started.
  std::int64_t refused = 0;   ///< Refused since the actor started.
  std::int64_t in_flight = 0; ///< Handed to the writer, not answered.
  std::int64_t mailbox = 0;
  std::string last_error; ///< "" when there was none.
};

/// INTERNAL: the idle timer of an account actor.
struct account_idle {
  std::uint64_t epoch = 0;
};

using account_handle = caf::typed_actor<
    // The new post, or the one that this Idempotency-Key made before. Fails with `invalid`,
    // `not_found` (the post replied to), `forbidden` (disabled).
    caf::replies_to<publish_post>::with<post_id>,
    // Fails with `not_found` when it is not the account's own post, `invalid`.
    caf::replies_to<edit_post>::with<post_id>, caf::replies_to<delete_post>::with<void>,
    // The boost; boosting again gives the same one.
    caf::replies_to<boost_post>::with<post_id>, caf::replies_to<unboost_post>::with<void>,
    // A follow of a locked account is a request until it is accepted.
    caf::replies_to<follow_account>::with<void>, caf::replies_to<unfollow_account>::with<void>,
    // Ends the follows in both directions.
    caf::replies_to<block_account>::with<void>, caf::replies_to<unblock_account>::with<void>,
    caf::replies_to<mute_account>::with<void>, caf::replies_to<unmute_account>::with<void>,
    // As in Mastodon, doing what is done already is no failure. Fail with `not_found` (a post that
    // the account may not see), pin also with `invalid`.
    caf::replies_to<favourite_post>::with<void>, caf::replies_to<unfavourite_post>::with<void>,
    caf::replies_to<bookmark_post>::with<void>, caf::replies_to<pin_post>::with<void>,
    caf::replies_to<vote_in_poll>::with<void>,
    // Fails with `not_found` when nobody asks.
    caf::replies_to<answer_follow_request>::with<void>, caf::replies_to<drop_follower>::with<void>,
    caf::replies_to<block_domain>::with<void>,
    // The report's id.
    caf::replies_to<report_account>::with<std::int64_t>,
    caf::replies_to<change_profile>::with<void>,
    // Fails with `invalid` when the target's aliases do not name the account, or it moved within 7
    // days.
    caf::replies_to<move_account>::with<void>, caf::replies_to<rotate_key>::with<void>,
    caf::replies_to<describe_account>::with<account_report>,
    // INTERNAL
    caf::reacts_to<account_idle>>;

} // namespace trunkline
