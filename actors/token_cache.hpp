/// Whose token it is, by the token's hash, in memory. Every member may be called by any thread.
///
/// It answers only while the node is up to date with the log (`log_position::is_current`): a token
/// that was revoked with an answer on this node is refused from that answer on, one revoked on
/// another node within a second. Otherwise, and for what it does not know, ask storage:
///
///     if (const auto owner = cache.find(hash, now)) ...
///     const auto version = cache.version();       // before storage is asked
///     ... ask storage ...
///     cache.keep(hash, owner, version);
#pragma once

#include "actors/log_cache.hpp"
#include "actors/log_position.hpp"
#include "actors/recent_map.hpp"
#include "protocol/access.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace trunkline {

struct token_cache_options {
  std::size_t tokens_max = 100'000; ///< About 250 bytes each.
};

class token_cache final : public log_cache {
public:
  explicit token_cache(std::shared_ptr<const log_position> position,
                       token_cache_options options = {})
      : position_{std::move(position)}, owners_{options.tokens_max} {}

  /// Returns whose token has `hash` (SHA-256), if that is known and may be trusted at `now`.
  std::optional<token_owner> find(const std::string& hash, log_position::steady_time now);

  /// Returns what `keep` wants to know: which revocations came before.
  std::uint64_t version() const { return position_->is_followed() ? version_.load() : no_version; }

  /// Keeps what storage said. Does nothing when a row of the log revoked any token since
  /// `version`, which was read before storage was asked: the answer may be older than the row;
  /// nor when that was before the log was followed.
  void keep(const std::string& hash, token_owner owner, std::uint64_t version);

  void apply(const log_entry& row) override;

  std::int64_t hits() const { return hits_; }
  std::int64_t misses() const { return misses_; }
  std::size_t size() const;

private:
  std::shared_ptr<const log_position> position_;
  static constexpr std::uint64_t no_version = 0; ///< Of a read whose answer may not be kept.
  std::atomic<std::uint64_t> version_ = 1;
  std::atomic<std::int64_t> hits_ = 0;
  std::atomic<std::int64_t> misses_ = 0;
  mutable std::mutex guard_; ///< Of `owners_`.
  recent_map<std::string, token_owner> owners_;
};

} // namespace trunkline
