#include "actors/queries_lists.hpp"

#include "protocol/names.hpp"
#include "storage/domain_block_store.hpp"
#include "storage/graph_store.hpp"
#include "storage/list_store.hpp"
#include "storage/notification_store.hpp"
#include "storage/remote_store.hpp"
#include "storage/view_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

list_page page_of(const list_wish& wish) {
  return {wish.max_key, wish.since_key, wish.min_key, wish.limit};
}

notification_page page_of(const notification_wish& wish) {
  return {.owner = wish.owner,
          .max_id = wish.page.max_key,
          .since_id = wish.page.since_key,
          .min_id = wish.page.min_key,
          .limit = wish.page.limit,
          .from = wish.from,
          .kinds = wish.kinds,
          .hidden = wish.hidden};
}

caf::expected<account_list_view> show_accounts(database& db, account_list which,
                                               std::int64_t subject, const list_wish& wish,
                                               known_counts* counts) {
  const auto entries = list_accounts(db, which, subject, page_of(wish));
  if (!entries)
    return entries.error();
  auto shown = account_list_view{};
  auto ids = std::vector<account_id>{};
  for (const auto& entry : *entries) {
    shown.keys.push_back(entry.key);
    ids.emplace_back(entry.id);
  }
  auto accounts = load_accounts(db, ids, counts);
  if (!accounts)
    return accounts.error();
  shown.accounts = std::move(*accounts);
  return shown;
}

query<account_list_view> list_of(account_list which, account_id of, const list_wish& page,
                                 known_counts_ptr counts) {
  return {[which, of, page,
           counts = std::move(counts)](database& db) -> caf::expected<account_list_view> {
    if (const auto subject = load_account(db, of, counts.get()); !subject)
      return subject.error();
    return show_accounts(db, which, of.value, page, counts.get());
  }};
}

query<account_list_view> list_about(account_list which, account_id viewer, post_id post,
                                    const list_wish& page, view_moment at) {
  return {[which, viewer, post, page,
           at = std::move(at)](database& db) -> caf::expected<account_list_view> {
    if (const auto seen = load_post(db, viewer, post, at.now, at.counts.get()); !seen)
      return seen.error();
    return show_accounts(db, which, post.value, page, at.counts.get());
  }};
}

query<keyed_posts_view> posts_of(post_list which, account_id owner, const list_wish& page,
                                 view_moment at) {
  return {
      [which, owner, page, at = std::move(at)](database& db) -> caf::expected<keyed_posts_view> {
        const auto entries = list_posts(db, which, owner, page_of(page));
        if (!entries)
          return entries.error();
        auto shown = keyed_posts_view{};
        auto ids = std::vector<post_id>{};
        for (const auto& entry : *entries) {
          shown.keys.push_back(entry.key);
          ids.emplace_back(entry.id);
        }
        auto posts = load_posts(db, owner, ids, at.now, at.counts.get());
        if (!posts)
          return posts.error();
        shown.posts = std::move(*posts);
        return shown;
      }};
}

/// Completes notifications; one whose account or post is gone by now is left out.
caf::expected<std::vector<notification_view>> complete(database& db, account_id owner,
                                                       const std::vector<notification>& rows,
                                                       const view_moment& at) {
  auto from = std::vector<account_id>{};
  auto about = std::vector<post_id>{};
  for (const auto& row : rows) {
    from.push_back(row.from);
    if (row.post)
      about.push_back(row.post);
  }
  const auto accounts = load_accounts(db, from, at.counts.get());
  if (!accounts)
    return accounts.error();
  const auto posts = load_posts(db, owner, about, at.now, at.counts.get());
  if (!posts)
    return posts.error();
  auto shown = std::vector<notification_view>{};
  for (const auto& row : rows) {
    const auto account = std::ranges::find(*accounts, row.from, &account_view::id);
    const auto post = std::ranges::find_if(
        *posts, [&](const post_view& candidate) { return candidate.row.id == row.post; });
    if (account == accounts->end() || (row.post && post == posts->end()))
      continue;
    shown.push_back({row, *account, row.post ? std::optional{*post} : std::nullopt});
  }
  return shown;
}

