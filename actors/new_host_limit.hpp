/// How many hosts that nobody here knows may be looked at, by who owns their names: whoever owns a
/// domain can make up any number of names below it.
///
/// Belongs to one actor; not thread-safe. Of at most `domains_max` domains something is kept.
#pragma once

#include "actors/recent_map.hpp"
#include "protocol/registrable_domain.hpp"

#include <caf/actor_clock.hpp>

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

namespace trunkline {

class new_host_limit {
public:
  using clock_point = caf::actor_clock::time_point;
  static constexpr std::size_t domains_max = 8'192;

  /// Admits `hosts_max` names of a domain in each `window`.
  new_host_limit(std::size_t hosts_max, std::chrono::nanoseconds window)
      : hosts_max_{hosts_max}, window_{window} {}

  /// Tells whether the host may be looked at: it has been already, or there is room for it.
  bool admits(const std::string& host_name, clock_point now) {
    const auto domain = registrable_domain(host_name);
    const auto* known = seen_.find(domain);
    auto names = known && now < known->end ? *known : names_of{.end = now + window_, .names = {}};
    if (names.names.contains(host_name))
      return true;
    if (names.names.size() >= hosts_max_)
      return false;
    names.names.insert(host_name);
    seen_.put(domain, std::move(names));
    return true;
  }

private:
  struct names_of {
    clock_point end;
    std::set<std::string> names;
  };

  std::size_t hosts_max_;
  std::chrono::nanoseconds window_;
  recent_map<std::string, names_of> seen_{domains_max};
};

} // namespace trunkline
