#include "storage/remote_store.hpp"

#include "protocol/names.hpp"
#include "protocol/remote_text.hpp"
#include "storage/audience_store.hpp"
#include "storage/domain_block_store.hpp"
#include "storage/endpoint_store.hpp"
#include "storage/graph_store.hpp"
#include "storage/node_store.hpp"
#include "storage/remote_json.hpp"

#include <algorithm>
#include <string_view>

namespace trunkline {

namespace {

template <class Id>
sql_value or_null(Id id) {
  return id ? sql_value{id} : sql_value{};
}

constexpr auto account_columns =
    "SELECT a.id, a.uri, h.scheme, h.name, h.port, a.name, a.followers_url, a.featured_url,"
    " a.inbox_id, a.shared_inbox_id, a.aliases, a.moved_to, a.public_key, a.key_id, a.fetched_at,"
    " a.suspended_at FROM account a JOIN host h ON h.id = a.host_id"
    " WHERE a.deleted_at IS NULL AND ";

remote_account account_of(const sql_row& row) {
  return {.id = row[0].id<account_id>(),
          .uri = row[1].text(),
          .host = {row[2].text(), row[3].text(), row[4].integer()},
          .name = row[5].text(),
          .followers_url = row[6].text(),
          .featured_url = row[7].text(),
          .inbox = row[8].id<endpoint_id>(),
          .shared_inbox = row[9].id<endpoint_id>(),
          .aliases = read_json_texts(row[10].text()),
          .moved_to = row[11].id<account_id>(),
          .public_key = row[12].text(),
          .key_id = row[13].text(),
          .fetched_at = row[14].time(),
          .suspended = !row[15].is_null()};
}

caf::expected<std::optional<remote_account>> first_account(caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<remote_account>{};
  return std::optional{account_of(found->rows[0])};
}

template <class Id>
caf::expected<Id> fresh(const fresh_id_source& ids) {
  auto id = ids();
  if (!id)
    return std::move(id.error());
  return Id{*id};
}

/// The rows that an actor's delivery goes through.
struct actor_endpoints {
  host_id host; ///< Of its name; the endpoints may have another one.
  endpoint_id inbox;
  endpoint_id shared_inbox;
};

caf::expected<host_id> host_row(database& db, const host_address& address,
                                const fresh_id_source& ids) {
  auto id = fresh<host_id>(ids);
  if (!id)
    return id;
  return ensure_host(db, address, *id);
}

/// What is known of an actor's id before it is stored.
struct known_actor {
  account_id id; ///< 0: nothing.
  endpoint_id inbox;
  endpoint_id shared_inbox;

