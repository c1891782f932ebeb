#include "storage/missed_sources.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

namespace trunkline {

namespace {

using kind_of = missed_source::kind_of;

constexpr auto for_ever = std::numeric_limits<log_seq>::max();

/// Rows that may be committed after an author was left and know nothing of it: those of the same
/// commit and of others beside it. Behind them only what takes back is owed to who left.
constexpr log_seq rows_beside_a_commit = 100'000;

constexpr std::size_t sources_per_read = 32; ///< A power of two.
constexpr std::size_t looked_at_max = 128;   ///< To find sources that are read together.
constexpr std::int64_t rows_per_source_max = 256;
constexpr std::size_t rows_per_page_max = 4'096; ///< More is left to the next page.

/// The endpoints on host $1, and those elsewhere that one of them replaced.
constexpr auto places = std::string_view{
    "(SELECT id FROM endpoint WHERE host_id = $1 UNION ALL SELECT o.id FROM endpoint o"
    " WHERE o.replaced_by IS NOT NULL"
    " AND (SELECT r.host_id FROM endpoint r WHERE r.id = o.replaced_by) = $1) e"};

/// The place of a row in the log, as the indexes by author have it: an order that no other index
/// has. By `seq` alone PostgreSQL walks the whole log, past the rows of everybody else, when it
/// believes that an author has many rows.
constexpr auto place = std::string_view{"l.seq + 0"};

/// The first row of an author after a place in the log.
std::string first_row(std::string_view after, std::string_view more) {
  return "(SELECT l.seq FROM log l WHERE l.author = a.author AND l.class = $2"
         " AND l.audience_id <> 0" +
         std::string{more} + " AND " + std::string{place} + " > " + std::string{after} +
         " ORDER BY " + std::string{place} + " LIMIT 1)";
}

constexpr auto takes_back_sql = std::string_view{" AND l.kind IN (3, 5, 19)"};

caf::error add_authors(database& db, const missed_units& wanted, std::vector<missed_source>& open) {
  static const auto sql = "SELECT a.author, a.left_seq, " +
                          first_row("CASE WHEN a.from_seq > $3 THEN a.from_seq ELSE $3 END", "") +
                          ", CASE WHEN a.left_seq < 9223372036854775807 THEN " +
                          first_row("$3", takes_back_sql) +
                          " END FROM (SELECT f.author AS author, min(f.from_seq) AS from_seq,"
                          " max(CASE WHEN f.n > 0 THEN 9223372036854775807"
                          " ELSE coalesce(f.left_seq, 9223372036854775807) END) AS left_seq"
                          " FROM " +
                          std::string{places} +
                          " JOIN follower_endpoint f ON f.endpoint_id = e.id GROUP BY f.author) a";
  auto found = db.run(sql, {wanted.host, static_cast<int>(wanted.cls), wanted.from - 1});
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows) {
    const auto left = row[1].integer();
    const auto owed_upto =
        left == for_ever ? wanted.upto : std::min(wanted.upto, left + rows_beside_a_commit);
    const auto add = [&](kind_of kind, const sql_value& first, log_seq from, log_seq upto) {
      const auto next = std::max(first.integer(), from);
      if (!first.is_null() && next <= upto)
        open.push_back({kind, row[0].integer(), next, upto});
    };
    add(kind_of::owed, row[2], 0, owed_upto);
    if (owed_upto < wanted.upto)
      add(kind_of::taken_back, row[3], owed_upto + 1, wanted.upto);
  }
  return {};
}

caf::error add_named(database& db, const missed_units& wanted, std::vector<missed_source>& open) {
  static const auto sql =
      "SELECT p.id, p.first FROM (SELECT e.id AS id, (SELECT x.seq FROM log_extra x"
      " WHERE (x.endpoint_id, x.seq) > (e.id, $2) AND x.endpoint_id <= e.id"
      " ORDER BY x.endpoint_id, x.seq LIMIT 1) AS first FROM " +
      std::string{places} + ") p WHERE p.first <= $3";
  auto found = db.run(sql, {wanted.host, wanted.from - 1, wanted.upto});
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows)
    open.push_back({kind_of::named, row[0].integer(), row[1].integer(), wanted.upto});
  return {};
}

