#include "storage/post_deliveries.hpp"

#include "protocol/owed_rule.hpp"
#include "storage/audience_store.hpp"
#include "storage/delivery_store.hpp"
#include "storage/log_store.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace trunkline {

namespace {

using endpoint_set = std::set<endpoint_id>;

/// Under which authors and which key the rows of a post stand.
struct post_place {
  account_id author;
  account_id passed_on_by; ///< Of an answer from elsewhere: whose followers it was sent on to.
  std::string key;
};

/// What is known of a row beside `post_row`.
struct delivered_row {
  post_row row;
  account_id author;
  audience_id audience;
  endpoint_set owed;
};

caf::error unknown(post_id id) {
  return make_error(errc::not_found, "post " + to_string(id) + ": is not here, nor its Delete");
}

caf::expected<post_place> find_place(database& db, post_id id) {
  const auto key = to_string(object_key{object_kind::post, 0, id.value});
  auto found = db.run("SELECT author, reply_author, boost_of FROM post WHERE id = $1", {id});
  if (!found)
    return std::move(found.error());
  if (!found->rows.empty()) {
    const auto& row = found->rows[0];
    const auto author = row[0].id<account_id>();
    if (row[2].is_null())
      return post_place{author, row[1].id<account_id>(), key};
    const auto boost = object_key{object_kind::announce, author.value, row[2].integer()};
    return post_place{author, {}, to_string(boost)};
  }
  auto removed = db.run(
      "SELECT author FROM log WHERE kind = 3 AND object_key = $1 ORDER BY seq LIMIT 1", {key});
  if (!removed)
    return std::move(removed.error());
  if (removed->rows.empty())
    return unknown(id);
  return post_place{removed->rows[0][0].id<account_id>(), {}, key};
}

caf::error add_rows(database& db, account_id author, const std::string& key,
                    std::map<log_seq, delivered_row>& rows) {
  auto found = db.run("SELECT seq, kind, at, class, public, audience_id FROM log"
                      " WHERE author = $1 AND object_key = $2 ORDER BY seq DESC LIMIT $3",
                      {author, key, static_cast<std::int64_t>(post_rows_max)});
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows)
    rows.emplace(row[0].integer(),
                 delivered_row{.row = {.seq = row[0].integer(),
                                       .kind = static_cast<log_kind>(row[1].integer()),
                                       .at = row[2].time(),
                                       .cls = static_cast<delivery_class>(row[3].integer()),
                                       .is_public = row[4].flag()},
                               .author = author,
                               .audience = row[5].id<audience_id>(),
                               .owed = {}});
  return {};
}

/// Finds the endpoints that a row names and, of its audience, those it is owed to.
caf::error add_owed(database& db, delivered_row& into) {
  auto extra = extra_endpoints(db, into.row.seq);
  if (!extra)
    return std::move(extra.error());
  into.owed.insert(extra->begin(), extra->end());
  auto members = endpoints_of(db, into.audience);
  if (!members)
    return code_of(members.error()) == errc::not_found ? caf::error{} : std::move(members.error());
  if (!reaches_past_followers(into.row.kind, into.row.is_public)) {
    const auto present = present_endpoints(db, into.author);
    if (!present)
      return present.error();
    std::erase_if(*members,
                  [&](endpoint_id id) { return !std::ranges::binary_search(*present, id); });
  }
  into.owed.insert(members->begin(), members->end());
  return {};
}

using exceptions_by_unit = std::map<unit_key, delivery_exception>;

caf::expected<delivery_exception> exception_of(const sql_row& row) {
  auto key = parse_object_key(row[2].text());
  if (!key)
    return make_error(errc::storage_broken, "delivery_exception " +
                                                std::to_string(row[0].integer()) +
                                                ": object_key is damaged");
  return delivery_exception{.unit = {row[0].integer(), row[1].id<endpoint_id>()},
                            .object = *key,
                            .status = static_cast<exception_status>(row[3].integer()),
                            .error = row[4].text(),
                            .attempts = row[5].integer(),
                            .next_try_at = row[6].optional_time()};
}

caf::expected<exceptions_by_unit> exceptions_of(database& db,
                                                const std::map<log_seq, delivered_row>& rows) {
  auto exceptions = exceptions_by_unit{};
  if (rows.empty())
    return exceptions;
  auto values = std::vector<sql_value>{};
  for (const auto& [seq, row] : rows)
    values.emplace_back(seq);
  auto found = db.run("SELECT seq, endpoint_id, object_key, status, error, attempts, next_try_at"
                      " FROM delivery_exception WHERE status IN (1, 2) AND seq IN (" +
                          parameters(1, values.size()) + ")",
                      values);
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows) {
    auto exception = exception_of(row);
    if (!exception)
      return std::move(exception.error());
    const auto unit = exception->unit;
    exceptions.emplace(unit, std::move(*exception));
  }
  return exceptions;
}

using endpoints_by_id = std::map<endpoint_id, endpoint_on_host>;

caf::expected<endpoints_by_id> endpoints_for(database& db,
                                             const std::map<log_seq, delivered_row>& rows) {
  auto ids = endpoint_set{};
  for (const auto& [seq, row] : rows)
    ids.insert(row.owed.begin(), row.owed.end());
  auto found = find_endpoints(db, std::vector<endpoint_id>{ids.begin(), ids.end()});
  if (!found)
    return std::move(found.error());
  auto endpoints = endpoints_by_id{};
  for (auto& each : *found)
    endpoints.emplace(each.endpoint->id, std::move(each));
  return endpoints;
}

