#include "tests/kit/seed_bulk.hpp"

#include "protocol/codes.hpp"
#include "protocol/crypto.hpp"
#include "protocol/host_health.hpp"
#include "protocol/json.hpp"
#include "protocol/object_key.hpp"
#include "protocol/unit_list.hpp"
#include "storage/audience_store.hpp"

namespace trunkline::kit {

namespace {

/// Ids of what is seeded lie in 2001, long before any that a node gives: a part for each kind.
constexpr auto seed_start = time_point{std::chrono::sys_days{std::chrono::year{2001} / 2 / 1}};

enum class part : std::int64_t {
  hosts = 1,
  inboxes,
  shared_inboxes,
  accounts,
  audiences,
  fillers,
  posts
};

std::int64_t first_id(part of) {
  constexpr auto apart = std::chrono::hours{24};
  return make_id(seed_start + static_cast<std::int64_t>(of) * apart, 0, 0);
}

constexpr auto id_step = std::int64_t{1} << 16; // a millisecond of ids
constexpr auto shards = 256;
constexpr auto next_try = std::chrono::hours{1};

/// The numbers of `hosts` as a table n(i).
constexpr auto numbers = "WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL"
                         " SELECT i + 1 FROM n WHERE i < CAST($2 AS BIGINT)) ";

caf::error store_hosts(database& db, const seeded_hosts& hosts, time_point now) {
  return error_of(db.run(std::string{numbers} +
                             "INSERT INTO host(id, scheme, name, port, state, last_ok_at)"
                             " SELECT CAST($3 AS BIGINT) + i * CAST($4 AS BIGINT), 'http',"
                             " replace(CAST($5 AS TEXT), '%', CAST(i AS TEXT)), CAST($6 AS BIGINT),"
                             " CAST($7 AS BIGINT), CAST($8 AS BIGINT) FROM n WHERE 1 = 1"
                             " ON CONFLICT DO NOTHING",
                         {hosts.first, hosts.last, first_id(part::hosts), id_step, hosts.pattern,
                          hosts.port, static_cast<int>(host_state::healthy), now}));
}

/// The text of a host's origin in SQL, from its pattern as parameter $5 and its port as $6.
constexpr auto origin_sql = "'http://' || replace(CAST($5 AS TEXT), '%', CAST(i AS TEXT)) || ':' ||"
                            " CAST(CAST($6 AS BIGINT) AS TEXT)";

caf::error store_inboxes(database& db, const seeded_hosts& hosts, bool shared) {
  return error_of(db.run(
      std::string{numbers} +
          "INSERT INTO endpoint(id, host_id, url, shared)"
          " SELECT CAST($3 AS BIGINT) + i * CAST($4 AS BIGINT),"
          " CAST($7 AS BIGINT) + i * CAST($4 AS BIGINT), " +
          origin_sql +
          " || CAST($8 AS TEXT), CAST($9 AS BIGINT) FROM n WHERE 1 = 1 ON CONFLICT DO NOTHING",
      {hosts.first, hosts.last, first_id(shared ? part::shared_inboxes : part::inboxes), id_step,
       hosts.pattern, hosts.port, first_id(part::hosts), shared ? "/inbox" : "/users/u/inbox",
       shared}));
}

caf::error store_accounts(database& db, const seeded_hosts& hosts, time_point now) {
  const auto uri = std::string{origin_sql} + " || '/users/u'";
  return error_of(db.run(
      std::string{numbers} +
          "INSERT INTO account(id, host_id, name, folded, uri, url, followers_url, inbox_id,"
          " shared_inbox_id, created_at, fetched_at)"
          " SELECT CAST($3 AS BIGINT) + i * CAST($4 AS BIGINT),"
          " CAST($7 AS BIGINT) + i * CAST($4 AS BIGINT), 'u', 'u', " +
          uri + ", " + uri + ", " + uri +
          " || '/followers', CAST($8 AS BIGINT) + i * CAST($4 AS BIGINT),"
          " CAST($9 AS BIGINT) + i * CAST($4 AS BIGINT), CAST($10 AS BIGINT),"
          " CAST($10 AS BIGINT) FROM n WHERE 1 = 1 ON CONFLICT DO NOTHING",
      {hosts.first, hosts.last, first_id(part::accounts), id_step, hosts.pattern, hosts.port,
       first_id(part::hosts), first_id(part::inboxes), first_id(part::shared_inboxes), now}));
}

struct local_author {
  account_id id;
  std::string uri;
};

caf::expected<local_author> find_author(database& db, const std::string& name) {
  auto found = db.run("SELECT id, uri FROM account WHERE folded = $1 AND host_id IS NULL", {name});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return make_error(errc::not_found, "account: " + name);
  return local_author{found->rows[0][0].id<account_id>(), found->rows[0][1].text()};
}

caf::error store_followers(database& db, account_id author, const seeded_hosts& hosts,
                           time_point now) {
  if (auto failure = error_of(
          db.run(std::string{numbers} +
                     "INSERT INTO follow(follower, followee, at, uri)"
                     " SELECT CAST($3 AS BIGINT) + i * CAST($4 AS BIGINT), CAST($7 AS BIGINT),"
                     " CAST($8 AS BIGINT), " +
                     origin_sql +
                     " || '/follows/' || CAST(CAST($7 AS BIGINT) AS TEXT)"
                     " FROM n WHERE 1 = 1 ON CONFLICT DO NOTHING",
                 {hosts.first, hosts.last, first_id(part::accounts), id_step, hosts.pattern,
                  hosts.port, author, now})))
    return failure;
  if (auto failure = error_of(
          db.run(std::string{numbers} +
                     "INSERT INTO follower_endpoint(author, endpoint_id, n)"
                     " SELECT CAST($5 AS BIGINT), CAST($3 AS BIGINT) + i * CAST($4 AS BIGINT), 1"
                     " FROM n WHERE 1 = 1 ON CONFLICT DO NOTHING",
                 {hosts.first, hosts.last, first_id(part::shared_inboxes), id_step, author})))
    return failure;
  return error_of(db.run("INSERT INTO follower_set(author, version) VALUES ($1, 1)"
                         " ON CONFLICT (author) DO UPDATE SET version = follower_set.version + 1",
                         {author}));
}

/// Making a key takes up to half a second: local accounts without one get that of another.
caf::error share_key(database& db) {
  return error_of(
      db.run("UPDATE account SET"
             " public_key = (SELECT k.public_key FROM account k WHERE k.private_key IS NOT NULL"
             " ORDER BY k.id LIMIT 1),"
             " private_key = (SELECT k.private_key FROM account k WHERE k.private_key IS NOT NULL"
             " ORDER BY k.id LIMIT 1) WHERE host_id IS NULL AND private_key IS NULL"));
}

std::string create_activity(const local_author& author, std::int64_t number) {
  const auto post = author.uri + "/statuses/" + std::to_string(number);
  const auto everybody = json_array{"https://www.w3.org/ns/activitystreams#Public"};
  const auto followers = json_array{author.uri + "/followers"};
  const auto published = "2026-01-01T00:00:00Z";
  return to_json(json_object{
      {"@context", "https://www.w3.org/ns/activitystreams"},
      {"id", post + "/activity"},
      {"type", "Create"},
      {"actor", author.uri},
      {"published", published},
      {"to", everybody},
      {"cc", followers},
      {"object", json_object{{"id", post},
                             {"type", "Note"},
                             {"attributedTo", author.uri},
                             {"published", published},
                             {"content", "<p>seeded [[" + std::to_string(number) + "]]</p>"},
                             {"to", everybody},
                             {"cc", followers}}}});
}

caf::expected<std::int64_t> newest(database& db) {
  auto found = db.run("SELECT coalesce(max(seq), 0) FROM log");
  if (!found)
    return std::move(found.error());
  return found->rows[0][0].integer();
}

/// Rows of a thousand other authors, whom nobody follows.
caf::error append_fillers(database& db, std::int64_t count, time_point at) {
  const auto before = newest(db);
  if (!before)
    return before.error();
  if (count < 1)
    return {};
  return error_of(
      db.run(std::string{numbers} +
                 "INSERT INTO log(seq, at, kind, author, object_key, class, public)"
                 " SELECT i, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT) + i % 1000,"
                 " 'p/0/' || CAST(i AS TEXT), CAST($6 AS BIGINT), 1 FROM n",
             {*before + 1, *before + count, at, static_cast<int>(log_kind::create),
              first_id(part::fillers), static_cast<int>(delivery_class::bulk)}));
}

struct seeded_author {
  local_author who;
  audience_id audience;
};

caf::error append_item(database& db, const seeded_author& author, time_point at) {
  const auto before = newest(db);
  if (!before)
    return before.error();
  const auto seq = *before + 1;
  const auto post = first_id(part::posts) + seq * id_step;
  const auto body = create_activity(author.who, post);
  return error_of(
      db.run("INSERT INTO log(seq, at, kind, author, object_key, class, public, audience_id, ap_id,"
             " signer, body, sha256) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $4, $9, $10)",
             {seq, at, static_cast<int>(log_kind::create), author.who.id,
              to_string(object_key{.target = post}), static_cast<int>(delivery_class::bulk),
              author.audience, author.who.uri + "/statuses/" + std::to_string(post) + "/activity",
              blob{body}, blob{sha256(body)}}));
}

/// Everything before the rows of backlog is settled, and every host that is owed something has one.
caf::error cover(database& db, const seeded_log& log, time_point at, time_point now) {
  const auto last = newest(db);
  if (!last)
    return last.error();
  const auto nothing = blob{encode_units({})};
  for (auto shard = 0; shard < shards; ++shard)
    for (const auto cls : {delivery_class::direct, delivery_class::bulk})
      if (auto failure = error_of(db.run(
              "INSERT INTO shard_mark(kind, shard, class, seq, acked)"
              " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, shard, class)"
              " DO UPDATE SET seq = excluded.seq, acked = excluded.acked",
              {static_cast<int>(actor_kind::host), shard, static_cast<int>(cls), *last, nothing})))
        return failure;
  if (auto failure = error_of(db.run(
          "INSERT INTO host_backlog(host_id, class, behind_from, acked, count, counted_to, bytes,"
          " oldest_at) SELECT e.host_id, $1, 0, $2, count(DISTINCT f.author) * CAST($3 AS BIGINT),"
          " CAST($4 AS BIGINT), 0, CAST($5 AS BIGINT) FROM follower_endpoint f"
          " JOIN endpoint e ON e.id = f.endpoint_id WHERE f.n > 0 GROUP BY e.host_id",
          {static_cast<int>(delivery_class::bulk), nothing, log.items, *last, at})))
    return failure;
  return error_of(db.run("UPDATE host SET state = $1, fail_streak = 20, first_fail_at = $2,"
                         " next_try_at = $3, last_ok_at = $2 WHERE id IN"
                         " (SELECT host_id FROM host_backlog)",
                         {static_cast<int>(host_state::suspended), at, now + next_try}));
}

} // namespace

caf::error seed_hosts(database& db, const seeded_hosts& hosts) {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  if (auto failure = store_hosts(db, hosts, now))
    return failure;
  if (auto failure = store_inboxes(db, hosts, false))
    return failure;
  if (auto failure = store_inboxes(db, hosts, true))
    return failure;
  return store_accounts(db, hosts, now);
}

caf::error seed_followers(database& db, const std::string& author, const seeded_hosts& hosts) {
  const auto found = find_author(db, author);
  if (!found)
    return found.error();
  if (auto failure = seed_hosts(db, hosts))
    return failure;
  if (auto failure = store_followers(db, found->id, hosts, seed_start))
    return failure;
  return share_key(db);
}

caf::error seed_log(database& db, const seeded_log& log) {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto at = now - log.days_behind * std::chrono::hours{24};
  auto authors = std::vector<seeded_author>{};
  for (const auto& name : log.authors) {
    auto found = find_author(db, name);
    if (!found)
      return found.error();
    const auto fresh =
        first_id(part::audiences) + static_cast<std::int64_t>(authors.size()) * id_step;
    const auto audience = audience_for_next_post(db, found->id, audience_id{fresh});
    if (!audience)
      return audience.error();
    authors.push_back({*found, *audience});
  }
  for (auto item = std::int64_t{0}; item < log.items; ++item) {
    if (auto failure = append_fillers(db, log.fillers / log.items, at))
      return failure;
    for (const auto& author : authors)
      if (auto failure = append_item(db, author, at))
        return failure;
  }
  return log.days_behind ? cover(db, log, at, now) : caf::error{};
}

} // namespace trunkline::kit