caf::expected<std::vector<endpoint_id>> members_on(database& db, host_id host) {
  static const auto sql = "SELECT e.id FROM " + std::string{places} +
                          " WHERE EXISTS (SELECT 1 FROM follower_endpoint f"
                          " WHERE f.endpoint_id = e.id) ORDER BY e.id";
  auto found = db.run(sql, {host});
  if (!found)
    return std::move(found.error());
  auto members = std::vector<endpoint_id>{};
  for (const auto& row : found->rows)
    members.push_back(row[0].id<endpoint_id>());
  return members;
}

constexpr auto columns = std::string_view{
    "l.seq, l.author, l.class, l.kind, l.object_key, l.at, l.public, l.audience_id"};

/// The rows of one source; its four values begin at `$first`.
std::string rows_of(kind_of kind, std::size_t number, std::size_t first) {
  const auto value = [first](std::size_t at) { return "$" + std::to_string(first + at); };
  const auto id = value(0);
  const auto from = value(1);
  const auto upto = value(2);
  const auto most = " LIMIT " + value(3) + ")";
  const auto named = "s" + std::to_string(number);
  const auto head = "SELECT " + std::to_string(number) + " AS source, " + std::string{columns};
  if (kind == kind_of::named)
    return head +
           ", x.endpoint_id FROM (SELECT seq, endpoint_id FROM log_extra"
           " WHERE (endpoint_id, seq) >= (" +
           id + ", " + from + ") AND (endpoint_id, seq) <= (" + id + ", " + upto +
           ") ORDER BY endpoint_id, seq" + most + " x JOIN log l ON l.seq = x.seq";
  const auto seq = std::string{place};
  return "SELECT * FROM (" + head + ", 0 AS endpoint_id FROM log l WHERE l.author = " + id +
         " AND l.class = $1 AND l.audience_id <> 0" +
         std::string{kind == kind_of::taken_back ? takes_back_sql : ""} + " AND " + seq +
         " >= " + from + " AND " + seq + " <= " + upto + " ORDER BY " + seq + most + " " + named;
}

/// The statement that reads `count` sources of one kind.
std::string statement_of(kind_of kind, std::size_t count) {
  const auto first = kind == kind_of::named ? std::size_t{1} : std::size_t{2};
  auto text = std::string{};
  for (auto number = std::size_t{0}; number < count; ++number)
    text += (number ? " UNION ALL " : "") + rows_of(kind, number, first + 4 * number);
  return text;
}

} // namespace

caf::expected<missed_sources> missed_sources::find(database& db, const missed_units& wanted) {
  auto sources = missed_sources{};
  sources.host_ = wanted.host;
  sources.cls_ = wanted.cls;
  sources.from_ = wanted.from;
  sources.upto_ = wanted.upto;
  auto members = members_on(db, wanted.host);
  if (!members)
    return std::move(members.error());
  sources.members_ = std::move(*members);
  if (!sources.members_.empty())
    if (auto failure = add_authors(db, wanted, sources.open_))
      return failure;
  if (auto failure = add_named(db, wanted, sources.open_))
    return failure;
  return sources;
}

missed_sources missed_sources::rest(log_seq from, std::vector<missed_source> open) const {
  auto left = missed_sources{};
  left.host_ = host_;
  left.cls_ = cls_;
  left.from_ = from;
  left.upto_ = upto_;
  left.open_ = std::move(open);
  left.members_ = members_;
  return left;
}

missed_reader::missed_reader(database& db, delivery_class cls, const missed_sources& sources)
    : db_{db}, cls_{cls}, upto_{sources.upto()} {
  runs_.reserve(sources.open().size());
  for (const auto& source : sources.open()) {
    runs_.push_back({.source = source, .rows = {}});
    put_back(runs_.size() - 1);
  }
}

/// Puts a run where its next row is, or may be.
void missed_reader::put_back(std::size_t index) {
  const auto& run = runs_[index];
  if (!run.rows.empty() || !run.is_done)
    order_.emplace(run.position(), index);
}

