/// The domains that the whole server blocks, in memory: what is owed to one is cancelled, not sent.
///
/// The log says when storage must be read again; the dispatcher does so within a second. Every
/// member may be called by any thread.
#pragma once

#include "actors/log_cache.hpp"
#include "storage/database.hpp"

#include <caf/expected.hpp>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace trunkline {

class blocked_domains final : public log_cache {
public:
  using names = std::set<std::string, std::less<>>;

  /// Tells whether `host` (a name without port), or a domain above it, is blocked as `suspend`.
  bool contains(std::string_view host) const;

  void apply(const log_entry& row) override;

  /// Tells, once, whether storage must be read; at first it must.
  bool take_stale() { return is_stale_.exchange(false); }
  void mark_stale() { is_stale_ = true; }

  void replace(names all);

private:
  std::atomic<bool> is_stale_ = true;
  mutable std::mutex guard_; ///< Of `all_`.
  names all_;
};

/// Reads the domains that the server suspends.
caf::expected<blocked_domains::names> read_blocked_domains(database& db);

} // namespace trunkline