  endpoint_id bulk() const { return shared_inbox ? shared_inbox : inbox; }
};

/// An inbox of an actor, as its document names it.
struct named_inbox {
  endpoint_id before; ///< The one that it had; 0 for none.
  const std::string& url;
  bool shared = false;
};

caf::expected<endpoint_id> endpoint_row(database& db, account_id account, const named_inbox& named,
                                        const fresh_id_source& ids, time_point now) {
  const auto parsed =
      parse_remote_url(named.url, {.allow_http = true}); // judged by whoever fetched it
  if (!parsed)
    return parsed.error();
  auto host = host_row(db, parsed->host, ids);
  if (!host)
    return std::move(host.error());
  auto id = fresh<endpoint_id>(ids);
  if (!id)
    return id;
  return settle_endpoint(db,
                         {.account = account,
                          .before = named.before,
                          .wanted = {.host = *host, .url = named.url, .shared = named.shared},
                          .fresh = *id},
                         now);
}

caf::expected<actor_endpoints> store_endpoints(database& db, const known_actor& known,
                                               const remote_actor& actor,
                                               const host_address& address,
                                               const fresh_id_source& ids, time_point now) {
  auto host = host_row(db, address, ids);
  if (!host)
    return std::move(host.error());
  // One endpoint that was both cannot move to two places.
  const auto before = known.inbox == known.shared_inbox ? endpoint_id{} : known.inbox;
  auto inbox = endpoint_row(db, known.id, {before, actor.inbox, false}, ids, now);
  if (!inbox)
    return std::move(inbox.error());
  auto rows = actor_endpoints{.host = *host, .inbox = *inbox};
  if (actor.shared_inbox.empty())
    return rows;
  auto shared =
      endpoint_row(db, known.id, {known.shared_inbox, actor.shared_inbox, true}, ids, now);
  if (!shared)
    return std::move(shared.error());
  rows.shared_inbox = *shared;
  return rows;
}

/// The first key that the actor calls its own.
actor_key key_of(const remote_actor& actor) {
  const auto is_own = [&](const actor_key& key) {
    return !key.pem.empty() && (key.owner.empty() || key.owner == actor.id);
  };
  const auto found = std::ranges::find_if(actor.keys, is_own);
  return found == actor.keys.end() ? actor_key{} : *found;
}

/// Where the actor says it has moved: a known account that says so as well; else nothing.
caf::expected<account_id> moved_to(database& db, const remote_actor& actor) {
  if (actor.moved_to.empty() || actor.moved_to == actor.id)
    return account_id{};
  auto found = db.run("SELECT id, aliases FROM account WHERE uri = $1 AND deleted_at IS NULL",
                      {actor.moved_to});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return account_id{};
  const auto aliases = read_json_texts(found->rows[0][1].text());
  const auto agrees = std::ranges::find(aliases, actor.id) != aliases.end();
  return agrees ? found->rows[0][0].id<account_id>() : account_id{};
}

caf::expected<known_actor> find_known(database& db, const std::string& uri) {
  auto found = db.run("SELECT id, host_id, deleted_at, inbox_id, shared_inbox_id FROM account"
                      " WHERE uri = $1",
                      {uri});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return known_actor{};
  const auto& row = found->rows[0];
  if (row[1].is_null())
    return make_error(errc::conflict, "actor.id: is an account of this server");
  if (!row[2].is_null())
    return make_error(errc::gone, "actor.id: was deleted");
  return known_actor{row[0].id<account_id>(), row[3].id<endpoint_id>(), row[4].id<endpoint_id>()};
}

caf::error refuse_taken_name(database& db, host_id host, const std::string& folded) {
  auto taken = db.run("SELECT uri FROM account WHERE host_id = $1 AND folded = $2", {host, folded});
  if (!taken)
    return std::move(taken.error());
  if (taken->rows.empty())
    return {};
  return make_error(errc::conflict,
                    "actor.preferredUsername: belongs to " + taken->rows[0][0].text());
}

caf::error insert_account(database& db, account_id id, const remote_actor& actor, host_id host,
                          time_point now) {
  const auto folded = fold_name(actor.name);
  if (auto failure = refuse_taken_name(db, host, folded))
    return failure;
  return error_of(
      db.run("INSERT INTO account(id, host_id, name, folded, uri, created_at)"
             " VALUES ($1, $2, $3, $4, $5, $6)",
             {id, host, actor.name, folded, actor.id, clamp_published(actor.published, now)}));
}

caf::error update_account(database& db, account_id id, const remote_actor& actor,
                          const actor_endpoints& rows, time_point now) {
  const auto target = moved_to(db, actor);
  if (!target)
    return target.error();
  const auto key = key_of(actor);
  return error_of(
      db.run("UPDATE account SET display_name = $2, note = $3, locked = $4, bot = $5,"
             " discoverable = $6, fields = $7, url = $8, avatar_url = $9, header_url = $10,"
             " emojis = $11, aliases = $12, moved_to = $13, inbox_id = $14, shared_inbox_id = $15,"
             " followers_url = $16, featured_url = $17, public_key = $18, key_id = $19,"
             " fetched_at = $20, gone_at = NULL WHERE id = $1",
             {id,
              actor.display_name,
              actor.note,
              actor.locked,
              actor.bot,
              actor.discoverable,
              to_json_fields(actor.fields),
              web_address(actor.url),
              web_address(actor.avatar_url),
              web_address(actor.header_url),
              to_json_emojis(actor.emojis),
              to_json_texts(actor.aliases),
              or_null(*target),
              rows.inbox,
              or_null(rows.shared_inbox),
              actor.followers,
              actor.featured,
              key.pem,
              key.id,
              now}));
}

/// Brings what is counted per endpoint to the endpoint that the follower has now.
caf::error move_followings(database& db, account_id follower, endpoint_id from, endpoint_id to) {
  if (from == to || !from)
    return {};
  auto followed = db.run("SELECT f.followee FROM follow f JOIN account a ON a.id = f.followee"
                         " WHERE f.follower = $1 AND f.accepted = 1 AND a.host_id IS NULL",
                         {follower});
  if (!followed)
    return std::move(followed.error());
  for (const auto& row : followed->rows) {
    if (auto failure = remove_follower(db, row[0].id<account_id>(), from))
      return failure;
    if (auto failure = add_follower(db, row[0].id<account_id>(), to))
      return failure;
  }
  return {};
}

/// The part of `uri` after `prefix`; nothing when it begins otherwise.
std::optional<std::string_view> after(std::string_view uri, std::string_view prefix) {
  if (!uri.starts_with(prefix))
    return std::nullopt;
  return uri.substr(prefix.size());
}

/// Finds a post of ours by its path: "/users/name/statuses/12", of a boost with "/activity".
caf::expected<std::optional<post_id>> find_own_post(database& db, std::string_view uri) {
  const auto announced = uri.ends_with("/activity");
  if (announced)
    uri.remove_suffix(std::string_view{"/activity"}.size());
  constexpr auto middle = std::string_view{"/statuses/"};
  const auto cut = uri.rfind(middle);
  if (cut == std::string_view::npos)
    return std::optional<post_id>{};
  const auto id = parse_id(uri.substr(cut + middle.size()));
  if (!id)
    return std::optional<post_id>{};
  auto found = db.run("SELECT p.boost_of FROM post p JOIN account a ON a.id = p.author"
                      " WHERE p.id = $1 AND p.uri IS NULL AND a.uri = $2",
                      {*id, uri.substr(0, cut)});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty() || found->rows[0][0].is_null() == announced)
    return std::optional<post_id>{};
  return std::optional{post_id{*id}};
}

/// Ends every follow of and by a remote account.
caf::error erase_follows(database& db, account_id id) {
  auto followed = db.run("SELECT followee FROM follow WHERE follower = $1", {id});
  if (!followed)
    return std::move(followed.error());
  for (const auto& row : followed->rows)
    if (auto ended = erase_follow(db, {.follower = id, .followee = row[0].id<account_id>()});
        !ended)
      return std::move(ended.error());
  return error_of(db.run("DELETE FROM follow WHERE followee = $1", {id}));
}

} // namespace

