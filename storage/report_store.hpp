/// Reports of accounts: made by ours, or come in as Flags; read by whoever runs the server.
#pragma once

#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

inline constexpr std::size_t report_posts_max = 100;

struct report {
  std::int64_t id = 0;
  account_id reporter; ///< One of ours, or the actor of another server that sent a Flag.
  account_id target;
  std::vector<post_id> posts;     ///< At most `report_posts_max`.
  std::string category = "other"; ///< "spam", "legal", "violation" or "other".
  std::string comment;
  bool forwarded = false;         ///< Sent to the server of `target`.
  std::optional<std::string> uri; ///< The id of the Flag that came in.
  time_point at;
  std::optional<time_point> resolved_at;
};

/// Adds a report. Returns whether it did: false when a Flag with this `uri` came before.
caf::expected<bool> insert_report(database& db, const report& row);

/// Fails with `not_found`.
caf::expected<report> find_report(database& db, std::int64_t id);

/// Returns reports older than `max_id` (0: all), newest first; those that are open, or the others.
caf::expected<std::vector<report>> list_reports(database& db, bool open, std::int64_t max_id,
                                                std::int64_t limit);

/// Marks a report as dealt with, or as open again. Returns whether that changed it.
caf::expected<bool> resolve_report(database& db, std::int64_t id,
                                   std::optional<time_point> resolved_at);

} // namespace trunkline
