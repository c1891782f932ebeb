/// Keys of our accounts and of the server itself, read and ready to sign, in memory. Every member
/// may be called by any thread.
///
/// It answers only while the node is up to date with the log (`log_position::is_current`), so that
/// a key that was replaced signs nothing after the answer to its replacement, or a second later on
/// another node. Otherwise ask storage; `last` then spares reading the same key again.
#pragma once

#include "actors/log_cache.hpp"
#include "actors/log_position.hpp"
#include "actors/recent_map.hpp"
#include "protocol/signing_key.hpp"
#include "protocol/time.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace trunkline {

/// The keys of one account of ours.
struct own_key {
  std::string key_id;
  std::string public_pem;
  private_key current;
  std::optional<private_key> previous; ///< The one that was replaced.
  time_point previous_until;           ///< Until when that one signs.

  /// Returns the key to sign with at `now`; the previous one while there is one that may.
  const private_key& key_at(time_point now, bool with_previous) const {
    return with_previous && previous && now < previous_until ? *previous : current;
  }
};

using own_key_ptr = std::shared_ptr<const own_key>;

struct key_cache_options {
  std::size_t keys_max = 10'000; ///< About 6 KB each.
};

class key_cache final : public log_cache {
public:
  explicit key_cache(std::shared_ptr<const log_position> position, key_cache_options options = {})
      : position_{std::move(position)}, keys_{options.keys_max} {}

  /// Returns the key of `owner` if it is known and may be trusted at `now`, or null.
  own_key_ptr find(account_id owner, log_position::steady_time now);

  /// Returns the key of `owner` that was kept last, which may have been replaced, or null.
  own_key_ptr last(account_id owner);

  /// Returns what `keep` wants to know: which replacements came before.
  std::uint64_t version() const { return position_->is_followed() ? version_.load() : no_version; }

  /// Keeps what storage said. Does nothing when a row of the log replaced any key since `version`,
  /// which was read before storage was asked; nor when that was before the log was followed.
  void keep(account_id owner, own_key_ptr key, std::uint64_t version);

  void apply(const log_entry& row) override;

  std::size_t size() const;

private:
  static constexpr std::uint64_t no_version = 0; ///< Of a read whose answer may not be kept.

  std::shared_ptr<const log_position> position_;
  std::atomic<std::uint64_t> version_ = 1;
  mutable std::mutex guard_; ///< Of `keys_`.
  recent_map<account_id, own_key_ptr> keys_;
};

} // namespace trunkline
