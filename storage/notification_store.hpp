/// Notifications: made in the transaction of what they report, read by their owner.
#pragma once

#include "protocol/notification.hpp"
#include "storage/database.hpp"

#include <vector>

namespace trunkline {

/// Adds `row`, whose owner is one of ours and not its `from`. Nothing is added when the owner
/// blocks or mutes `from` (with notifications), blocks the domain of `from`, or was told already:
/// one per owner, kind, from and post. Of an update the newest takes the place of the one before.
/// Returns whether a row was added.
caf::expected<bool> add_notification(database& db, const notification& row);

/// Forgets what was told: an unfavourite, an unfollow, a withdrawn request. Returns how many rows.
caf::expected<std::int64_t> remove_notification(database& db, const notification& row);

/// Forgets everything about a post that is deleted.
caf::error remove_notifications_about(database& db, post_id post);

/// Forgets everything that `owner` was told of `from`, who is blocked.
caf::error remove_notifications_from(database& db, account_id owner, account_id from);

/// Which notifications are wanted. Ids of 0 set no bound, empty lists exclude nothing.
struct notification_page {
  account_id owner;
  std::int64_t max_id = 0;   ///< Older than this.
  std::int64_t since_id = 0; ///< Newer than this; the newest of those.
  std::int64_t min_id = 0;   ///< Newer than this; those right after it.
  std::int64_t limit = 40;
  account_id from;                       ///< Of this account alone; 0 for any.
  std::vector<notification_kind> kinds;  ///< Only these.
  std::vector<notification_kind> hidden; ///< None of these.
};

/// Returns one page, newest first.
caf::expected<std::vector<notification>> list_notifications(database& db,
                                                            const notification_page& page);

/// Fails with `not_found`, also when it is somebody else's.
caf::expected<notification> find_notification(database& db, account_id owner, std::int64_t id);

/// Forgets one, or all of `owner`; doing it again is no failure.
caf::error dismiss_notification(database& db, account_id owner, std::int64_t id);
caf::error clear_notifications(database& db, account_id owner);

/// Counts what is newer than `after`, up to `limit`.
caf::expected<std::int64_t> count_notifications(database& db, account_id owner, std::int64_t after,
                                                std::int64_t limit);

} // namespace trunkline