caf::expected<std::optional<remote_account>> find_remote_account(database& db, account_id id) {
  return first_account(db.run(std::string{account_columns} + "a.id = $1", {id}));
}

caf::expected<std::optional<remote_account>> find_remote_account(database& db,
                                                                 const std::string& uri) {
  return first_account(db.run(std::string{account_columns} + "a.uri = $1", {uri}));
}

caf::expected<std::optional<account_id>> find_account_by_uri(database& db, const std::string& uri) {
  auto found = db.run("SELECT id FROM account WHERE uri = $1 AND deleted_at IS NULL", {uri});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<account_id>{};
  return std::optional{found->rows[0][0].id<account_id>()};
}

caf::expected<std::optional<post_id>> find_post_by_uri(database& db, const std::string& uri,
                                                       const std::string& own_origin) {
  if (const auto path = after(uri, own_origin); path && path->starts_with('/'))
    return find_own_post(db, uri);
  auto found = db.run("SELECT id FROM post WHERE uri = $1", {uri});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<post_id>{};
  return std::optional{found->rows[0][0].id<post_id>()};
}

caf::expected<account_id> store_remote_account(database& db, const remote_actor& actor,
                                               const host_address& host, const fresh_id_source& ids,
                                               time_point now) {
  if (!is_remote_name(actor.name))
    return make_error(errc::invalid, "actor.preferredUsername: is no name");
  const auto buried = has_tombstone(db, actor.id);
  if (!buried)
    return buried.error();
  if (*buried)
    return make_error(errc::gone, "actor.id: was deleted");
  auto known = find_known(db, actor.id);
  if (!known)
    return std::move(known.error());
  auto rows = store_endpoints(db, *known, actor, host, ids, now);
  if (!rows)
    return std::move(rows.error());
  auto id = known->id ? caf::expected<account_id>{known->id} : fresh<account_id>(ids);
  if (!id)
    return id;
  if (!known->id)
    if (auto failure = insert_account(db, *id, actor, rows->host, now))
      return failure;
  if (auto failure = update_account(db, *id, actor, *rows, now))
    return failure;
  const auto bulk = rows->shared_inbox ? rows->shared_inbox : rows->inbox;
  if (auto failure = move_followings(db, *id, known->bulk(), bulk))
    return failure;
  return *id;
}

caf::expected<bool> note_actor_gone(database& db, const std::string& uri, time_point now) {
  auto known = find_remote_account(db, uri);
  if (!known)
    return std::move(known.error());
  if (!*known)
    return false;
  auto noted = db.run("UPDATE account SET gone_at = COALESCE(gone_at, $2) WHERE id = $1"
                      " RETURNING gone_at",
                      {(*known)->id, now});
  if (!noted)
    return std::move(noted.error());
  if (noted->rows.empty() || noted->rows[0][0].time() > now - gone_for)
    return false;
  if (auto failure = erase_remote_account(db, **known, now))
    return failure;
  return true;
}

caf::error erase_remote_account(database& db, const remote_account& account, time_point now) {
  if (auto failure = erase_follows(db, account.id))
    return failure;
  // The name is free again: a server that was set up anew has other ids for the same names.
  auto marked = db.run("UPDATE account SET deleted_at = $2, folded = folded || '#' ||"
                       " CAST(id AS TEXT) WHERE id = $1",
                       {account.id, now});
  if (!marked)
    return std::move(marked.error());
  return add_tombstone(db, account.uri);
}

caf::expected<bool> is_host_blocked(database& db, const std::string& host) {
  return is_domain_blocked(db, whole_server, host);
}

} // namespace trunkline
