/// Webhooks: how far each receiver has taken the events, and the outbox of events that are not in
/// the log.
#pragma once

#include "storage/database.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Everything up to here was taken.
struct webhook_marks {
  log_seq mark = 0;
  std::optional<std::int64_t> told; ///< Of the outbox; nothing: none of it is wanted.

  friend bool operator==(const webhook_marks&, const webhook_marks&) = default;
};

struct webhook_entry {
  std::string name;
  bool wants_outbox = false;
};

/// Enters a webhook as present and returns its marks: those that it left, or the present ends of
/// the log and the outbox for one that is new. Call it in a transaction.
caf::expected<webhook_marks> enter_webhook(database& db, const webhook_entry& entry,
                                           time_point now);

/// Marks all webhooks but `present` as gone: the outbox waits for them no longer. Their marks stay.
caf::error leave_webhooks(database& db, std::span<const std::string> present);

/// Moves the marks of a webhook on; neither moves back.
caf::error save_webhook_marks(database& db, const std::string& name, const webhook_marks& marks,
                              time_point now);

/// Returns how many rows of the log after `mark` were purged.
caf::expected<std::int64_t> log_rows_lost(database& db, log_seq mark);

/// An event of the outbox, as it is sent.
struct outbox_row {
  std::int64_t id = 0; ///< Given by `add_to_outbox`.
  std::string message; ///< Its id for the receiver; an event has one row, whoever adds it again.
  std::int64_t kind = 0;
  time_point at;
  std::string body;

  friend bool operator==(const outbox_row&, const outbox_row&) = default;
};

/// Rows of the outbox; past it the oldest go, taken or not.
inline constexpr std::int64_t outbox_rows_max = 1'000'000;

/// Appends those of `rows` whose `message` is not there yet, and removes the oldest past
/// `rows_max`. Returns the last id. Call it in a transaction.
caf::expected<std::int64_t> add_to_outbox(database& db, std::span<const outbox_row> rows,
                                          std::int64_t rows_max = outbox_rows_max);

struct outbox_page {
  std::vector<outbox_row> rows; ///< In order.
  std::int64_t upto = 0;        ///< Everything up to here was looked at.
  std::int64_t lost = 0;        ///< Rows in between that are gone.
};

/// Returns at most `limit` rows after `after`.
caf::expected<outbox_page> read_outbox(database& db, std::int64_t after, std::size_t limit);

/// Removes rows that every present webhook has taken, or that are older than `before`, of the
/// oldest `limit`. Returns how many.
caf::expected<std::int64_t> purge_outbox(database& db, time_point before, std::size_t limit);

} // namespace trunkline
