/// INTERNAL to net: what is remembered of names, the least recently used forgotten first.
///
/// Belongs to one thread.
#pragma once

#include "net/name_resolver.hpp"

#include <chrono>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace trunkline {

class known_names {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit known_names(std::size_t names_max) : names_max_{names_max} {}

  /// Returns what is known at `now`, or null.
  const name_answer* find(std::string_view name, time_point now) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end())
      return nullptr;
    if (found->second->until <= now) {
      forget(found->second);
      return nullptr;
    }
    names_.splice(names_.begin(), names_, found->second);
    return &found->second->answer;
  }

  void keep(const std::string& name, name_answer answer, time_point until) {
    if (const auto found = by_name_.find(name); found != by_name_.end())
      forget(found->second);
    names_.push_front({name, std::move(answer), until});
    by_name_.emplace(names_.front().name, names_.begin());
    if (names_.size() > names_max_)
      forget(std::prev(names_.end()));
  }

  std::size_t size() const { return names_.size(); }

private:
  struct known_name {
    std::string name;
    name_answer answer;
    time_point until;
  };
  using name_list = std::list<known_name>;

  void forget(name_list::iterator known) {
    by_name_.erase(known->name);
    names_.erase(known);
  }

  std::size_t names_max_;
  name_list names_; ///< The last used first.
  std::unordered_map<std::string_view, name_list::iterator> by_name_;
};

} // namespace trunkline
