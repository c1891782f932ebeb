#include "protocol/json.hpp"
#include "protocol/post_access.hpp"
#include "storage/count_store.hpp"
#include "storage/remote_json.hpp"
#include "storage/shown_host.hpp"
#include "storage/sql_list.hpp"
#include "storage/view_store.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace trunkline {

namespace {

/// Posts read with one statement; more are read in several.
constexpr std::size_t posts_per_statement = 200;

// What a viewer did is counted and not tested with EXISTS: its type differs between databases.
constexpr auto post_columns =
    "SELECT p.id, p.author, p.uri, p.text, p.html, p.spoiler, p.sensitive, p.visibility,"
    " p.language, p.reply_to, p.reply_author, p.boost_of, p.boost_author, p.app_id, p.created_at,"
    " p.edited_at, app.name, app.website,"
    " (SELECT COUNT(*) FROM favourite f WHERE f.post_id = p.id AND f.account_id = $1),"
    " (SELECT COUNT(*) FROM post b WHERE b.boost_of = p.id AND b.author = $1),"
    " (SELECT COUNT(*) FROM bookmark k WHERE k.account_id = $1 AND k.post_id = p.id),"
    " (SELECT COUNT(*) FROM pin WHERE pin.account_id = $1 AND pin.post_id = p.id),"
    " (SELECT COUNT(*) FROM mention m WHERE m.post_id = p.id AND m.account_id = $1),"
    " (SELECT COUNT(*) FROM follow f WHERE f.follower = $1 AND f.followee = p.author"
    " AND f.accepted = 1),"
    " (SELECT COUNT(*) FROM block k WHERE k.blocker = p.author AND k.blocked = $1),"
    " (SELECT COUNT(*) FROM mention m WHERE m.post_id = p.id),"
    " (SELECT COUNT(*) FROM post_tag l WHERE l.post_id = p.id),"
    " (SELECT COUNT(*) FROM medium m WHERE m.post_id = p.id),"
    " (SELECT COUNT(*) FROM poll q WHERE q.post_id = p.id), p.url, p.emojis"
    " FROM post p LEFT JOIN app ON app.id = p.app_id WHERE p.id IN (";

enum post_column : std::size_t {
  id_column,
  author_column,
  uri_column,
  text_column,
  html_column,
  spoiler_column,
  sensitive_column,
  visibility_column,
  language_column,
  reply_to_column,
  reply_author_column,
  boost_of_column,
  boost_author_column,
  app_id_column,
  created_at_column,
  edited_at_column,
  app_name_column,
  app_website_column,
  favourited_column,
  boosted_column,
  bookmarked_column,
  pinned_column,
  mentioned_column,
  followed_column,
  blocked_column,
  mentions_column,
  tags_column,
  media_column,
  poll_column,
  url_column,
  emojis_column,
};

/// Which posts have parts in tables of their own: most have none, and cost no statement.
struct parted_posts {
  std::vector<post_id> naming;
  std::vector<post_id> tagged;
  std::vector<post_id> with_media;
  std::vector<post_id> with_poll;

