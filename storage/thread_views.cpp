#include "storage/view_store.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace trunkline {

namespace {

constexpr auto no_bound = std::numeric_limits<std::int64_t>::max();

/// Who sees more than strangers do: the visibility up to which `viewer` sees the author's posts.
/// 0: nothing, the author blocks the viewer.
caf::expected<std::int64_t> sight_of(database& db, account_id viewer, account_id author) {
  if (viewer == author)
    return static_cast<std::int64_t>(visibility::direct);
  const auto found = db.run(
      "SELECT (SELECT COUNT(*) FROM block WHERE blocker = $1 AND blocked = $2),"
      " (SELECT COUNT(*) FROM follow WHERE follower = $2 AND followee = $1 AND accepted = 1)",
      {author, viewer});
  if (!found)
    return found.error();
  const auto& row = found->rows.front();
  if (row[0].flag())
    return 0;
  return static_cast<std::int64_t>(row[1].flag() ? visibility::followers : visibility::unlisted);
}

constexpr auto account_posts =
    "SELECT p.id FROM post p WHERE p.author = $1 AND p.id < $2 AND p.id > $3"
    " AND (p.visibility <= $4 OR EXISTS (SELECT 1 FROM mention m WHERE m.post_id = p.id"
    " AND m.account_id = $5))"
    " AND ($6 = 0 OR p.reply_to IS NULL OR p.reply_author = p.author)"
    " AND ($7 = 0 OR p.boost_of IS NULL)"
    " AND ($8 = 0 OR EXISTS (SELECT 1 FROM medium WHERE medium.post_id = p.id))"
    " AND ($9 = 0 OR EXISTS (SELECT 1 FROM pin WHERE pin.account_id = p.author"
    " AND pin.post_id = p.id))"
    " AND ($10 = '' OR EXISTS (SELECT 1 FROM post_tag l JOIN tag t ON t.id = l.tag_id"
    " WHERE l.post_id = p.id AND t.folded = $10))";

std::vector<post_id> read_ids(const sql_result& found) {
  auto ids = std::vector<post_id>{};
  for (const auto& row : found.rows)
    ids.push_back(row[0].id<post_id>());
  return ids;
}

/// Posts answered, from the nearest to the first of the thread.
caf::expected<std::vector<post_id>> list_ancestors(database& db, post_id id, std::int64_t limit) {
  auto found = db.run("WITH RECURSIVE above(id, reply_to, distance) AS ("
                      " SELECT id, reply_to, 0 FROM post WHERE id = $1"
                      " UNION ALL SELECT p.id, p.reply_to, above.distance + 1 FROM post p"
                      " JOIN above ON p.id = above.reply_to WHERE above.distance < $2)"
                      " SELECT id FROM above WHERE distance > 0 ORDER BY distance",
                      {id, limit});
  if (!found)
    return found.error();
  return read_ids(*found);
}

/// Orders a thread so that each post stands before its replies, and replies by age.
void append_replies(const std::multimap<post_id, post_id>& replies, post_id id,
                    std::vector<post_id>& out) {
  const auto [first, last] = replies.equal_range(id);
  for (auto reply = first; reply != last; ++reply) {
    out.push_back(reply->second);
    append_replies(replies, reply->second, out);
  }
}

caf::expected<std::vector<post_id>> list_descendants(database& db, post_id id,
                                                     const thread_limits& limits) {
  const auto found = db.run("WITH RECURSIVE below(id, reply_to, depth) AS ("
                            " SELECT id, reply_to, 1 FROM post WHERE reply_to = $1"
                            " UNION ALL SELECT p.id, p.reply_to, below.depth + 1 FROM post p"
                            " JOIN below ON p.reply_to = below.id WHERE below.depth < $2)"
                            " SELECT id, reply_to FROM below LIMIT $3",
                            {id, limits.depth, limits.descendants});
  if (!found)
    return found.error();
  auto pairs = std::vector<std::pair<post_id, post_id>>{};
  for (const auto& row : found->rows)
    pairs.emplace_back(row[1].id<post_id>(), row[0].id<post_id>());
  std::ranges::sort(pairs);
  const auto replies = std::multimap<post_id, post_id>(pairs.begin(), pairs.end());
  auto ordered = std::vector<post_id>{};
  append_replies(replies, id, ordered);
  return ordered;
}

} // namespace

caf::expected<std::vector<post_id>> list_account_posts(database& db, account_id viewer,
                                                       const account_page& page) {
  const auto sight = sight_of(db, viewer, page.author);
  if (!sight)
    return sight.error();
  if (*sight == 0)
    return std::vector<post_id>{};
  const auto oldest_first = static_cast<bool>(page.min_id);
  const auto above = std::max(page.since_id.value, page.min_id.value);
  auto found = db.run(std::string{account_posts} + (oldest_first ? " ORDER BY p.id ASC LIMIT $11"
                                                                 : " ORDER BY p.id DESC LIMIT $11"),
                      {page.author, page.max_id ? page.max_id.value : no_bound, above, *sight,
                       viewer, page.exclude_replies, page.exclude_boosts, page.only_media,
                       page.pinned, page.tag, page.limit});
  if (!found)
    return found.error();
  auto ids = read_ids(*found);
  if (oldest_first)
    std::ranges::reverse(ids);
  return ids;
}

caf::expected<thread_view> load_thread(database& db, account_id viewer, post_id id,
                                       const thread_limits& limits, time_point now,
                                       known_counts* counts) {
  if (auto shown = load_post(db, viewer, id, now, counts); !shown)
    return shown.error();
  auto above = list_ancestors(db, id, limits.ancestors);
  if (!above)
    return above.error();
  std::ranges::reverse(*above);
  const auto below = list_descendants(db, id, limits);
  if (!below)
    return below.error();
  auto ancestors = load_posts(db, viewer, *above, now, counts);
  if (!ancestors)
    return ancestors.error();
  auto descendants = load_posts(db, viewer, *below, now, counts);
  if (!descendants)
    return descendants.error();
  return thread_view{.ancestors = std::move(*ancestors), .descendants = std::move(*descendants)};
}

caf::expected<std::optional<post_id>> find_boost(database& db, account_id account,
                                                 post_id boosted) {
  const auto found =
      db.run("SELECT id FROM post WHERE boost_of = $1 AND author = $2", {boosted, account});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<post_id>{};
  return std::optional{found->rows.front()[0].id<post_id>()};
}

caf::expected<std::vector<edit_view>> load_edits(database& db, const post& current) {
  const auto found = db.run("SELECT at, html, spoiler, sensitive FROM post_edit WHERE post_id = $1"
                            " ORDER BY at",
                            {current.id});
  if (!found)
    return found.error();
  auto edits = std::vector<edit_view>{};
  for (const auto& row : found->rows)
    edits.push_back({.at = row[0].time(),
                     .html = row[1].text(),
                     .spoiler = row[2].text(),
                     .sensitive = row[3].flag()});
  edits.push_back({.at = current.edited_at.value_or(current.created_at),
                   .html = current.html,
                   .spoiler = current.spoiler,
                   .sensitive = current.sensitive});
  return edits;
}

} // namespace trunkline
