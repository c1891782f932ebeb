#include "protocol/owed_rule.hpp"
#include "protocol/sorted_ids.hpp"
#include "storage/delivery_store.hpp"
#include "storage/missed_sources.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t ids_per_statement = 500; // asked for
constexpr std::size_t rows_at_once = 64;       // whose recipients are looked for together

using endpoint_ids = std::vector<endpoint_id>;

/// Answers who of a host's endpoints rows are owed to; remembers what it read.
class owed_finder {
public:
  owed_finder(database& db, const missed_units& wanted, const endpoint_ids& members)
      : db_{db}, host_{wanted.host}, members_{members} {}

  /// Reads what `of` needs for some rows.
  caf::error prepare(const std::vector<missed_row>& rows);

  /// Returns the endpoints that a row is owed to, by id.
  std::vector<std::shared_ptr<const delivery_endpoint>> of(const missed_row& row) const;

private:
  endpoint_ids named_in(const missed_row& row) const;
  caf::error read_audiences(const std::set<audience_id>& ids);
  caf::error read_present(account_id author);

  database& db_;
  host_id host_;
  const endpoint_ids& members_;
  std::map<audience_id, endpoint_ids> audiences_; ///< As far as they may be the host's.
  std::map<account_id, endpoint_ids> present_;
  std::map<endpoint_id, endpoint_on_host> endpoints_;
};

caf::error owed_finder::read_audiences(const std::set<audience_id>& ids) {
  auto values = std::vector<sql_value>{};
  for (const auto id : ids) {
    audiences_.try_emplace(id); // one that is gone has nobody
    values.emplace_back(id);
  }
  if (values.empty())
    return {};
  auto found = db_.run("SELECT id, endpoint_ids FROM audience WHERE id IN (" +
                           parameters(1, values.size()) + ")",
                       values);
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows) {
    const auto stored = decode_sorted_ids(row[1].bytes());
    if (!stored)
      return make_error(errc::storage_broken,
                        "audience " + std::to_string(row[0].integer()) + ": damaged");
    auto& here = audiences_[row[0].id<audience_id>()];
    for (const auto id : *stored)
      if (std::ranges::binary_search(members_, endpoint_id{id}))
        here.push_back(endpoint_id{id});
  }
  return {};
}

caf::error owed_finder::read_present(account_id author) {
  if (present_.contains(author))
    return {};
  auto now = endpoint_ids{};
  for (auto left = std::span{members_}; !left.empty();) {
    const auto chunk = left.first(std::min(left.size(), ids_per_statement));
    left = left.subspan(chunk.size());
    auto values = std::vector<sql_value>{sql_value{author}};
    append_ids(values, chunk);
    auto found = db_.run("SELECT endpoint_id FROM follower_endpoint WHERE author = $1 AND n > 0"
                         " AND endpoint_id IN (" +
                             parameters(2, chunk.size()) + ") ORDER BY endpoint_id",
                         values);
    if (!found)
      return std::move(found.error());
    for (const auto& row : found->rows)
      now.push_back(row[0].id<endpoint_id>());
  }
  present_.emplace(author, std::move(now));
  return {};
}

caf::error owed_finder::prepare(const std::vector<missed_row>& rows) {
  auto audiences = std::set<audience_id>{};
  for (const auto& row : rows) {
    if (row.audience && !audiences_.contains(row.audience))
      audiences.insert(row.audience);
    if (row.audience && !reaches_past_followers(row.unit.kind, row.is_public))
      if (auto failure = read_present(row.unit.author))
        return failure;
  }
  if (auto failure = read_audiences(audiences))
    return failure;
  auto unknown = std::set<endpoint_id>{};
  for (const auto& row : rows)
    for (const auto id : named_in(row))
      if (!endpoints_.contains(id))
        unknown.insert(id);
  auto found = find_endpoints(db_, endpoint_ids{unknown.begin(), unknown.end()});
  if (!found)
    return std::move(found.error());
  for (auto& each : *found)
    endpoints_.insert_or_assign(each.endpoint->id, std::move(each));
  return {};
}

