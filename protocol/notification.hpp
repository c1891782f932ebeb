/// What an account is told: codes and rows of notifications.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace trunkline {

/// The column `notification.kind`; the words of Mastodon's API.
enum class notification_kind : std::uint8_t {
  mention = 1,
  reblog = 2,
  favourite = 3,
  follow = 4,
  follow_request = 5,
  poll = 6,   ///< A poll of mine, or one I voted in, has ended.
  update = 7, ///< A post that I boosted was edited.
};

/// Returns Mastodon's word: "follow_request".
std::string_view to_string(notification_kind kind);

std::optional<notification_kind> parse_notification_kind(std::string_view word);

struct notification {
  std::int64_t id = 0;
  account_id owner;
  notification_kind kind = notification_kind::mention;
  account_id from;
  post_id post; ///< 0 where it is about no post.
  time_point at;
};

} // namespace trunkline
