#include "storage/host_store.hpp"

#include <limits>
#include <utility>

namespace trunkline {

namespace {

constexpr auto facts_columns = std::string_view{
    "h.id, h.state, h.fail_streak, h.first_fail_at, h.next_try_at, h.window_size, h.paused,"
    " h.signature_scheme, h.last_ok_at, h.scheme, h.name, h.port"};

host_facts facts_of(const sql_row& row) {
  return {.id = row[0].id<host_id>(),
          .state = host_state_of(row[1].integer()).value_or(host_state::unproven),
          .fail_streak = row[2].integer(),
          .first_fail_at = row[3].optional_time(),
          .next_try_at = row[4].optional_time(),
          .window = row[5].integer(),
          .paused = row[6].flag(),
          .scheme = static_cast<signature_scheme>(row[7].integer()),
          .last_ok_at = row[8].optional_time()};
}

host_address address_of(const sql_row& row, std::size_t at) {
  return {row[at].text(), row[at + 1].text(), row[at + 2].integer()};
}

constexpr auto more_of_summary = std::string_view{
    ", coalesce(b.waiting, 0), b.oldest_at,"
    " (SELECT count(*) FROM delivery_exception e WHERE e.host_id = h.id AND e.status = 1),"
    " (SELECT count(*) FROM delivery_exception e WHERE e.host_id = h.id AND e.status = 2)"};

/// Few hosts have a backlog: it is summed once, and not per host.
constexpr auto hosts_with_backlog = std::string_view{
    " FROM host h LEFT JOIN (SELECT host_id, CAST(sum(count) AS BIGINT) AS waiting,"
    " min(oldest_at) AS oldest_at FROM host_backlog GROUP BY host_id) b ON b.host_id = h.id"};

/// Where hosts stand for which nothing waits, when the oldest come first.
constexpr auto never = std::numeric_limits<std::int64_t>::max();

host_summary summary_of(const sql_row& row) {
  return {.address = address_of(row, 9),
          .facts = facts_of(row),
          .waiting = row[12].integer(),
          .oldest_at = row[13].optional_time(),
          .exceptions = row[14].integer(),
          .dead = row[15].integer()};
}

/// What a list is sorted by; rises.
std::string_view position_of(host_order order) {
  switch (order) {
  case host_order::backlog:
    return "-coalesce(b.waiting, 0)";
  case host_order::oldest:
    return "coalesce(b.oldest_at, 9223372036854775807)";
  case host_order::failures:
    return "-h.fail_streak";
  case host_order::name:
    return "h.name";
  }
  return "h.id";
}

/// A pattern of LIKE for names that contain `part`.
std::string pattern_of(std::string_view part) {
  auto pattern = std::string{"%"};
  for (const auto letter : part) {
    if (letter == '%' || letter == '_' || letter == '!')
      pattern += '!';
    pattern += letter;
  }
  return pattern + "%";
}

/// The conditions of a list, whose values are added to `values`.
std::string conditions_of(const host_list_wish& wish, std::vector<sql_value>& values) {
  auto text = std::string{" WHERE h.id > 0"};
  const auto add = [&](sql_value value) {
    values.push_back(std::move(value));
    return "$" + std::to_string(values.size());
  };
  if (wish.after) {
    const auto position = std::string{position_of(wish.order)};
    const auto mark =
        wish.order == host_order::name ? add(wish.after->name) : add(wish.after->number);
    text += " AND (" + position + " > " + mark + " OR (" + position + " = " + mark +
            " AND h.id > " + add(wish.after->id) + "))";
  }
  if (wish.state)
    text += " AND h.state = " + add(static_cast<std::int64_t>(*wish.state));
  if (wish.only_paused)
    text += " AND h.paused = 1";
  if (!wish.part.empty())
    text += " AND h.name LIKE " + add(pattern_of(wish.part)) + " ESCAPE '!'";
  return text;
}

} // namespace

caf::expected<std::optional<host_facts>> find_host(database& db, const host_address& address) {
  static const auto sql = "SELECT " + std::string{facts_columns} +
                          " FROM host h WHERE h.scheme = $1 AND h.name = $2 AND h.port = $3";
  auto found = db.run(sql, {address.scheme, address.name, address.port});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? std::nullopt : std::optional{facts_of(found->rows[0])};
}

caf::error save_host(database& db, const host_facts& facts) {
  auto done =
      db.run("UPDATE host SET state = $2, fail_streak = $3, first_fail_at = $4,"
             " next_try_at = $5, window_size = $6, signature_scheme = $7, last_ok_at = $8"
             " WHERE id = $1",
             {facts.id, static_cast<int>(facts.state), facts.fail_streak, facts.first_fail_at,
              facts.next_try_at, facts.window, static_cast<int>(facts.scheme), facts.last_ok_at});
  return done ? caf::error{} : std::move(done.error());
}

caf::error set_paused(database& db, const host_address& address, bool paused) {
  auto done = db.run("UPDATE host SET paused = $4 WHERE scheme = $1 AND name = $2 AND port = $3",
                     {address.scheme, address.name, address.port, paused});
  if (!done)
    return std::move(done.error());
  if (done->rows_written == 0)
    return make_error(errc::not_found,
                      "host " + to_name(address) + ": nothing was ever sent to it");
  return {};
}

caf::error clear_next_try(database& db, const host_address& address) {
  auto done = db.run("UPDATE host SET next_try_at = NULL WHERE scheme = $1 AND name = $2"
                     " AND port = $3",
                     {address.scheme, address.name, address.port});
  return done ? caf::error{} : std::move(done.error());
}

caf::expected<std::vector<waiting_host>> waiting_hosts(database& db) {
  auto found = db.run("SELECT h.id, h.scheme, h.name, h.port, h.next_try_at,"
                      " (SELECT min(e.next_try_at) FROM delivery_exception e WHERE e.host_id = h.id"
                      "   AND e.status = 1),"
                      " (SELECT count(*) FROM host_backlog b WHERE b.host_id = h.id)"
                      " FROM host h WHERE h.id IN (SELECT host_id FROM host_backlog UNION"
                      " SELECT host_id FROM delivery_exception WHERE status = 1) ORDER BY h.id");
  if (!found)
    return std::move(found.error());
  auto hosts = std::vector<waiting_host>{};
  for (const auto& row : found->rows) {
    const auto of_host = row[4].optional_time();
    const auto only_exceptions = row[6].integer() == 0;
    hosts.push_back(
        {.id = row[0].id<host_id>(),
         .address = address_of(row, 1),
         .next_try_at = of_host || !only_exceptions ? of_host : row[5].optional_time()});
  }
  return hosts;
}

host_place place_of(host_order order, const host_summary& host) {
  switch (order) {
  case host_order::backlog:
    return {.number = -host.waiting, .name = {}, .id = host.facts.id};
  case host_order::oldest:
    return {.number = host.oldest_at ? to_micros(*host.oldest_at) : never,
            .name = {},
            .id = host.facts.id};
  case host_order::failures:
    return {.number = -host.facts.fail_streak, .name = {}, .id = host.facts.id};
  case host_order::name:
    return {.number = 0, .name = host.address.name, .id = host.facts.id};
  }
  return {};
}

caf::expected<std::vector<host_summary>> list_hosts(database& db, const host_list_wish& wish) {
  auto values = std::vector<sql_value>{};
  const auto conditions = conditions_of(wish, values);
  values.emplace_back(wish.limit);
  const auto picked = "SELECT h.id AS id, " + std::string{position_of(wish.order)} +
                      " AS position" + std::string{hosts_with_backlog} + conditions +
                      " ORDER BY 2, 1 LIMIT $" + std::to_string(values.size());
  auto found = db.run("SELECT " + std::string{facts_columns} + std::string{more_of_summary} +
                          std::string{hosts_with_backlog} + " JOIN (" + picked +
                          ") p ON p.id = h.id ORDER BY p.position, p.id",
                      values);
  if (!found)
    return std::move(found.error());
  auto hosts = std::vector<host_summary>{};
  for (const auto& row : found->rows)
    hosts.push_back(summary_of(row));
  return hosts;
}

caf::expected<std::optional<host_summary>> summary_of(database& db, const host_address& address) {
  auto found = db.run("SELECT " + std::string{facts_columns} + std::string{more_of_summary} +
                          std::string{hosts_with_backlog} +
                          " WHERE h.scheme = $1 AND h.name = $2 AND h.port = $3",
                      {address.scheme, address.name, address.port});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? std::nullopt : std::optional{summary_of(found->rows[0])};
}

} // namespace trunkline
