#include "actors/key_cache.hpp"

#include <utility>

namespace trunkline {

own_key_ptr key_cache::find(account_id owner, log_position::steady_time now) {
  return position_->is_current(now) ? last(owner) : nullptr;
}

own_key_ptr key_cache::last(account_id owner) {
  const auto held = std::lock_guard{guard_};
  const auto* found = keys_.find(owner);
  return found ? *found : nullptr;
}

void key_cache::keep(account_id owner, own_key_ptr key, std::uint64_t version) {
  const auto held = std::lock_guard{guard_};
  if (version != no_version && version == version_)
    keys_.put(owner, std::move(key));
}

void key_cache::apply(const log_entry& row) {
  if (row.kind != log_kind::rotate_key)
    return;
  const auto held = std::lock_guard{guard_};
  ++version_;
  keys_.erase(row.author);
}

std::size_t key_cache::size() const {
  const auto held = std::lock_guard{guard_};
  return keys_.size();
}

} // namespace trunkline
