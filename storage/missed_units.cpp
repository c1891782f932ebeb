#include "storage/audience_store.hpp"
#include "storage/delivery_store.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t ids_per_statement = 500; // asked for

/// Row of the log as delivery looks at it, and the endpoints of one host that it is owed to.
struct missed_row {
  delivery_unit unit; ///< Without its endpoint.
  bool is_public = true;
  audience_id audience;
  std::set<endpoint_id> owed;
};

constexpr auto missed_columns =
    std::string_view{"SELECT l.seq, l.author, l.class, l.kind, l.object_key, l.at, l.public,"
                     " l.audience_id"};

caf::expected<missed_row*> row_in(std::map<log_seq, missed_row>& rows, const sql_row& row) {
  const auto [found, is_new] = rows.try_emplace(row[0].integer());
  auto& missed = found->second;
  if (!is_new)
    return &missed;
  auto key = parse_object_key(row[4].text());
  if (!key)
    return make_error(errc::storage_broken,
                      "log " + std::to_string(row[0].integer()) + ": object_key is damaged");
  missed.unit = {.seq = row[0].integer(),
                 .author = row[1].id<account_id>(),
                 .cls = static_cast<delivery_class>(row[2].integer()),
                 .kind = static_cast<log_kind>(row[3].integer()),
                 .object = *key,
                 .at = row[5].time(),
                 .to = nullptr};
  missed.is_public = row[6].flag();
  missed.audience = row[7].id<audience_id>();
  return &missed;
}

using endpoints_by_id = std::map<endpoint_id, std::shared_ptr<const delivery_endpoint>>;

std::shared_ptr<const delivery_endpoint> endpoint_of(const sql_row& row) {
  return std::make_shared<const delivery_endpoint>(delivery_endpoint{.id = row[0].id<endpoint_id>(),
                                                                     .host = row[1].id<host_id>(),
                                                                     .url = row[2].text(),
                                                                     .shared = row[3].flag()});
}

caf::expected<endpoints_by_id> endpoints_on(database& db, host_id host) {
  auto found = db.run("SELECT id, host_id, url, shared FROM endpoint WHERE host_id = $1", {host});
  if (!found)
    return std::move(found.error());
  auto endpoints = endpoints_by_id{};
  for (const auto& row : found->rows)
    endpoints.emplace(row[0].id<endpoint_id>(), endpoint_of(row));
  return endpoints;
}

/// Adds to each row the endpoints of its audience that are on the host; for a row that is not
/// public only those that follow by now.
caf::error add_audiences(database& db, const endpoints_by_id& here,
                         std::map<log_seq, missed_row>& rows) {
  auto audiences = std::map<audience_id, std::vector<endpoint_id>>{};
  auto present = std::map<account_id, std::vector<endpoint_id>>{};
  for (auto& [seq, row] : rows) {
    if (!row.audience)
      continue;
    if (!audiences.contains(row.audience)) {
      auto members = endpoints_of(db, row.audience);
      if (!members)
        return std::move(members.error());
      std::erase_if(*members, [&](endpoint_id id) { return !here.contains(id); });
      audiences.emplace(row.audience, std::move(*members));
    }
    if (!row.is_public && !present.contains(row.unit.author)) {
      auto now = present_endpoints(db, row.unit.author);
      if (!now)
        return std::move(now.error());
      present.emplace(row.unit.author, std::move(*now));
    }
    for (const auto member : audiences[row.audience])
      if (row.is_public || std::ranges::binary_search(present[row.unit.author], member))
        row.owed.insert(member);
  }
  return {};
}

} // namespace

caf::expected<std::vector<endpoint_on_host>> find_endpoints(database& db,
                                                            std::span<const endpoint_id> ids) {
  auto endpoints = std::vector<endpoint_on_host>{};
  for (; !ids.empty(); ids = ids.subspan(std::min(ids.size(), ids_per_statement))) {
    const auto chunk = ids.first(std::min(ids.size(), ids_per_statement));
    auto values = std::vector<sql_value>{};
    append_ids(values, chunk);
    auto found = db.run("SELECT e.id, e.host_id, e.url, e.shared, h.scheme, h.name, h.port"
                        " FROM endpoint e JOIN host h ON h.id = e.host_id WHERE e.id IN (" +
                            parameters(1, chunk.size()) + ") ORDER BY e.id",
                        values);
    if (!found)
      return std::move(found.error());
    for (const auto& row : found->rows)
      endpoints.push_back({endpoint_of(row), {row[4].text(), row[5].text(), row[6].integer()}});
  }
  return endpoints;
}