caf::expected<caf::unit_t> done(caf::error failure) {
  if (failure)
    return failure;
  return caf::unit;
}

/// "@name@domain", "name@domain" or "name", split and folded.
struct searched_name {
  std::string name;
  std::string domain; ///< "" for any.
};

searched_name split_name(std::string_view text, std::string_view own_domain) {
  if (text.starts_with('@'))
    text.remove_prefix(1);
  const auto at = text.find('@');
  auto split = searched_name{fold_name(text.substr(0, at)), {}};
  if (at != std::string_view::npos)
    split.domain = fold_name(text.substr(at + 1));
  if (split.domain == own_domain)
    split.domain.clear();
  return split;
}

/// What the text names whole: an address elsewhere, or an id.
caf::expected<std::vector<account_id>> named_accounts(database& db, const search_wish& wish) {
  auto ids = std::vector<account_id>{};
  if (wish.offset > 0)
    return ids;
  if (wish.found_account)
    ids.push_back(wish.found_account);
  const auto known = find_account_by_uri(db, wish.text);
  if (!known)
    return known.error();
  if (*known)
    ids.push_back(**known);
  if (!wish.followed_only)
    return ids;
  auto followed = std::vector<account_id>{};
  for (const auto id : ids) {
    const auto follow = find_follow(db, {.follower = wish.viewer, .followee = id});
    if (!follow)
      return follow.error();
    if (*follow && (*follow)->accepted)
      followed.push_back(id);
  }
  return followed;
}

caf::error find_accounts(database& db, const search_wish& wish, const view_moment& at,
                         search_view& found) {
  const auto wanted = split_name(wish.text, wish.own_domain);
  auto ids = named_accounts(db, wish);
  if (!ids)
    return std::move(ids.error());
  if (!wanted.name.empty()) {
    const auto named =
        search_accounts(db,
                        {.name = wanted.name,
                         .domain = wanted.domain,
                         .followed_by = wish.followed_only ? wish.viewer : account_id{}},
                        {.offset = wish.offset, .limit = wish.limit});
    if (!named)
      return named.error();
    ids->insert(ids->end(), named->begin(), named->end());
  }
  auto unique = std::vector<account_id>{};
  for (const auto id : *ids)
    if (std::ranges::find(unique, id) == unique.end())
      unique.push_back(id);
  auto accounts = load_accounts(db, unique, at.counts.get());
  if (!accounts)
    return std::move(accounts.error());
  found.accounts = std::move(*accounts);
  return {};
}

caf::error find_posts(database& db, const search_wish& wish, const view_moment& at,
                      search_view& found) {
  if (wish.offset > 0)
    return {};
  auto ids = std::vector<post_id>{};
  if (wish.found_post)
    ids.push_back(wish.found_post);
  else if (auto known = find_post_by_uri(db, wish.text, wish.own_origin); !known)
    return std::move(known.error());
  else if (*known)
    ids.push_back(**known);
  auto posts = load_posts(db, wish.viewer, ids, at.now, at.counts.get());
  if (!posts)
    return std::move(posts.error());
  found.posts = std::move(*posts);
  return {};
}

caf::error find_tags(database& db, const search_wish& wish, search_view& found) {
  auto text = std::string_view{wish.text};
  if (text.starts_with('#'))
    text.remove_prefix(1);
  const auto folded = fold_tag(text);
  if (folded.empty())
    return {};
  auto tags = search_tags(db, folded, {.offset = wish.offset, .limit = wish.limit});
  if (!tags)
    return std::move(tags.error());
  found.tags = std::move(*tags);
  return {};
}

} // namespace

query<account_list_view> ask_followers(account_id of, list_wish page, known_counts_ptr counts) {
  return list_of(account_list::followers, of, page, std::move(counts));
}

query<account_list_view> ask_following(account_id of, list_wish page, known_counts_ptr counts) {
  return list_of(account_list::following, of, page, std::move(counts));
}

