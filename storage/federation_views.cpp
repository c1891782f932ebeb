#include "storage/federation_views.hpp"

#include "storage/count_store.hpp"
#include "storage/node_store.hpp"
#include "storage/post_store.hpp"
#include "storage/remote_store.hpp"
#include "storage/sql_list.hpp"
#include "storage/view_store.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

namespace trunkline {

namespace {

caf::error no_record() {
  return make_error(errc::not_found, "Record not found");
}

std::int64_t bound_of(const collection_part& part) {
  return part.max_id ? part.max_id : std::numeric_limits<std::int64_t>::max();
}

/// How a reader stands to one of our accounts.
struct reader_standing {
  account_id account; ///< 0: nobody who is known here.
  bool is_blocked = false;
};

/// Tells whether `owner` blocks the domain `host`, or one above it.
caf::expected<bool> blocks_domain(database& db, account_id owner, const std::string& host) {
  auto values = std::vector<sql_value>{owner};
  for (auto rest = std::string_view{host}; !rest.empty();) {
    values.emplace_back(rest);
    const auto dot = rest.find('.');
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  }
  if (values.size() == 1)
    return false;
  const auto found = db.run("SELECT 1 FROM domain_block WHERE account_id = $1 AND host IN (" +
                                parameters(2, values.size() - 1) + ") LIMIT 1",
                            values);
  if (!found)
    return found.error();
  return !found->rows.empty();
}

caf::expected<bool> blocks_host(database& db, account_id owner, const std::string& host) {
  const auto by_owner = blocks_domain(db, owner, host);
  if (!by_owner || *by_owner)
    return by_owner;
  return is_host_blocked(db, host);
}

caf::expected<reader_standing> standing_of(database& db, const document_reader& reader,
                                           account_id owner) {
  if (reader.is_stranger())
    return reader_standing{};
  const auto host_blocked = blocks_host(db, owner, reader.host);
  if (!host_blocked)
    return host_blocked.error();
  const auto found =
      db.run("SELECT a.id, a.suspended_at,"
             " (SELECT COUNT(*) FROM block b WHERE b.blocker = $2 AND b.blocked = a.id)"
             " FROM account a WHERE a.uri = $1 AND a.deleted_at IS NULL",
             {reader.actor, owner});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return reader_standing{.is_blocked = *host_blocked};
  const auto& row = found->rows.front();
  return reader_standing{.account = row[0].id<account_id>(),
                         .is_blocked = *host_blocked || !row[1].is_null() || row[2].flag()};
}

caf::expected<bool> may_read(database& db, const document_reader& reader, const post& row) {
  const auto standing = standing_of(db, reader, row.author);
  if (!standing)
    return standing.error();
  if (standing->is_blocked)
    return false;
  return may_see(db, standing->account, row);
}

/// A boost with what its Announce names.
struct boost_row {
  post row;
  std::string author; ///< The name of ours.
  note_mention boosted_author;
  std::string object; ///< The id of what is boosted.
};

plain_activity announce_of(const boost_row& boost, const url_space& urls) {
  const auto& row = boost.row;
  return {.id = urls.activity(boost.author, row.id),
          .type = "Announce",
          .actor = urls.actor(boost.author),
          .object = boost.object,
          .whom = recipients_of(row.seen_by, urls.followers(boost.author), {boost.boosted_author}),
          .published = row.created_at};
}

constexpr auto boost_columns =
    "SELECT p.id, p.author, p.visibility, p.created_at, a.name, b.id, b.uri, ba.name, ba.uri,"
    " ba.host_id FROM post p JOIN account a ON a.id = p.author JOIN post b ON b.id = p.boost_of"
    " JOIN account ba ON ba.id = b.author WHERE ba.deleted_at IS NULL AND p.id IN (";

boost_row read_boost(const sql_row& row, const url_space& urls) {
  const auto is_ours = row[9].is_null();
  const auto boosted_name = row[7].text();
  return {
      .row = {.id = row[0].id<post_id>(),
              .author = row[1].id<account_id>(),
              .seen_by = static_cast<visibility>(row[2].integer()),
              .created_at = row[3].time()},
      .author = row[4].text(),
      .boosted_author = {.uri = is_ours ? urls.actor(boosted_name) : row[8].text(), .handle = ""},
      .object = is_ours ? urls.post(boosted_name, row[5].id<post_id>()) : row[6].text()};
}

/// Returns the Announces of those of `ids` that are boosts of something that is there.
caf::expected<std::unordered_map<post_id, plain_activity>>
load_announces(database& db, std::span<const post_id> ids, const url_space& urls) {
  auto announces = std::unordered_map<post_id, plain_activity>{};
  if (ids.empty())
    return announces;
  auto values = std::vector<sql_value>{};
  append_ids(values, ids);
  const auto found = db.run(boost_columns + parameters(1, ids.size()) + ")", values);
  if (!found)
    return found.error();
  for (const auto& row : found->rows)
    announces.emplace(row[0].id<post_id>(), announce_of(read_boost(row, urls), urls));
  return announces;
}

/// Returns posts and boosts as items, in the order of `ids`; what is gone meanwhile is left out.
caf::expected<std::vector<outgoing_item>> load_items(database& db, std::span<const post_id> ids,
                                                     const url_space& urls, time_point now) {
  auto notes = load_outgoing_notes(db, ids, urls, now);
  if (!notes)
    return std::move(notes.error());
  const auto announces = load_announces(db, ids, urls);
  if (!announces)
    return announces.error();
  auto items = std::vector<outgoing_item>{};
  auto note = notes->begin();
  for (const auto id : ids) {
    if (note != notes->end() && note->row.id == id)
      items.emplace_back(std::move(*note++));
    else if (const auto announce = announces->find(id); announce != announces->end())
      items.emplace_back(announce->second);
  }
  return items;
}

/// Why nothing is at an address: the post was deleted, or it never was.
caf::error missing(database& db, const item_address& at, const std::string& author,
                   const url_space& urls) {
  const auto was_deleted = has_tombstone(db, urls.post(author, at.id));
  if (!was_deleted)
    return was_deleted.error();
  return *was_deleted ? make_error(errc::gone, "This post was deleted") : no_record();
}

/// What a boost boosts must be for the reader as well.
caf::expected<bool> may_read_boosted(database& db, const document_reader& reader, const post& row) {
  if (!row.boost_of)
    return true;
  const auto boosted = find_post(db, row.boost_of);
  if (!boosted)
    return boosted.error();
  return *boosted ? may_read(db, reader, **boosted) : caf::expected<bool>{false};
}

/// Fails unless the reader may look at the collections of `name`.
caf::expected<local_actor> open_collection(database& db, const std::string& name,
                                           const document_reader& reader, const url_space& urls) {
  auto owner = load_local_actor(db, name, urls);
  if (!owner)
    return owner;
  const auto standing = standing_of(db, reader, owner->id);
  if (!standing)
    return standing.error();
  if (standing->is_blocked)
    return make_error(errc::forbidden, "This account is not shown to you");
  return owner;
}

caf::expected<account_counts> counts_of(database& db, account_id id, known_counts* known) {
  auto counts = load_counts(db, std::span{&id, 1}, known);
  if (!counts)
    return std::move(counts.error());
  return (*counts)[id];
}

/// Cuts the one row too many that tells whether there is a next page.
std::int64_t cut_page(std::vector<sql_row>& rows) {
  if (std::ssize(rows) <= collection_page_max)
    return 0;
  rows.resize(static_cast<std::size_t>(collection_page_max));
  return rows.back()[0].integer();
}

std::vector<post_id> ids_in(const std::vector<sql_row>& rows) {
  auto ids = std::vector<post_id>{};
  for (const auto& row : rows)
    ids.push_back(row[0].id<post_id>());
  return ids;
}

constexpr auto outbox_ids =
    "SELECT p.id FROM post p LEFT JOIN post b ON b.id = p.boost_of"
    " LEFT JOIN account ba ON ba.id = b.author"
    " WHERE p.author = $1 AND p.id < $2 AND p.visibility IN (1, 2) AND (p.boost_of IS NULL"
    " OR (b.visibility IN (1, 2) AND ba.deleted_at IS NULL)) ORDER BY p.id DESC LIMIT $3";

constexpr auto follower_ids =
    "SELECT a.id, a.uri, a.host_id, a.name FROM follow f JOIN account a ON a.id = f.follower"
    " WHERE f.followee = $1 AND f.follower < $2 AND f.accepted = 1 AND a.deleted_at IS NULL"
    " ORDER BY f.follower DESC LIMIT $3";

constexpr auto followee_ids =
    "SELECT a.id, a.uri, a.host_id, a.name FROM follow f JOIN account a ON a.id = f.followee"
    " WHERE f.follower = $1 AND f.followee < $2 AND f.accepted = 1 AND a.deleted_at IS NULL"
    " ORDER BY f.followee DESC LIMIT $3";

} // namespace

caf::expected<outgoing_item> load_item(database& db, const item_address& at,
                                       const document_reader& reader, const url_space& urls,
                                       time_point now) {
  const auto author = load_local_actor(db, at.name, urls);
  if (!author)
    return author.error();
  const auto row = find_post(db, at.id);
  if (!row)
    return row.error();
  if (!*row)
    return missing(db, at, author->document.name, urls);
  if ((*row)->author != author->id)
    return no_record();
  const auto seen = may_read(db, reader, **row);
  if (!seen)
    return seen.error();
  const auto boosted_seen = may_read_boosted(db, reader, **row);
  if (!boosted_seen)
    return boosted_seen.error();
  if (!*seen || !*boosted_seen)
    return no_record();
  auto items = load_items(db, std::span{&at.id, 1}, urls, now);
  if (!items)
    return std::move(items.error());
  if (items->empty())
    return no_record();
  return std::move(items->front());
}

caf::expected<collection_of<outgoing_item>> load_outbox(database& db, const std::string& name,
                                                        const collection_part& part,
                                                        const document_reader& reader,
                                                        const url_space& urls, time_point now,
                                                        known_counts* counts) {
  const auto owner = open_collection(db, name, reader, urls);
  if (!owner)
    return owner.error();
  const auto known = counts_of(db, owner->id, counts);
  if (!known)
    return known.error();
  auto outbox = collection_of<outgoing_item>{.owner = owner->document.name, .total = known->posts};
  if (!part.page)
    return outbox;
  auto found = db.run(outbox_ids, {owner->id, bound_of(part), collection_page_max + 1});
  if (!found)
    return std::move(found.error());
  outbox.next = cut_page(found->rows);
  auto items = load_items(db, ids_in(found->rows), urls, now);
  if (!items)
    return std::move(items.error());
  outbox.items = std::move(*items);
  return outbox;
}

caf::expected<collection_of<std::string>>
load_neighbours(database& db, const std::string& name, graph_side side, const collection_part& part,
                const document_reader& reader, const url_space& urls, known_counts* counts) {
  const auto owner = open_collection(db, name, reader, urls);
  if (!owner)
    return owner.error();
  const auto known = counts_of(db, owner->id, counts);
  if (!known)
    return known.error();
  const auto is_followers = side == graph_side::followers;
  auto neighbours = collection_of<std::string>{
      .owner = owner->document.name, .total = is_followers ? known->followers : known->following};
  if (!part.page)
    return neighbours;
  auto found = db.run(is_followers ? follower_ids : followee_ids,
                      {owner->id, bound_of(part), collection_page_max + 1});
  if (!found)
    return std::move(found.error());
  neighbours.next = cut_page(found->rows);
  for (const auto& row : found->rows)
    neighbours.items.push_back(row[2].is_null() ? urls.actor(row[3].text()) : row[1].text());
  return neighbours;
}

caf::expected<collection_of<outgoing_note>> load_featured(database& db, const std::string& name,
                                                          const document_reader& reader,
                                                          const url_space& urls, time_point now) {
  const auto owner = open_collection(db, name, reader, urls);
  if (!owner)
    return owner.error();
  const auto found = db.run("SELECT p.id FROM pin JOIN post p ON p.id = pin.post_id"
                            " WHERE pin.account_id = $1 AND p.author = $1 AND p.boost_of IS NULL"
                            " AND p.visibility IN (1, 2) ORDER BY pin.at DESC, p.id DESC LIMIT $2",
                            {owner->id, collection_page_max});
  if (!found)
    return found.error();
  auto notes = load_outgoing_notes(db, ids_in(found->rows), urls, now);
  if (!notes)
    return std::move(notes.error());
  const auto total = std::ssize(*notes);
  return collection_of<outgoing_note>{
      .owner = owner->document.name, .total = total, .items = std::move(*notes)};
}

} // namespace trunkline
