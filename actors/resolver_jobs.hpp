/// What the resolver has under way: answers that several wait for, and what one request may cost.
///
/// Belongs to one actor; not thread-safe.
#pragma once

#include <caf/actor_clock.hpp>
#include <caf/expected.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {

/// Those who wait for one answer each; by what was asked.
template <class T>
class joined_answers {
public:
  using waiter = std::function<void(const caf::expected<T>&)>;

  /// Adds one who waits. Returns whether it is the first one: then the caller must find the answer
  /// and call `end`.
  bool join(const std::string& key, waiter then) {
    auto& waiters = waiting_[key];
    waiters.push_back(std::move(then));
    return waiters.size() == 1;
  }

  /// Answers all who wait for `key`.
  void end(const std::string& key, const caf::expected<T>& answer) {
    auto ended = waiting_.extract(key);
    if (ended.empty())
      return;
    for (auto& then : ended.mapped())
      then(answer);
  }

private:
  std::map<std::string, std::vector<waiter>> waiting_;
};

/// Room for requests that fetch: so many in all, so many that begin at one host. A copy shares it.
class fetch_places {
public:
  fetch_places() = default;
  fetch_places(std::size_t all_max, std::size_t host_max)
      : counts_{std::make_shared<counts>(counts{all_max, host_max, 0, {}})} {}

  /// Returns a place, which is free again when it goes; null when there is none.
  std::shared_ptr<const void> take(const std::string& host) {
    const auto known = counts_->by_host.find(host);
    const auto taken = known == counts_->by_host.end() ? 0 : known->second;
    if (taken >= counts_->host_max || counts_->all >= counts_->all_max)
      return nullptr;
    counts_->by_host[host] = taken + 1;
    ++counts_->all;
    return {counts_.get(), [counts = counts_, host](const void*) { counts->release(host); }};
  }

private:
  struct counts {
    std::size_t all_max = 0;
    std::size_t host_max = 0;
    std::size_t all = 0;
    std::map<std::string, std::size_t> by_host; ///< Those above 0.

    void release(const std::string& host) {
      --all;
      if (const auto found = by_host.find(host); found != by_host.end() && --found->second == 0)
        by_host.erase(found);
    }
  };

  std::shared_ptr<counts> counts_;
};

/// What one request may still cost, everything that it leads to included.
struct errand {
  caf::actor_clock::time_point due; ///< Nothing is fetched after it.
  int fetches_left = 0;
  std::shared_ptr<const void> place; ///< Null until the first fetch.
  std::set<std::string> allowed;     ///< Names of hosts that are not blocked.
};

using errand_ptr = std::shared_ptr<errand>;

} // namespace trunkline