query<account_list_view> ask_follow_requests(account_id of, list_wish page,
                                             known_counts_ptr counts) {
  return list_of(account_list::requesting, of, page, std::move(counts));
}

query<account_list_view> ask_blocked(account_id of, list_wish page, known_counts_ptr counts) {
  return list_of(account_list::blocked, of, page, std::move(counts));
}

query<account_list_view> ask_muted(account_id of, list_wish page, known_counts_ptr counts) {
  return list_of(account_list::muted, of, page, std::move(counts));
}

query<account_list_view> ask_favouriting(account_id viewer, post_id post, list_wish page,
                                         view_moment at) {
  return list_about(account_list::favouriting, viewer, post, page, std::move(at));
}

query<account_list_view> ask_boosting(account_id viewer, post_id post, list_wish page,
                                      view_moment at) {
  return list_about(account_list::boosting, viewer, post, page, std::move(at));
}

query<keyed_posts_view> ask_favourites(account_id owner, list_wish page, view_moment at) {
  return posts_of(post_list::favourites, owner, page, std::move(at));
}

query<keyed_posts_view> ask_bookmarks(account_id owner, list_wish page, view_moment at) {
  return posts_of(post_list::bookmarks, owner, page, std::move(at));
}

query<std::int64_t> ask_notification_count(notification_wish wish) {
  return {[wish = std::move(wish)](database& db) -> caf::expected<std::int64_t> {
    const auto rows = list_notifications(db, page_of(wish));
    if (!rows)
      return rows.error();
    return std::ssize(*rows);
  }};
}

query<notification_list_view> ask_notifications(notification_wish wish, view_moment at) {
  return {[wish = std::move(wish),
           at = std::move(at)](database& db) -> caf::expected<notification_list_view> {
    const auto rows = list_notifications(db, page_of(wish));
    if (!rows)
      return rows.error();
    auto shown = notification_list_view{};
    for (const auto& row : *rows)
      shown.keys.push_back(row.id);
    auto notifications = complete(db, wish.owner, *rows, at);
    if (!notifications)
      return notifications.error();
    shown.notifications = std::move(*notifications);
    return shown;
  }};
}

query<notification_view> ask_notification(account_id owner, std::int64_t id, view_moment at) {
  return {[owner, id, at = std::move(at)](database& db) -> caf::expected<notification_view> {
    const auto row = find_notification(db, owner, id);
    if (!row)
      return row.error();
    auto shown = complete(db, owner, {*row}, at);
    if (!shown)
      return shown.error();
    if (shown->empty())
      return make_error(errc::not_found, "Record not found");
    return std::move(shown->front());
  }};
}

command<caf::unit_t> dismiss_one(account_id owner, std::int64_t id) {
  return {[owner, id](write_context& context) {
    return done(dismiss_notification(context.db, owner, id));
  }};
}

command<caf::unit_t> dismiss_all(account_id owner) {
  return {[owner](write_context& context) { return done(clear_notifications(context.db, owner)); }};
}

query<std::vector<std::string>> ask_blocked_domains(account_id owner, std::string after,
                                                    std::int64_t limit) {
  return {[owner, after = std::move(after),
           limit](database& db) -> caf::expected<std::vector<std::string>> {
    const auto rows = list_domain_blocks(db, owner, after, limit);
    if (!rows)
      return rows.error();
    auto names = std::vector<std::string>{};
    for (const auto& row : *rows)
      names.push_back(row.host);
    return names;
  }};
}

query<search_view> ask_search(search_wish wish, view_moment at) {
  return {[wish = std::move(wish), at = std::move(at)](database& db) -> caf::expected<search_view> {
    auto found = search_view{};
    if (wish.accounts)
      if (auto failure = find_accounts(db, wish, at, found))
        return failure;
    if (wish.statuses)
      if (auto failure = find_posts(db, wish, at, found))
        return failure;
    if (wish.tags)
      if (auto failure = find_tags(db, wish, found))
        return failure;
    return found;
  }};
}

} // namespace trunkline
