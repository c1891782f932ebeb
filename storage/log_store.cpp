#include "storage/log_store.hpp"

#include "storage/facts_store.hpp"

#include <algorithm>
#include <string>

namespace trunkline {

namespace {

constexpr auto select_rows =
    std::string_view{"SELECT seq, at, kind, author, object_key, class, public, audience_id"
                     " FROM log WHERE "};

caf::expected<log_entry> entry_of(const sql_row& row) {
  auto key = parse_object_key(row[4].text());
  if (!key)
    return make_error(errc::storage_broken,
                      "log " + std::to_string(row[0].integer()) + ": object_key is damaged");
  return log_entry{.seq = row[0].integer(),
                   .at = row[1].time(),
                   .kind = static_cast<log_kind>(row[2].integer()),
                   .author = row[3].id<account_id>(),
                   .object = *key,
                   .cls = static_cast<delivery_class>(row[5].integer()),
                   .is_public = row[6].flag(),
                   .audience = row[7].id<audience_id>()};
}

/// Returns the post that a row is about; 0 for none. The key of an announce names the boosted post:
/// the boost is the author's one post with that `boost_of`.
caf::expected<post_id> post_of(database& db, const log_entry& entry) {
  if (entry.kind == log_kind::create || entry.kind == log_kind::update)
    return post_id{entry.object.target};
  if (entry.kind != log_kind::announce)
    return post_id{};
  auto found = db.run("SELECT id FROM post WHERE boost_of = $1 AND author = $2",
                      {entry.object.target, entry.object.actor});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? post_id{} : found->rows[0][0].id<post_id>();
}

struct wanted_facts {
  post_id post;
  std::size_t entry;
};

caf::error add_facts(database& db, std::span<const wanted_facts> wanted,
                     std::vector<log_entry>& entries) {
  auto posts = std::vector<post_id>{};
  for (const auto& each : wanted)
    posts.push_back(each.post);
  const auto found = read_facts(db, posts);
  if (!found)
    return found.error();
  for (const auto& each : wanted) {
    const auto facts = std::find_if(found->begin(), found->end(), [&](const auto& candidate) {
      return candidate.id == each.post;
    });
    if (facts != found->end())
      entries[each.entry].facts = *facts;
  }
  return {};
}

caf::error add_all_facts(database& db, std::vector<log_entry>& entries) {
  auto wanted = std::vector<wanted_facts>{};
  for (auto at = std::size_t{0}; at < entries.size(); ++at) {
    const auto post = post_of(db, entries[at]);
    if (!post)
      return post.error();
    if (*post)
      wanted.push_back({*post, at});
  }
  for (auto at = std::size_t{0}; at < wanted.size(); at += facts_chunk) {
    const auto count = std::min(facts_chunk, wanted.size() - at);
    if (auto failure = add_facts(db, std::span{wanted}.subspan(at, count), entries))
      return failure;
  }
  return {};
}

/// Adds the rows of `log_extra`, which come in order of `seq`, to entries in order of `seq`.
caf::error add_extra(caf::expected<sql_result> found, std::vector<log_entry>& entries) {
  if (!found)
    return std::move(found.error());
  auto entry = entries.begin();
  for (const auto& row : found->rows) {
    while (entry != entries.end() && entry->seq < row[0].integer())
      ++entry;
    if (entry != entries.end() && entry->seq == row[0].integer())
      entry->extra.push_back(row[1].id<endpoint_id>());
  }
  return {};
}

caf::expected<std::vector<log_entry>> entries_of(database& db, caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  auto entries = std::vector<log_entry>{};
  entries.reserve(found->rows.size());
  for (const auto& row : found->rows) {
    auto entry = entry_of(row);
    if (!entry)
      return std::move(entry.error());
    entries.push_back(std::move(*entry));
  }
  if (auto failure = add_all_facts(db, entries))
    return failure;
  return entries;
}

} // namespace

caf::expected<std::vector<log_entry>> read_log(database& db, log_seq after, std::size_t limit) {
  static const auto sql = std::string{select_rows} + "seq > $1 ORDER BY seq LIMIT $2";
  auto entries = entries_of(db, db.run(sql, {after, static_cast<std::int64_t>(limit)}));
  if (!entries || entries->empty())
    return entries;
  auto extra = db.run("SELECT seq, endpoint_id FROM log_extra WHERE seq >= $1 AND seq <= $2"
                      " ORDER BY seq, endpoint_id",
                      {entries->front().seq, entries->back().seq});
  if (auto failure = add_extra(std::move(extra), *entries))
    return failure;
  return entries;
}

caf::expected<std::vector<log_entry>> read_log_of(database& db, account_id author, log_seq after,
                                                  std::size_t limit) {
  static const auto sql =
      std::string{select_rows} + "author = $1 AND seq > $2 ORDER BY seq LIMIT $3";
  auto entries = entries_of(db, db.run(sql, {author, after, static_cast<std::int64_t>(limit)}));
  if (!entries || entries->empty())
    return entries;
  auto extra = db.run("SELECT x.seq, x.endpoint_id FROM log_extra x JOIN log l ON l.seq = x.seq"
                      " WHERE l.author = $1 AND l.seq > $2 AND l.seq <= $3"
                      " ORDER BY x.seq, x.endpoint_id",
                      {author, after, entries->back().seq});
  if (auto failure = add_extra(std::move(extra), *entries))
    return failure;
  return entries;
}

caf::expected<log_seq> newest_seq(database& db) {
  auto found = db.run("SELECT coalesce(max(seq), 0) FROM log");
  if (!found)
    return std::move(found.error());
  return found->rows[0][0].integer();
}

caf::expected<voted_polls> read_votes(database& db, log_seq after, time_point since,
                                      std::size_t limit) {
  const auto newest = newest_seq(db);
  if (!newest)
    return newest.error();
  const auto found =
      db.run(std::string{select_rows} + "seq > $1 AND seq <= $2 AND kind = $3 AND at >= $4"
                                        " ORDER BY seq LIMIT $5",
             {after, *newest, static_cast<std::int64_t>(log_kind::vote), since,
              static_cast<std::int64_t>(limit)});
  if (!found)
    return found.error();
  auto polls = voted_polls{.posts = {}, .upto = *newest};
  for (const auto& row : found->rows) {
    const auto vote = entry_of(row);
    if (!vote)
      return vote.error();
    const auto post = post_id{vote->object.target};
    if (std::ranges::find(polls.posts, post) == polls.posts.end())
      polls.posts.push_back(post);
    if (found->rows.size() == limit)
      polls.upto = vote->seq;
  }
  return polls;
}

caf::expected<std::vector<endpoint_id>> extra_endpoints(database& db, log_seq seq) {
  auto found =
      db.run("SELECT endpoint_id FROM log_extra WHERE seq = $1 ORDER BY endpoint_id", {seq});
  if (!found)
    return std::move(found.error());
  auto endpoints = std::vector<endpoint_id>{};
  for (const auto& row : found->rows)
    endpoints.push_back(row[0].id<endpoint_id>());
  return endpoints;
}

} // namespace trunkline