caf::expected<found_units> find_missed(database& db, const missed_units& wanted) {
  auto here = endpoints_on(db, wanted.host);
  if (!here)
    return std::move(here.error());
  auto rows = std::map<log_seq, missed_row>{};
  auto result = found_units{.units = {}, .read_upto = wanted.upto};
  const auto limit = static_cast<std::int64_t>(wanted.limit);
  const auto take = [&](caf::expected<sql_result> found, bool is_extra) -> caf::error {
    if (!found)
      return std::move(found.error());
    for (const auto& row : found->rows) {
      auto missed = row_in(rows, row);
      if (!missed)
        return std::move(missed.error());
      if (is_extra)
        (*missed)->owed.insert(row[8].id<endpoint_id>());
    }
    if (found->rows.size() == wanted.limit) // the last row may be cut
      result.read_upto = std::min(result.read_upto, found->rows.back()[0].integer() - is_extra);
    return {};
  };
  const auto through = std::string{missed_columns} +
                       " FROM log l WHERE l.author IN (SELECT f.author FROM follower_endpoint f"
                       " JOIN endpoint e ON e.id = f.endpoint_id WHERE e.host_id = $1)"
                       " AND l.seq >= $2 AND l.seq <= $3 AND l.class = $4 AND l.audience_id <> 0"
                       " ORDER BY l.seq LIMIT $5";
  const auto named = std::string{missed_columns} +
                     ", x.endpoint_id FROM endpoint e JOIN log_extra x ON x.endpoint_id = e.id"
                     " JOIN log l ON l.seq = x.seq WHERE e.host_id = $1 AND x.seq >= $2"
                     " AND x.seq <= $3 AND l.class = $4 ORDER BY x.seq, x.endpoint_id LIMIT $5";
  const auto values = {sql_value{wanted.host}, sql_value{wanted.from}, sql_value{wanted.upto},
                       sql_value{static_cast<int>(wanted.cls)}, sql_value{limit}};
  if (auto failure = take(db.run(through, values), false))
    return failure;
  if (auto failure = take(db.run(named, values), true))
    return failure;
  if (result.read_upto < wanted.from && wanted.from <= wanted.upto) { // a row beyond the limit
    auto wider = wanted;
    wider.limit *= 4;
    return find_missed(db, wider);
  }
  rows.erase(rows.upper_bound(result.read_upto), rows.end());
  if (auto failure = add_audiences(db, *here, rows))
    return failure;
  for (auto& [seq, row] : rows)
    for (const auto endpoint : row.owed) {
      auto& unit = result.units.emplace_back(row.unit);
      unit.to = here->at(endpoint);
    }
  return result;
}

caf::expected<std::vector<stored_exception>> waiting_exceptions(database& db, host_id host,
                                                                std::size_t limit) {
  auto found = db.run("SELECT l.seq, l.author, l.class, l.kind, l.object_key, l.at, l.public,"
                      " l.audience_id, x.endpoint_id, x.error, x.attempts, x.next_try_at"
                      " FROM delivery_exception x JOIN log l ON l.seq = x.seq"
                      " WHERE x.host_id = $1 AND x.status = 1 ORDER BY x.seq, x.endpoint_id"
                      " LIMIT $2",
                      {host, static_cast<std::int64_t>(limit)});
  if (!found)
    return std::move(found.error());
  auto here = endpoints_on(db, host);
  if (!here)
    return std::move(here.error());
  auto exceptions = std::vector<stored_exception>{};
  for (const auto& row : found->rows) {
    auto one = std::map<log_seq, missed_row>{};
    auto parsed = row_in(one, row);
    if (!parsed)
      return std::move(parsed.error());
    const auto endpoint = here->find(row[8].id<endpoint_id>());
    if (endpoint == here->end())
      continue;
    auto unit = (*parsed)->unit;
    unit.to = endpoint->second;
    exceptions.push_back({unit,
                          {.unit = unit.key(),
                           .object = unit.object,
                           .status = exception_status::waiting,
                           .error = row[9].text(),
                           .attempts = row[10].integer(),
                           .next_try_at = row[11].optional_time()}});
  }
  return exceptions;
}

} // namespace trunkline