/// Endpoints as the row and its audience name them.
endpoint_ids owed_finder::named_in(const missed_row& row) const {
  auto named = row.named;
  if (const auto audience = audiences_.find(row.audience); audience != audiences_.end()) {
    const auto to_all = reaches_past_followers(row.unit.kind, row.is_public);
    for (const auto id : audience->second)
      if (to_all || std::ranges::binary_search(present_.at(row.unit.author), id))
        named.push_back(id);
  }
  return named;
}

std::vector<std::shared_ptr<const delivery_endpoint>> owed_finder::of(const missed_row& row) const {
  auto owed = std::map<endpoint_id, std::shared_ptr<const delivery_endpoint>>{};
  for (const auto id : named_in(row)) {
    const auto found = endpoints_.find(id);
    if (found == endpoints_.end())
      continue;
    const auto taker = endpoints_.find(found->second.taker_of(row.unit.at));
    if (taker != endpoints_.end() && taker->second.endpoint->host == host_)
      owed.emplace(taker->first, taker->second.endpoint);
  }
  auto endpoints = std::vector<std::shared_ptr<const delivery_endpoint>>{};
  for (const auto& [id, endpoint] : owed)
    endpoints.push_back(endpoint);
  return endpoints;
}

caf::expected<log_seq> gone_upto(database& db) {
  auto found = db.run("SELECT coalesce(min(seq), 1) FROM log");
  if (!found)
    return std::move(found.error());
  return found->rows[0][0].integer() - 1;
}

caf::expected<std::shared_ptr<const missed_sources>> sources_for(database& db,
                                                                 const missed_units& wanted) {
  if (wanted.sources && wanted.sources->fit(wanted))
    return wanted.sources;
  auto found = missed_sources::find(db, wanted);
  if (!found)
    return std::move(found.error());
  return std::make_shared<const missed_sources>(std::move(*found));
}

/// Reads the next rows; tells whether there are no more for this page.
caf::expected<bool> read_rows(missed_reader& reader, std::vector<missed_row>& rows) {
  rows.clear();
  while (rows.size() < rows_at_once) {
    auto row = reader.next();
    if (!row)
      return std::move(row.error());
    if (!*row)
      return true;
    rows.push_back(std::move(**row));
  }
  return false;
}

/// Adds the units of rows until there are `limit`; tells up to which row, or nothing: all of them.
std::optional<log_seq> add_units(const owed_finder& owed, const std::vector<missed_row>& rows,
                                 std::size_t limit, std::vector<delivery_unit>& units) {
  for (const auto& row : rows) {
    for (auto& endpoint : owed.of(row)) {
      auto& unit = units.emplace_back(row.unit);
      unit.to = std::move(endpoint);
    }
    if (units.size() >= limit)
      return row.unit.seq;
  }
  return std::nullopt;
}

/// Reads one page of what its sources have.
caf::error read_page(database& db, const missed_units& wanted, const missed_sources& sources,
                     found_units& page) {
  auto reader = missed_reader{db, wanted.cls, sources};
  auto owed = owed_finder{db, wanted, sources.members()};
  auto rows = std::vector<missed_row>{};
  auto cut_at = std::optional<log_seq>{};
  for (auto is_end = false; !is_end && !cut_at;) {
    const auto ended = read_rows(reader, rows);
    if (!ended)
      return ended.error();
    is_end = *ended;
    if (auto failure = owed.prepare(rows))
      return failure;
    cut_at = add_units(owed, rows, wanted.limit, page.units);
  }
  page.read_upto = cut_at ? *cut_at : reader.read_upto();
  if (page.read_upto < sources.upto())
    page.sources = std::make_shared<const missed_sources>(
        sources.rest(page.read_upto + 1, reader.open_after(page.read_upto)));
  return {};
}

} // namespace

caf::expected<found_units> find_missed(database& db, const missed_units& wanted) {
  auto result = found_units{.read_upto = wanted.upto};
  const auto gone = gone_upto(db);
  if (!gone)
    return gone.error();
  result.gone_upto = *gone;
  if (wanted.from > wanted.upto)
    return result;
  const auto sources = sources_for(db, wanted);
  if (!sources)
    return sources.error();
  if (auto failure = read_page(db, wanted, **sources, result))
    return failure;
  return result;
}

} // namespace trunkline
