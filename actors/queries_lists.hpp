/// Questions about lists, notifications and search results, for `ask_storage`.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/notification.hpp"
#include "protocol/views.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// A part of a list; see `list_page`.
struct list_wish {
  std::int64_t max_key = 0;
  std::int64_t since_key = 0;
  std::int64_t min_key = 0;
  std::int64_t limit = 40;
};

/// Accounts, and the keys by which the list goes on; keys may be more than accounts.
struct account_list_view {
  std::vector<std::int64_t> keys;
  std::vector<account_view> accounts;
};

/// Lists of an account. Fails with `not_found` when there is no such account.
query<account_list_view> ask_followers(account_id of, list_wish page, known_counts_ptr counts);
query<account_list_view> ask_following(account_id of, list_wish page, known_counts_ptr counts);
query<account_list_view> ask_follow_requests(account_id of, list_wish page,
                                             known_counts_ptr counts);
query<account_list_view> ask_blocked(account_id of, list_wish page, known_counts_ptr counts);
query<account_list_view> ask_muted(account_id of, list_wish page, known_counts_ptr counts);

/// Who favoured or boosted a post. Fails with `not_found` when `viewer` may not see it.
query<account_list_view> ask_favouriting(account_id viewer, post_id post, list_wish page,
                                         view_moment at);
query<account_list_view> ask_boosting(account_id viewer, post_id post, list_wish page,
                                      view_moment at);

/// Posts that the account may still see, and the keys by which the list goes on.
struct keyed_posts_view {
  std::vector<std::int64_t> keys;
  std::vector<post_view> posts;
};
query<keyed_posts_view> ask_favourites(account_id owner, list_wish page, view_moment at);
query<keyed_posts_view> ask_bookmarks(account_id owner, list_wish page, view_moment at);

struct notification_view {
  notification row;
  account_view from;
  std::optional<post_view> post;
};

struct notification_wish {
  account_id owner;
  list_wish page;
  account_id from; ///< 0: of anybody.
  std::vector<notification_kind> kinds;
  std::vector<notification_kind> hidden;
};

struct notification_list_view {
  std::vector<std::int64_t> keys;
  std::vector<notification_view> notifications;
};
query<notification_list_view> ask_notifications(notification_wish wish, view_moment at);

/// How many there are, at most `wish.page.limit`: which were read, nobody says.
query<std::int64_t> ask_notification_count(notification_wish wish);
query<notification_view> ask_notification(account_id owner, std::int64_t id, view_moment at);
command<caf::unit_t> dismiss_one(account_id owner, std::int64_t id);
command<caf::unit_t> dismiss_all(account_id owner);

/// Domains that the account blocks, by name; at most `limit` after `after`.
query<std::vector<std::string>> ask_blocked_domains(account_id owner, std::string after,
                                                    std::int64_t limit);

/// What a search finds here, without asking anybody else.
struct search_wish {
  account_id viewer;
  std::string text;
  std::string own_domain;
  std::string own_origin; ///< Begins the ids of ours.
  bool accounts = true;
  bool statuses = true;
  bool tags = true;
  bool followed_only = false; ///< Of accounts, those that the viewer follows.
  std::int64_t offset = 0;    ///< Past 0 only what the text names in part.
  std::int64_t limit = 20;
  account_id found_account; ///< Found elsewhere, to be shown first; 0 for none.
  post_id found_post;       ///< Likewise.
};

struct search_view {
  std::vector<account_view> accounts;
  std::vector<post_view> posts;
  std::vector<std::string> tags;
};
query<search_view> ask_search(search_wish wish, view_moment at);

} // namespace trunkline
