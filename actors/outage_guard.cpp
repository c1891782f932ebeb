#include "actors/outage_guard.hpp"

#include <utility>

namespace trunkline {

outage_guard::outage_guard(outage_limits limits, std::function<clock_point()> now,
                           node_lease_ptr lease)
    : limits_{limits}, now_{std::move(now)}, lease_{std::move(lease)}, answered_at_{now_()} {}

void outage_guard::note_success() {
  answered_at_ = now_();
  if (!failing_)
    return;
  const auto lock = std::lock_guard{mutex_};
  hosts_.clear();
  domains_.clear();
  failing_ = false;
  enough_ = false;
}

void outage_guard::note_failure(const host_address& host, const std::string& domain,
                                bool was_good_lately) {
  if (!was_good_lately || enough_)
    return;
  const auto lock = std::lock_guard{mutex_};
  failing_ = true;
  if (hosts_.size() < limits_.hosts_least)
    hosts_.insert(to_key(host));
  if (domains_.size() < limits_.domains_least)
    domains_.insert(domain);
  enough_ = hosts_.size() >= limits_.hosts_least && domains_.size() >= limits_.domains_least;
}

bool outage_guard::is_out() const {
  return !may_act(lease_) || (enough_ && now_() - answered_at_.load() >= limits_.silence);
}

} // namespace trunkline
