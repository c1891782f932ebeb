#include "storage/log_retention.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

namespace trunkline {

namespace {

/// Bodies that can be rendered again, as the index `log_rendered` has them.
constexpr auto rendered = std::string_view{
    "body IS NOT NULL AND ap_id IS NOT NULL AND kind IN (1, 2, 4, 6, 8, 10, 12, 18, 20, 24)"};

constexpr auto setting_name = std::string_view{"log.bodies"};

/// What is known of the bodies, as it is kept between two rounds.
struct body_books {
  log_seq counted_upto = 0; ///< Bodies up to here are in `bytes`.
  std::int64_t bytes = 0;
  log_seq emptied_upto = 0; ///< No row up to here has a body, of any kind.
};

caf::expected<body_books> load(database& db) {
  auto found = db.run("SELECT text FROM setting WHERE name = $1", {setting_name});
  if (!found)
    return std::move(found.error());
  auto books = body_books{};
  if (found->rows.empty())
    return books;
  const auto& text = found->rows[0][0].text();
  const auto* next = text.data();
  const auto* const end = next + text.size();
  for (auto* number : {&books.counted_upto, &books.bytes, &books.emptied_upto}) {
    const auto [stop, problem] = std::from_chars(next, end, *number);
    if (problem != std::errc{})
      return make_error(errc::storage_broken, "setting log.bodies: damaged");
    next = stop == end ? end : stop + 1;
  }
  return books;
}

caf::error save(database& db, const body_books& books) {
  const auto text = std::to_string(books.counted_upto) + " " + std::to_string(books.bytes) + " " +
                    std::to_string(books.emptied_upto);
  auto done = db.run("INSERT INTO setting(name, text) VALUES ($1, $2)"
                     " ON CONFLICT (name) DO UPDATE SET text = excluded.text",
                     {setting_name, text});
  return done ? caf::error{} : std::move(done.error());
}

caf::expected<std::int64_t> count_new(database& db, std::size_t limit, body_books& books) {
  auto found = db.run("SELECT count(*), max(s.seq), CAST(coalesce(sum(s.bytes), 0) AS BIGINT) FROM"
                      " (SELECT seq, coalesce(length(body), 0) AS bytes FROM log WHERE seq > $1"
                      " ORDER BY seq LIMIT $2) s",
                      {books.counted_upto, static_cast<std::int64_t>(limit)});
  if (!found)
    return std::move(found.error());
  const auto& row = found->rows[0];
  if (!row[1].is_null())
    books.counted_upto = row[1].integer();
  books.bytes += row[2].integer();
  return row[0].integer();
}

/// Which bodies go: of the rows after `after` for which `condition` holds, oldest first, those from
/// before `before`, and more until there is room.
struct body_choice {
  std::string_view condition;
  log_seq after = 0;
  std::optional<time_point> before;
};

caf::expected<std::int64_t> empty_bodies(database& db, const body_choice& choice,
                                         const log_retention& wish, body_books& books) {
  auto oldest = db.run("SELECT seq, at, length(body) FROM log WHERE seq > $1 AND " +
                           std::string{choice.condition} + " ORDER BY seq LIMIT $2",
                       {choice.after, static_cast<std::int64_t>(wish.rows_max)});
  if (!oldest)
    return std::move(oldest.error());
  auto last = log_seq{0};
  for (const auto& row : oldest->rows) {
    const auto is_old = choice.before && row[1].time() < *choice.before;
    if (!is_old && books.bytes <= wish.bytes_max)
      break;
    last = row[0].integer();
    if (last <= books.counted_upto)
      books.bytes -= row[2].integer();
  }
  if (last == 0)
    return 0;
  auto emptied = db.run("UPDATE log SET body = NULL WHERE seq > $1 AND seq <= $2 AND " +
                            std::string{choice.condition},
                        {choice.after, last});
  if (!emptied)
    return std::move(emptied.error());
  return emptied->rows_written;
}

caf::expected<std::int64_t> empty_bodies(database& db, const log_retention& wish,
                                         body_books& books) {
  const auto emptied = empty_bodies(
      db, {.condition = rendered, .after = 0, .before = wish.bodies_before}, wish, books);
  if (!emptied || books.bytes <= wish.bytes_max || *emptied > 0)
    return emptied;
  // There is no room for those that cannot be rendered again either.
  const auto rest =
      empty_bodies(db, {.condition = "body IS NOT NULL", .after = books.emptied_upto, .before = {}},
                   wish, books);
  if (!rest || *rest == 0)
    return rest;
  auto first =
      db.run("SELECT min(seq) FROM log WHERE seq > $1 AND body IS NOT NULL", {books.emptied_upto});
  if (!first)
    return std::move(first.error());
  if (!first->rows[0][0].is_null())
    books.emptied_upto = first->rows[0][0].integer() - 1;
  return rest;
}

/// Removes what hangs on rows up to `last`, and the rows.
caf::expected<std::int64_t> remove_upto(database& db, log_seq last, body_books& books) {
  auto bytes = db.run("SELECT CAST(coalesce(sum(length(body)), 0) AS BIGINT) FROM log"
                      " WHERE seq <= $1 AND seq <= $2",
                      {last, books.counted_upto});
  if (!bytes)
    return std::move(bytes.error());
  books.bytes -= bytes->rows[0][0].integer();
  for (const auto sql : {"DELETE FROM log_extra WHERE seq <= $1",
                         "DELETE FROM delivery_exception WHERE seq <= $1 AND status = 2"})
    if (auto done = db.run(sql, {last}); !done)
      return std::move(done.error());
  auto removed = db.run("DELETE FROM log WHERE seq <= $1", {last});
  if (!removed)
    return std::move(removed.error());
  return removed->rows_written;
}

caf::expected<std::int64_t> remove_rows(database& db, const log_retention& wish,
                                        body_books& books) {
  // `at` rises with `seq` but for steps of the clock: the oldest rows are the lowest numbers.
  auto last = db.run("SELECT max(seq) FROM (SELECT seq, at FROM log"
                     " WHERE seq < (SELECT max(seq) FROM log) ORDER BY seq LIMIT $2) AS oldest"
                     " WHERE at < $1",
                     {wish.rows_before, static_cast<std::int64_t>(wish.rows_max)});
  if (!last)
    return std::move(last.error());
  if (last->rows[0][0].is_null())
    return 0;
  return remove_upto(db, last->rows[0][0].integer(), books);
}

} // namespace

caf::expected<log_purge> purge_log(database& db, const log_retention& wish) {
  auto books = load(db);
  if (!books)
    return std::move(books.error());
  const auto counted = count_new(db, wish.rows_max, *books);
  if (!counted)
    return counted.error();
  const auto removed = remove_rows(db, wish, *books);
  if (!removed)
    return removed.error();
  const auto emptied = empty_bodies(db, wish, *books);
  if (!emptied)
    return emptied.error();
  if (*counted > 0 || *removed > 0 || *emptied > 0)
    if (auto failure = save(db, *books))
      return failure;
  return log_purge{
      .rows = *removed, .bodies = *emptied, .counted = *counted, .bytes = books->bytes};
}

} // namespace trunkline
