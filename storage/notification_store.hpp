/// Notifications: made in the transaction of what they report, read by their owner.
#pragma once

#include "protocol/notification.hpp"
#include "storage/database.hpp"

#include <vector>

namespace trunkline {

/// Adds `row`, whose owner is one of ours and not its `from`. Nothing is added when the owner
/// blocks or mutes `from` (with notifications), blocks the domain of `from`, or was told already:
/// one per owner, kind, from and post. Returns whether a row was added.
caf::expected<bool> add_notification(database& db, const notification& row);

/// Forgets what was told: an unfavourite, an unfollow, a withdrawn request. Returns how many rows.
caf::expected<std::int64_t> remove_notification(database& db, const notification& row);

/// Forgets everything about a post that is deleted.
caf::error remove_notifications_about(database& db, post_id post);

} // namespace trunkline
