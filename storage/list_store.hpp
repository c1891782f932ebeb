/// Lists that clients page through: of accounts and of posts, each by a key of its own.
///
/// Every call is one statement over an index and returns at most `limit` entries.
#pragma once

#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

/// A part of a list, by the keys of its entries. Keys of 0 set no bound.
struct list_page {
  std::int64_t max_key = 0;   ///< Older than this.
  std::int64_t since_key = 0; ///< Newer than this; the newest of those.
  std::int64_t min_key = 0;   ///< Newer than this; those right after it.
  std::int64_t limit = 40;
};

/// An entry; the key says where it stands.
struct list_entry {
  std::int64_t id = 0;
  std::int64_t key = 0;
};

enum class account_list : std::uint8_t {
  followers,   ///< Of an account; accepted ones. Key: the account.
  following,   ///< Whom an account follows. Key: the account.
  requesting,  ///< Who waits for an account's answer. Key: the account.
  blocked,     ///< By an account. Key: the time.
  muted,       ///< By an account. Key: the time.
  favouriting, ///< Who favoured a post. Key: the account.
  boosting,    ///< Who boosted a post. Key: the account.
};

/// Returns one page of the list of `subject` (an account or a post), newest first.
caf::expected<std::vector<list_entry>> list_accounts(database& db, account_list which,
                                                     std::int64_t subject, const list_page& page);

enum class post_list : std::uint8_t {
  favourites, ///< Key: the time.
  bookmarks,  ///< Key: the time.
};

/// Returns one page of the posts of `owner`'s list, newest first.
caf::expected<std::vector<list_entry>> list_posts(database& db, post_list which, account_id owner,
                                                  const list_page& page);

/// A part of what a search finds, in the order of the search.
struct search_part {
  std::int64_t offset = 0; ///< How many are passed over.
  std::int64_t limit = 20;
};

struct wanted_accounts {
  std::string name;       ///< Folded; the beginning of a name, or all of it.
  std::string domain;     ///< "": of any.
  account_id followed_by; ///< Only whom this account follows; 0: anybody.
};

/// Returns accounts that are found, those of just this name first, then ours.
caf::expected<std::vector<account_id>> search_accounts(database& db, const wanted_accounts& wanted,
                                                       const search_part& part);

/// Returns the names of hashtags that begin with `folded`.
caf::expected<std::vector<std::string>> search_tags(database& db, const std::string& folded,
                                                    const search_part& part);

} // namespace trunkline
