/// A bounded map that forgets what was not looked at lately.
///
/// It holds two halves. What is found in the older one moves to the younger; when the younger is
/// full it becomes the older, and what was in the older is forgotten. So nothing is sorted, and
/// what is used stays. Not thread-safe.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

namespace trunkline {

template <class Key, class Value, class Hash = std::hash<Key>>
class recent_map {
public:
  /// Holds at most `size_max` values, and surely the `size_max / 2` used last.
  explicit recent_map(std::size_t size_max) : half_{size_max / 2 ? size_max / 2 : 1} {}

  /// Returns the value, or null; valid until the next call.
  const Value* find(const Key& key) {
    if (const auto found = young_.find(key); found != young_.end())
      return &found->second;
    const auto found = old_.find(key);
    if (found == old_.end())
      return nullptr;
    auto value = std::move(found->second);
    old_.erase(found);
    return &put(key, std::move(value));
  }

  /// Puts the value in place of an earlier one; returns it.
  const Value& put(const Key& key, Value value) {
    old_.erase(key);
    if (young_.size() >= half_ && !young_.contains(key)) {
      old_ = std::move(young_);
      young_.clear();
    }
    return young_.insert_or_assign(key, std::move(value)).first->second;
  }

  void erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

  /// Erases all values for which `unwanted(value)` holds; looks at every one.
  template <class Predicate>
  void erase_if(Predicate unwanted) {
    const auto is_unwanted = [&](const auto& held) { return unwanted(held.second); };
    std::erase_if(young_, is_unwanted);
    std::erase_if(old_, is_unwanted);
  }

  void clear() {
    young_.clear();
    old_.clear();
  }

  std::size_t size() const { return young_.size() + old_.size(); }

private:
  std::size_t half_;
  std::unordered_map<Key, Value, Hash> young_;
  std::unordered_map<Key, Value, Hash> old_;
};

} // namespace trunkline