/// Puts the units of a row to their hosts; each endpoint once.
void add_units(delivered_row& row, const endpoints_by_id& endpoints,
               const exceptions_by_unit& exceptions, std::map<host_id, post_host>& hosts) {
  auto takers = endpoint_set{};
  for (const auto id : row.owed)
    if (const auto known = endpoints.find(id); known != endpoints.end())
      takers.insert(known->second.taker_of(row.row.at));
  for (const auto id : takers) {
    const auto taker = endpoints.find(id);
    if (taker == endpoints.end())
      continue;
    ++row.row.endpoints;
    const auto& [endpoint, address, shard, by, from] = taker->second;
    auto& host = hosts[endpoint->host];
    host.id = endpoint->host;
    host.address = address;
    const auto exception = exceptions.find({row.row.seq, id});
    host.units.push_back({.seq = row.row.seq,
                          .endpoint = id,
                          .url = endpoint->url,
                          .exception = exception == exceptions.end()
                                           ? std::nullopt
                                           : std::optional{exception->second}});
  }
}

void add_totals(const post_host& host, post_deliveries& found) {
  ++found.hosts;
  found.units += std::ssize(host.units);
  for (const auto& unit : host.units) {
    if (!unit.exception)
      continue;
    ++(unit.exception->status == exception_status::dead ? found.dead : found.exceptions);
  }
}

/// The newest rows of a post, and whom each is owed to.
caf::expected<std::map<log_seq, delivered_row>> rows_of(database& db, const post_place& place) {
  auto rows = std::map<log_seq, delivered_row>{};
  if (auto failure = add_rows(db, place.author, place.key, rows))
    return failure;
  if (place.passed_on_by && place.passed_on_by != place.author)
    if (auto failure = add_rows(db, place.passed_on_by, place.key, rows))
      return failure;
  while (rows.size() > post_rows_max)
    rows.erase(rows.begin());
  for (auto& [seq, row] : rows)
    if (auto failure = add_owed(db, row))
      return failure;
  return rows;
}

constexpr auto letters = std::string_view{
    "SELECT x.seq, x.endpoint_id, x.object_key, x.status, x.error, x.attempts, x.next_try_at,"
    " x.host_id, h.scheme, h.name, h.port, e.url, l.kind, l.class, l.author, a.name, l.at"
    " FROM delivery_exception x JOIN host h ON h.id = x.host_id"
    " JOIN endpoint e ON e.id = x.endpoint_id JOIN log l ON l.seq = x.seq"
    " LEFT JOIN account a ON a.id = l.author WHERE x.status = 2"};

caf::expected<dead_letter> letter_of(const sql_row& row) {
  auto exception = exception_of(row);
  if (!exception)
    return std::move(exception.error());
  return dead_letter{.host = row[7].id<host_id>(),
                     .address = {row[8].text(), row[9].text(), row[10].integer()},
                     .url = row[11].text(),
                     .row = std::move(*exception),
                     .kind = static_cast<log_kind>(row[12].integer()),
                     .cls = static_cast<delivery_class>(row[13].integer()),
                     .author = row[14].id<account_id>(),
                     .author_name = row[15].is_null() ? std::string{} : row[15].text(),
                     .at = row[16].time()};
}

} // namespace

caf::expected<post_deliveries> find_post_deliveries(database& db,
                                                    const post_deliveries_wish& wish) {
  const auto place = find_place(db, wish.post);
  if (!place)
    return place.error();
  auto rows = rows_of(db, *place);
  if (!rows)
    return std::move(rows.error());
  const auto endpoints = endpoints_for(db, *rows);
  if (!endpoints)
    return endpoints.error();
  const auto exceptions = exceptions_of(db, *rows);
  if (!exceptions)
    return exceptions.error();
  auto hosts = std::map<host_id, post_host>{};
  auto found = post_deliveries{.author = place->author, .rows = {}, .page = {}};
  for (auto& [seq, row] : *rows) {
    add_units(row, *endpoints, *exceptions, hosts);
    found.rows.push_back(row.row);
  }
  for (auto& [id, host] : hosts) {
    add_totals(host, found);
    if (id > wish.after && found.page.size() < wish.limit)
      found.page.push_back(std::move(host));
  }
  return found;
}

caf::expected<std::vector<dead_letter>> list_dead_letters(database& db,
                                                          const dead_letter_wish& wish) {
  auto values = std::vector<sql_value>{};
  const auto add = [&](sql_value value) {
    values.push_back(std::move(value));
    return "$" + std::to_string(values.size());
  };
  auto text = std::string{letters};
  if (wish.host)
    text += " AND x.host_id = " + add(*wish.host);
  if (wish.after) {
    const auto seq = add(wish.after->seq);
    text += " AND (x.seq < " + seq + " OR (x.seq = " + seq + " AND x.endpoint_id < " +
            add(wish.after->endpoint) + "))";
  }
  text += " ORDER BY x.seq DESC, x.endpoint_id DESC LIMIT " +
          add(static_cast<std::int64_t>(wish.limit));
  auto found = db.run(text, values);
  if (!found)
    return std::move(found.error());
  auto all = std::vector<dead_letter>{};
  for (const auto& row : found->rows) {
    auto letter = letter_of(row);
    if (!letter)
      return std::move(letter.error());
    all.push_back(std::move(*letter));
  }
  return all;
}

} // namespace trunkline
