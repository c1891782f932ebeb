/// The part of a local account that its owner changes: profile, keys, and where it has moved.
///
/// Each function belongs in the transaction of its change.
#pragma once

#include "protocol/codes.hpp"
#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct own_profile {
  std::string display_name;
  std::string note; ///< As written.
  bool locked = false;
  bool bot = false;
  bool discoverable = false;
  std::string fields_json; ///< `[{"name":..,"value":..}, ..]`
  visibility default_visibility = visibility::everyone;
  bool default_sensitive = false;
  std::string default_language;
  std::vector<std::string> aliases; ///< Ids of actors.
  friend bool operator==(const own_profile&, const own_profile&) = default;
};

/// Fails with `not_found` when there is no such account of ours.
caf::expected<own_profile> find_profile(database& db, account_id id);
caf::error store_profile(database& db, account_id id, const own_profile& profile);

/// How long the key that was replaced is kept, to sign what says so.
inline constexpr auto retired_key_kept = std::chrono::hours{24};

/// A key pair as it is stored.
struct key_pair_row {
  std::string public_pem;
  std::string sealed_private; ///< Encrypted.
};

/// Puts a key pair in the place of the account's, which is kept for `retired_key_kept`. Returns
/// false when it has this key already.
caf::expected<bool> replace_key(database& db, account_id id, const key_pair_row& key,
                                time_point now);

/// Removes at most `limit` keys whose time is over. Returns how many.
caf::expected<std::int64_t> purge_retired_keys(database& db, time_point now, std::size_t limit);

/// Where an account has moved, and what is said of that.
struct move_facts {
  account_id moved_to; ///< 0: nowhere.
  std::optional<time_point> moved_at;
  std::vector<std::string> aliases;
};

/// Returns the facts of any account; fails with `not_found`.
caf::expected<move_facts> find_move(database& db, account_id id);
caf::error store_move(database& db, account_id id, account_id target, time_point now);

} // namespace trunkline
