#include "actors/token_cache.hpp"

#include <utility>

namespace trunkline {

namespace {

bool revokes(log_kind kind) {
  return kind == log_kind::revoke_token || kind == log_kind::disable_account ||
         kind == log_kind::remove_actor;
}

} // namespace

std::optional<token_owner> token_cache::find(const std::string& hash,
                                             log_position::steady_time now) {
  auto owner = std::optional<token_owner>{};
  if (position_->is_current(now)) {
    const auto held = std::lock_guard{guard_};
    if (const auto* found = owners_.find(hash))
      owner = *found;
  }
  ++(owner ? hits_ : misses_);
  return owner;
}

void token_cache::keep(const std::string& hash, token_owner owner, std::uint64_t version) {
  const auto held = std::lock_guard{guard_};
  if (version != no_version && version == version_)
    owners_.put(hash, std::move(owner));
}

void token_cache::apply(const log_entry& row) {
  if (!revokes(row.kind))
    return;
  const auto account = account_id{row.object.target};
  const auto held = std::lock_guard{guard_};
  ++version_;
  owners_.erase_if([account](const token_owner& owner) { return owner.account == account; });
}

std::size_t token_cache::size() const {
  const auto held = std::lock_guard{guard_};
  return owners_.size();
}

} // namespace trunkline
