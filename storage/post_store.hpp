/// Posts as their authors change them: made, edited, boosted, deleted.
///
/// Each function makes a bounded number of statements and belongs in the transaction of its change.
/// A plain post is one row; each person named and each tag is one more, a new tag two.
#pragma once

#include "protocol/post.hpp"
#include "storage/database.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// How long a key gives the post that it made.
inline constexpr auto idempotency_kept = std::chrono::hours{1};

/// A hashtag of a post.
struct tag_name {
  std::string folded;
  std::string name; ///< As written; kept from the first use.
  friend bool operator==(const tag_name&, const tag_name&) = default;
};

/// Whom and what a post names; each once.
struct post_links {
  std::vector<account_id> mentions;
  std::vector<tag_name> tags;
};

/// Gives a new id; fails with `unavailable`.
using fresh_id = std::function<caf::expected<std::int64_t>()>;

/// Adds a post with what it names. `idempotency_key` "": none. Fails with `unique_violation` when
/// its id, or its author's key, is there already.
caf::error insert_post(database& db, const post& row, audience_id audience,
                       const std::string& idempotency_key);

/// Adds what a new post names; `ids` gives the ids of tags never used before.
caf::error insert_links(database& db, post_id id, const post_links& links, const fresh_id& ids);

/// Puts what a post names in the place of what it named before.
caf::error replace_links(database& db, post_id id, const post_links& links, const fresh_id& ids);

/// Finds the post that the author's key made within `idempotency_kept` before `now`. An older one
/// loses the key: it may make another post.
caf::expected<std::optional<post_id>> find_by_key(database& db, account_id author,
                                                  const std::string& key, time_point now);

/// Takes the keys from at most 1,000 of the author's posts from before `before`; returns how many.
caf::expected<std::int64_t> clear_keys(database& db, account_id author, time_point before);

/// Returns the post, or nothing.
caf::expected<std::optional<post>> find_post(database& db, post_id id);

/// Returns whom a post names, sorted.
caf::expected<std::vector<account_id>> mentions_of(database& db, post_id id);

/// Returns the audience that the post was given; 0 for none, or when it is gone.
caf::expected<audience_id> audience_of(database& db, post_id id);

/// Notes that a post went to another audience as well. Nothing is noted for the post's own, or 0.
caf::error add_post_audience(database& db, post_id id, audience_id audience);

/// Returns every audience that the post ever had, its own first.
caf::expected<std::vector<audience_id>> audiences_of(database& db, post_id id);

/// Adds the poll of a new post, which ends at `ends_at`.
caf::error insert_poll(database& db, post_id id, const poll_draft& poll, time_point ends_at);

/// Returns our accounts that boost a post; at most `limit`.
caf::expected<std::vector<account_id>> local_boosters(database& db, post_id boosted,
                                                      std::int64_t limit);

/// Tells whether `viewer` may see `row`, by the rule of `protocol/post_access.hpp`.
caf::expected<bool> may_see(database& db, account_id viewer, const post& row);

/// Keeps the present text of `before` as a version, and stores that of `after`, whose `edited_at`
/// must be later than every version's.
caf::error store_edit(database& db, const post& before, const post& after);

/// Returns the author's boost of `boosted`, or nothing.
caf::expected<std::optional<post_id>> boost_by(database& db, account_id author, post_id boosted);

/// Removes a boost; returns the id it had, or nothing when there was none.
caf::expected<std::optional<post_id>> erase_boost(database& db, account_id author, post_id boosted);

/// Removes a post and all that hangs on it, boosts of it included. Replies to it stay.
caf::error erase_post(database& db, post_id id);

/// Returns the newest id among the author's posts and boosts; 0 without any.
caf::expected<post_id> newest_post_of(database& db, account_id author);

} // namespace trunkline