caf::expected<std::optional<missed_row>> missed_reader::next() {
  auto result = std::optional<missed_row>{};
  for (;;) {
    const auto there = has_row(!result);
    if (!there)
      return there.error();
    if (!*there || (result && order_.begin()->first != result->unit.seq))
      return result;
    const auto index = order_.begin()->second;
    auto& run = runs_[index];
    auto row = std::move(run.rows.front());
    order_.erase(order_.begin());
    run.rows.pop_front();
    run.returned_upto = row.unit.seq;
    put_back(index);
    if (!result) {
      result = std::move(row);
      continue;
    }
    result->named.insert(result->named.end(), row.named.begin(), row.named.end());
    if (row.audience)
      result->audience = row.audience;
  }
}

/// Tells whether the first run has a row, which it reads unless it is there.
caf::expected<bool> missed_reader::has_row(bool may_stop) {
  while (!order_.empty()) {
    const auto index = order_.begin()->second;
    if (!runs_[index].rows.empty())
      return true;
    if (may_stop && rows_read_ >= rows_per_page_max)
      return false;
    if (auto failure = read_with_others(index))
      return failure;
  }
  return false;
}

/// Reads a run, and with it those of its kind that come next.
caf::error missed_reader::read_with_others(std::size_t index) {
  const auto kind = runs_[index].source.kind;
  auto chosen = std::vector<std::size_t>{};
  auto looked_at = std::size_t{0};
  for (const auto& [position, candidate] : order_) {
    if (chosen.size() == sources_per_read || ++looked_at > looked_at_max)
      break;
    const auto& run = runs_[candidate];
    if (run.source.kind == kind && run.rows.empty())
      chosen.push_back(candidate);
  }
  chosen.resize(std::bit_floor(chosen.size())); // few statements to prepare
  for (const auto each : chosen)
    order_.erase({runs_[each].position(), each});
  if (auto failure = read(chosen))
    return failure;
  for (const auto each : chosen)
    put_back(each);
  return {};
}

caf::error missed_reader::read(const std::vector<std::size_t>& chosen) {
  const auto kind = runs_[chosen.front()].source.kind;
  auto values = std::vector<sql_value>{};
  if (kind != kind_of::named)
    values.emplace_back(static_cast<int>(cls_));
  for (const auto index : chosen) {
    auto& run = runs_[index];
    run.got = 0;
    values.insert(values.end(), {sql_value{run.source.id}, sql_value{run.source.next},
                                 sql_value{run.source.upto}, sql_value{run.limit}});
  }
  auto found = db_.run(statement_of(kind, chosen.size()), values);
  if (!found)
    return std::move(found.error());
  rows_read_ += found->rows.size();
  for (const auto& row : found->rows)
    if (auto failure = take(row, runs_[chosen.at(static_cast<std::size_t>(row[0].integer()))]))
      return failure;
  for (const auto index : chosen) {
    auto& run = runs_[index];
    run.is_done = run.got < run.limit || run.source.next > run.source.upto;
    run.limit = std::min(run.limit * 2, rows_per_source_max);
  }
  return {};
}

/// Takes one row of a run; each gives its rows in order.
caf::error missed_reader::take(const sql_row& row, source_run& from) {
  const auto seq = row[1].integer();
  const auto cls = static_cast<delivery_class>(row[3].integer());
  ++from.got;
  from.source.next = seq + 1;
  if (cls != cls_)
    return {};
  auto key = parse_object_key(row[5].text());
  if (!key)
    return make_error(errc::storage_broken,
                      "log " + std::to_string(seq) + ": object_key is damaged");
  auto& taken = from.rows.emplace_back();
  taken.unit = {.seq = seq,
                .author = row[2].id<account_id>(),
                .cls = cls,
                .kind = static_cast<log_kind>(row[4].integer()),
                .object = *key,
                .at = row[6].time(),
                .to = nullptr};
  taken.is_public = row[7].flag();
  if (from.source.kind == kind_of::named)
    taken.named.push_back(row[9].id<endpoint_id>());
  else
    taken.audience = row[8].id<audience_id>();
  return {};
}

std::vector<missed_source> missed_reader::open_after(log_seq seq) const {
  auto open = std::vector<missed_source>{};
  for (const auto& run : runs_) {
    if (run.is_done && run.rows.empty() && run.returned_upto <= seq)
      continue;
    auto source = run.source;
    source.next = run.returned_upto > seq ? seq + 1 : run.position();
    open.push_back(source);
  }
  return open;
}

} // namespace trunkline