  void note(const sql_row& row) {
    const auto id = row[id_column].id<post_id>();
    if (row[mentions_column].flag())
      naming.push_back(id);
    if (row[tags_column].flag())
      tagged.push_back(id);
    if (row[media_column].flag())
      with_media.push_back(id);
    if (row[poll_column].flag())
      with_poll.push_back(id);
  }
};

post read_row(const sql_row& row) {
  return {.id = row[id_column].id<post_id>(),
          .author = row[author_column].id<account_id>(),
          .uri = row[uri_column].optional_text(),
          .text = row[text_column].text(),
          .html = row[html_column].text(),
          .spoiler = row[spoiler_column].text(),
          .sensitive = row[sensitive_column].flag(),
          .seen_by = static_cast<visibility>(row[visibility_column].integer()),
          .language = row[language_column].text(),
          .reply_to = row[reply_to_column].id<post_id>(),
          .reply_author = row[reply_author_column].id<account_id>(),
          .boost_of = row[boost_of_column].id<post_id>(),
          .boost_author = row[boost_author_column].id<account_id>(),
          .app = row[app_id_column].id<app_id>(),
          .created_at = row[created_at_column].time(),
          .edited_at = row[edited_at_column].optional_time(),
          .url = row[url_column].text(),
          .emojis_json = row[emojis_column].text()};
}

post_access read_access(const sql_row& row, account_id viewer) {
  return {.seen_by = static_cast<visibility>(row[visibility_column].integer()),
          .is_author = viewer && row[author_column].id<account_id>() == viewer,
          .is_mentioned = row[mentioned_column].flag(),
          .follows_author = row[followed_column].flag(),
          .blocked_by_author = row[blocked_column].flag()};
}

post_view read_post(const sql_row& row) {
  auto view = post_view{.row = read_row(row)};
  if (!row[app_name_column].is_null())
    view.app = app_view{row[app_name_column].text(), row[app_website_column].text()};
  view.marks = {.favourited = row[favourited_column].flag(),
                .boosted = row[boosted_column].flag(),
                .bookmarked = row[bookmarked_column].flag(),
                .pinned = row[pinned_column].flag()};
  return view;
}

/// Posts on their way to being complete, by id.
using post_table = std::unordered_map<post_id, post_view>;

/// Fills in one part of the posts of `$1..`: calls `add` with each row, whose first column is the
/// post.
template <class Add>
caf::error attach(database& db, post_table& posts, std::span<const post_id> ids,
                  std::string_view before, std::string_view after, const Add& add) {
  if (ids.empty())
    return {};
  auto values = std::vector<sql_value>{};
  append_ids(values, ids);
  const auto sql = std::string{before} + "(" + parameters(1, ids.size()) + ")" + std::string{after};
  const auto found = db.run(sql, values);
  if (!found)
    return found.error();
  for (const auto& row : found->rows)
    if (const auto post = posts.find(row[0].id<post_id>()); post != posts.end())
      add(post->second, row);
  return {};
}

void add_mention(post_view& view, const sql_row& row) {
  view.mentions.push_back({.id = row[1].id<account_id>(),
                           .name = row[2].text(),
                           .domain = row[3].is_null() ? "" : row[3].text(),
                           .uri = row[4].text(),
                           .page = row[5].text()});
}

void add_medium(post_view& view, const sql_row& row) {
  const auto kind = row[2].integer();
  view.media.push_back(
      {.id = row[1].integer(),
       .kind = kind >= 0 && kind <= 4 ? static_cast<medium_kind>(kind) : medium_kind::unknown,
       .url = row[3].text(),
       .description = row[4].text()});
}

caf::error attach_lists(database& db, post_table& posts, const parted_posts& parted) {
  if (auto failure = attach(db, posts, parted.naming,
                            "SELECT m.post_id, a.id, a.name, " + std::string{shown_host} +
                                ", a.uri, a.url FROM mention m"
                                " JOIN account a ON a.id = m.account_id"
                                " LEFT JOIN host h ON h.id = a.host_id WHERE m.post_id IN ",
                            " ORDER BY a.id", add_mention))
    return failure;
  if (auto failure = attach(db, posts, parted.tagged,
                            "SELECT l.post_id, t.name FROM post_tag l JOIN tag t ON t.id = l.tag_id"
                            " WHERE l.post_id IN ",
                            " ORDER BY t.folded", [](post_view& view, const sql_row& row) {
                              view.tags.push_back(row[1].text());
                            }))
    return failure;
  return attach(db, posts, parted.with_media,
                "SELECT post_id, id, kind, url, description FROM medium WHERE post_id IN ",
                " ORDER BY id", add_medium);
}

std::vector<std::string> read_options(const std::string& text) {
  auto options = std::vector<std::string>{};
  const auto parsed = parse_json(text);
  if (const auto* items = parsed ? parsed->as_array() : nullptr)
    for (const auto& item : *items)
      options.push_back(item.as_string() ? *item.as_string() : std::string{});
  return options;
}

/// What its own server told of a remote poll.
struct told_votes {
  std::vector<std::int64_t> votes; ///< Of each option; empty for a poll of ours.
  std::int64_t voters = 0;         ///< 0: unknown.
};

/// Votes from here that its server has not told yet are seen only where they exceed what it told.
void take_told(poll_view& poll, const told_votes& told) {
  const auto& [votes, voters] = told;
  if (votes.empty())
    return;
  for (auto i = std::size_t{0}; i < std::min(votes.size(), poll.votes.size()); ++i)
    poll.votes[i] = std::max(poll.votes[i], votes[i]);
  if (voters > 0)
    poll.voters = std::max(poll.voters.value_or(0), voters);
  else if (poll.multiple)
    poll.voters.reset();
  else
    poll.voters = std::accumulate(poll.votes.begin(), poll.votes.end(), std::int64_t{0});
}

caf::error attach_polls(database& db, post_table& posts, std::span<const post_id> ids,
                        account_id viewer, time_point now) {
  auto told = std::unordered_map<post_id, told_votes>{};
  const auto start = [now, &told](post_view& view, const sql_row& row) {
    auto& poll = view.poll.emplace();
    poll.options = read_options(row[1].text());
    poll.votes.resize(poll.options.size());
    poll.multiple = row[2].flag();
    poll.hide_totals = row[3].flag();
    poll.expires_at = row[4].optional_time();
    poll.ended = poll.expires_at && *poll.expires_at <= now;
    poll.voters = row[5].integer();
    told[view.row.id] = {read_json_numbers(row[6].text()), row[7].integer()};
  };
  if (auto failure = attach(db, posts, ids,
                            "SELECT post_id, options, multiple, hide_totals, expires_at,"
                            " (SELECT COUNT(DISTINCT v.account_id) FROM poll_vote v"
                            " WHERE v.post_id = poll.post_id), remote_votes, remote_voters"
                            " FROM poll WHERE post_id IN ",
                            "", start))
    return failure;
  if (std::ranges::none_of(posts, [](const auto& entry) { return entry.second.poll.has_value(); }))
    return {};
  const auto count = [viewer](post_view& view, const sql_row& row) {
    const auto choice = static_cast<std::size_t>(row[1].integer());
    if (!view.poll || choice >= view.poll->votes.size())
      return;
    ++view.poll->votes[choice];
    if (viewer && row[2].id<account_id>() == viewer)
      view.poll->own_votes.push_back(row[1].integer());
  };
  if (auto failure = attach(db, posts, ids,
                            "SELECT post_id, choice, account_id FROM poll_vote WHERE post_id IN ",
                            " ORDER BY post_id, choice", count))
    return failure;
  for (auto& [id, view] : posts)
    if (view.poll)
      take_told(*view.poll, told[id]);
  return {};
}

caf::error attach_counts(database& db, post_table& posts, known_counts* known) {
  auto ids = std::vector<post_id>{};
  for (const auto& [id, view] : posts)
    ids.push_back(id);
  auto counts = load_counts(db, ids, known);
  if (!counts)
    return std::move(counts.error());
  // A post that is gone between the two statements keeps counts of 0.
  for (auto& [id, view] : posts) {
    const auto& own = (*counts)[id];
    view.replies = own.replies;
    view.boosts = own.boosts;
    view.favourites = own.favourites;
  }
  return {};
}

caf::error attach_authors(database& db, post_table& posts, known_counts* counts) {
  auto ids = std::vector<account_id>{};
  for (const auto& [id, view] : posts)
    ids.push_back(view.row.author);
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const auto accounts = load_accounts(db, ids, counts);
  if (!accounts)
    return accounts.error();
  auto by_id = std::unordered_map<account_id, std::shared_ptr<const account_view>>{};
  for (const auto& account : *accounts)
    by_id.emplace(account.id, std::make_shared<const account_view>(account));
  for (auto& [id, view] : posts)
    view.author = by_id[view.row.author];
  // The posts of a deleted account are gone with it.
  std::erase_if(posts, [](const auto& entry) { return !entry.second.author; });
  return {};
}

/// Reads the posts of `ids` that `viewer` may see, complete but for what boosts boost.
caf::expected<post_table> load_table(database& db, account_id viewer, std::span<const post_id> ids,
                                     time_point now, known_counts* counts) {
  auto posts = post_table{};
  if (ids.empty())
    return posts;
  auto values = std::vector<sql_value>{viewer};
  append_ids(values, ids);
  const auto found = db.run(post_columns + parameters(2, ids.size()) + ")", values);
  if (!found)
    return found.error();
  auto parted = parted_posts{};
  for (const auto& row : found->rows) {
    if (!may_see(read_access(row, viewer)))
      continue;
    posts.emplace(row[id_column].id<post_id>(), read_post(row));
    parted.note(row);
  }
  if (posts.empty())
    return posts;
  if (auto failure = attach_authors(db, posts, counts))
    return failure;
  if (auto failure = attach_counts(db, posts, counts))
    return failure;
  if (auto failure = attach_lists(db, posts, parted))
    return failure;
  if (auto failure = attach_polls(db, posts, parted.with_poll, viewer, now))
    return failure;
  return posts;
}

caf::error append_posts(database& db, account_id viewer, std::span<const post_id> ids,
                        time_point now, known_counts* counts, std::vector<post_view>& out) {
  auto posts = load_table(db, viewer, ids, now, counts);
  if (!posts)
    return posts.error();
  auto boosted_ids = std::vector<post_id>{};
  for (const auto& [id, view] : *posts)
    if (view.row.boost_of)
      boosted_ids.push_back(view.row.boost_of);
  auto boosted = load_table(db, viewer, boosted_ids, now, counts);
  if (!boosted)
    return boosted.error();
  for (const auto id : ids) {
    const auto found = posts->find(id);
    if (found == posts->end())
      continue;
    auto view = found->second;
    if (view.row.boost_of) {
      const auto original = boosted->find(view.row.boost_of);
      if (original == boosted->end())
        continue;
      view.boosted = std::make_shared<const post_view>(original->second);
    }
    out.push_back(std::move(view));
  }
  return {};
}

} // namespace

caf::expected<std::vector<post_view>> load_posts(database& db, account_id viewer,
                                                 std::span<const post_id> ids, time_point now,
                                                 known_counts* counts) {
  auto posts = std::vector<post_view>{};
  while (!ids.empty()) {
    const auto part = ids.first(std::min(ids.size(), posts_per_statement));
    ids = ids.subspan(part.size());
    if (auto failure = append_posts(db, viewer, part, now, counts, posts))
      return failure;
  }
  return posts;
}

caf::expected<post_view> load_post(database& db, account_id viewer, post_id id, time_point now,
                                   known_counts* counts) {
  auto posts = load_posts(db, viewer, std::span{&id, 1}, now, counts);
  if (!posts)
    return posts.error();
  if (posts->empty())
    return make_error(errc::not_found, "Record not found");
  return std::move(posts->front());
}

} // namespace trunkline
