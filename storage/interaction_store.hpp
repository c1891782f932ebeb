/// What accounts do with posts: favourites, bookmarks, pins and votes. Doing what is done already
/// writes nothing; each tells whether it changed anything.
#pragma once

#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <string>
#include <vector>

namespace trunkline {

inline constexpr std::int64_t pins_max = 5;

/// `uri`: the id of the Like, which its Undo names; "" for one that is sent nowhere.
caf::expected<bool> store_favourite(database& db, account_id account, post_id post, time_point now,
                                    const std::string& uri = {});
caf::expected<bool> erase_favourite(database& db, account_id account, post_id post);

/// Returns the `uri` of a favourite; "" also when there is none.
caf::expected<std::string> favourite_uri(database& db, account_id account, post_id post);

caf::expected<bool> store_bookmark(database& db, account_id account, post_id post, time_point now);
caf::expected<bool> erase_bookmark(database& db, account_id account, post_id post);

/// Fails with `errc::invalid` past `pins_max`.
caf::expected<bool> store_pin(database& db, account_id account, post_id post, time_point now);
caf::expected<bool> erase_pin(database& db, account_id account, post_id post);

/// A poll as far as votes look at it.
struct poll_state {
  std::vector<std::string> options;
  bool multiple = false;
  bool ended = false;
  std::vector<std::int64_t> own; ///< The account's choices so far.
};

/// Fails with `not_found` when the post has no poll.
caf::expected<poll_state> find_poll(database& db, post_id post, account_id voter, time_point now);

/// Adds a vote. Fails with `errc::invalid`: ended, an option that is none, a second choice where
/// one is allowed, or the same choice again.
caf::error store_vote(database& db, post_id post, account_id voter, std::int64_t choice,
                      time_point now);

} // namespace trunkline
