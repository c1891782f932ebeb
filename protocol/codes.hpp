/// The codes that stand in the database and in messages between nodes. A value, once released, is
/// never given another meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace trunkline {

/// What a row of the log reports.
enum class log_kind : std::uint8_t {
  create = 1,          ///< A post.
  update = 2,          ///< An edit of a post.
  remove = 3,          ///< A deleted post (Delete).
  announce = 4,        ///< A boost.
  undo_announce = 5,   ///< A boost taken back.
  like = 6,            ///< A favourite.
  undo_like = 7,       ///< A favourite taken back.
  follow = 8,          ///< An accepted follow, or a changed one.
  undo_follow = 9,     ///< A follow that ended, whoever ended it.
  follow_request = 10, ///< A follow that waits for the followee.
  reject_follow = 11,  ///< A request refused or withdrawn.
  block = 12,          ///< One account blocks another.
  undo_block = 13,
  mute = 14, ///< One account mutes another; stays on this server.
  undo_mute = 15,
  domain_block = 16,
  undo_domain_block = 17,
  update_actor = 18,    ///< A changed profile.
  remove_actor = 19,    ///< A deleted account.
  rotate_key = 20,      ///< A new signing key.
  revoke_token = 21,    ///< Tokens that no longer count: caches forget them.
  disable_account = 22, ///< The account may not act: its tokens no longer count.
  enable_account = 23,
  accept_follow = 24, ///< The followee's Accept, on its way to a remote follower.
  flag = 25,          ///< A report, on its way to the reported account's server.
  vote = 26,          ///< A vote in a poll.
  pin = 27,           ///< A post pinned to its author's profile (Add).
  unpin = 28,         ///< Remove
  move_account = 29,  ///< An account says where it has moved (Move).
  create_actor = 30,  ///< A new account of ours; stays on this server.
};

/// Who may see a post; the words of Mastodon's API.
enum class visibility : std::uint8_t {
  everyone = 1,  ///< "public"
  unlisted = 2,  ///< "unlisted"
  followers = 3, ///< "private"
  direct = 4,    ///< "direct": the persons named
};

/// Order of delivery, 8 : 1.
enum class delivery_class : std::uint8_t { direct = 1, bulk = 2 };

/// The kinds of actor that are placed by shard.
enum class actor_kind : std::uint8_t { account = 1, host = 2 };

/// Returns the word of Mastodon's API: "public", "unlisted", "private" or "direct".
std::string_view to_string(visibility value);

/// Reads the word of Mastodon's API; nothing when it is none.
std::optional<visibility> parse_visibility(std::string_view text);

/// Returns the code's name, as in logs and metrics: "undo_follow".
std::string_view to_string(log_kind kind);

/// Tells whether a post of this visibility may be boosted by anyone, and shown to strangers.
constexpr bool is_public(visibility value) {
  return value == visibility::everyone || value == visibility::unlisted;
}

} // namespace trunkline
