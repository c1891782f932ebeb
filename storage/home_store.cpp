#include "storage/home_store.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace trunkline {

namespace {

/// Reads "de,fr" or "de fr".
std::vector<std::string> languages_of(const std::string& text) {
  auto languages = std::vector<std::string>{};
  auto begin = std::size_t{0};
  while (begin < text.size()) {
    const auto end = std::min(text.find_first_of(", ", begin), text.size());
    if (end > begin)
      languages.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return languages;
}

caf::error read_follows(database& db, viewer_graph& graph) {
  auto found = db.run("SELECT followee, show_boosts, languages FROM follow"
                      " WHERE follower = $1 AND accepted = 1 ORDER BY followee",
                      {graph.viewer});
  if (!found)
    return std::move(found.error());
  graph.followees.reserve(found->rows.size());
  for (const auto& row : found->rows) {
    const auto followed = row[0].id<account_id>();
    graph.followees.push_back({followed, row[1].flag()});
    if (auto languages = languages_of(row[2].text()); !languages.empty())
      graph.languages.push_back({followed, std::move(languages)});
  }
  return {};
}

caf::error read_accounts(database& db, std::string_view sql, account_id viewer,
                         std::vector<account_id>& accounts) {
  auto found = db.run(sql, {viewer});
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows)
    accounts.push_back(row[0].id<account_id>());
  return {};
}

caf::error read_mutes(database& db, viewer_graph& graph) {
  auto found =
      db.run("SELECT muted, expires_at FROM mute WHERE muter = $1 ORDER BY muted", {graph.viewer});
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows)
    graph.muted.push_back({row[0].id<account_id>(), row[1].optional_time()});
  return {};
}

} // namespace

caf::expected<viewer_graph> read_viewer_graph(database& db, account_id viewer) {
  auto graph = viewer_graph{.viewer = viewer};
  if (auto failure = read_follows(db, graph))
    return failure;
  if (auto failure = read_mutes(db, graph))
    return failure;
  if (auto failure =
          read_accounts(db, "SELECT blocked FROM block WHERE blocker = $1 ORDER BY blocked", viewer,
                        graph.blocked))
    return failure;
  if (auto failure =
          read_accounts(db, "SELECT blocker FROM block WHERE blocked = $1 ORDER BY blocker", viewer,
                        graph.blocking))
    return failure;
  return graph;
}

caf::expected<home_snapshot> read_home_snapshot(database& db, account_id viewer, time_point now) {
  auto newest = db.run("SELECT max(seq) FROM log");
  if (!newest)
    return std::move(newest.error());
  auto graph = read_viewer_graph(db, viewer);
  if (!graph)
    return std::move(graph.error());
  auto home = home_snapshot{.graph = std::make_shared<const viewer_graph>(std::move(*graph)),
                            .seq = newest->rows[0][0].integer(),
                            .judged_at = now};
  auto merge = home_merge{db, *home.graph, {}, now};
  if (auto failure = merge.start())
    return failure;
  while (home.posts.size() < home_ring_size) {
    auto post = merge.next();
    if (!post)
      return std::move(post.error());
    if (!*post)
      break;
    if (may_belong_in_home(*home.graph, **post, now))
      home.posts.push_back({(*post)->id, (*post)->boost_of});
  }
  if (const auto rest = merge.rest())
    home.complete_from = {rest->value + 1};
  return home;
}

caf::expected<std::vector<post_id>> read_home_range(database& db, const viewer_graph& graph,
                                                    home_range range, std::size_t limit,
                                                    time_point now) {
  auto posts = std::vector<post_id>{};
  auto merge = home_merge{db, graph, range, now};
  if (auto failure = merge.start())
    return failure;
  while (posts.size() < limit) {
    auto post = merge.next();
    if (!post)
      return std::move(post.error());
    if (!*post)
      break;
    if (belongs_in_home(graph, **post, now))
      posts.push_back((*post)->id);
  }
  return posts;
}

} // namespace trunkline
