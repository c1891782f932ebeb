#include "storage/delivery_store.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t ids_per_statement = 500;

endpoint_on_host endpoint_of(const sql_row& row) {
  auto host = host_address{row[4].text(), row[5].text(), row[6].integer()};
  const auto shard = host_shard(host);
  return {.endpoint = std::make_shared<const delivery_endpoint>(
              delivery_endpoint{.id = row[0].id<endpoint_id>(),
                                .host = row[1].id<host_id>(),
                                .url = row[2].text(),
                                .shared = row[3].flag()}),
          .host = std::move(host),
          .shard = shard,
          .replaced_by = row[7].id<endpoint_id>(),
          .replaced_at = row[8].time()};
}

caf::error add_endpoints(database& db, std::span<const endpoint_id> ids,
                         std::map<endpoint_id, endpoint_on_host>& known) {
  for (; !ids.empty(); ids = ids.subspan(std::min(ids.size(), ids_per_statement))) {
    const auto chunk = ids.first(std::min(ids.size(), ids_per_statement));
    auto values = std::vector<sql_value>{};
    append_ids(values, chunk);
    auto found = db.run("SELECT e.id, e.host_id, e.url, e.shared, h.scheme, h.name, h.port,"
                        " e.replaced_by, e.replaced_at"
                        " FROM endpoint e JOIN host h ON h.id = e.host_id WHERE e.id IN (" +
                            parameters(1, chunk.size()) + ")",
                        values);
    if (!found)
      return std::move(found.error());
    for (const auto& row : found->rows)
      known.emplace(row[0].id<endpoint_id>(), endpoint_of(row));
  }
  return {};
}

using endpoints_by_id = std::map<endpoint_id, endpoint_on_host>;

/// The unit of a row of `delivery_exception`, and of the log as far as it has it.
delivery_unit unit_of(const sql_row& row, const object_key& object,
                      const std::shared_ptr<const delivery_endpoint>& to) {
  const auto is_gone = row[6].is_null();
  return {.seq = row[0].integer(),
          .author = row[6].id<account_id>(),
          .cls = is_gone ? delivery_class::bulk : static_cast<delivery_class>(row[7].integer()),
          .kind = is_gone ? log_kind::create : static_cast<log_kind>(row[8].integer()),
          .object = object,
          .at = row[9].time(),
          .to = to};
}

caf::expected<stored_exception> exception_of(const sql_row& row,
                                             const std::shared_ptr<const delivery_endpoint>& to) {
  const auto object = parse_object_key(row[2].text());
  if (!object)
    return make_error(errc::storage_broken, "delivery_exception " +
                                                std::to_string(row[0].integer()) +
                                                ": object_key is damaged");
  auto unit = unit_of(row, *object, to);
  const auto key = unit.key();
  return stored_exception{.unit = std::move(unit),
                          .row = {.unit = key,
                                  .object = *object,
                                  .status = exception_status::waiting,
                                  .error = row[3].text(),
                                  .attempts = row[4].integer(),
                                  .next_try_at = row[5].optional_time()},
                          .is_gone = row[6].is_null()};
}

} // namespace

caf::expected<std::vector<endpoint_on_host>> find_endpoints(database& db,
                                                            std::span<const endpoint_id> ids) {
  auto known = std::map<endpoint_id, endpoint_on_host>{};
  if (auto failure = add_endpoints(db, ids, known))
    return failure;
  auto takers = std::vector<endpoint_id>{};
  for (const auto& [id, each] : known)
    if (each.replaced_by && !known.contains(each.replaced_by))
      takers.push_back(each.replaced_by);
  if (auto failure = add_endpoints(db, takers, known))
    return failure;
  auto endpoints = std::vector<endpoint_on_host>{};
  for (auto& [id, each] : known)
    endpoints.push_back(std::move(each));
  return endpoints;
}

caf::expected<std::vector<stored_exception>> waiting_exceptions(database& db, host_id host,
                                                                std::size_t limit) {
  auto found = db.run("SELECT x.seq, x.endpoint_id, x.object_key, x.error, x.attempts,"
                      " x.next_try_at, l.author, l.class, l.kind, l.at"
                      " FROM delivery_exception x LEFT JOIN log l ON l.seq = x.seq"
                      " WHERE x.host_id = $1 AND x.status = 1 ORDER BY x.seq, x.endpoint_id"
                      " LIMIT $2",
                      {host, static_cast<std::int64_t>(limit)});
  if (!found)
    return std::move(found.error());
  auto ids = std::vector<endpoint_id>{};
  for (const auto& row : found->rows)
    ids.push_back(row[1].id<endpoint_id>());
  auto endpoints = endpoints_by_id{};
  if (auto failure = add_endpoints(db, ids, endpoints))
    return failure;
  auto exceptions = std::vector<stored_exception>{};
  for (const auto& row : found->rows) {
    const auto to = endpoints.find(row[1].id<endpoint_id>());
    if (to == endpoints.end())
      continue;
    auto exception = exception_of(row, to->second.endpoint);
    if (!exception)
      return std::move(exception.error());
    exceptions.push_back(std::move(*exception));
  }
  return exceptions;
}

} // namespace trunkline
