#include "api/admin_services.hpp"

namespace trunkline {

void report_cache::keep(const std::string& actor, const json_object& report) {
  const auto lock = std::scoped_lock{mutex_};
  const auto number = ++count_;
  auto& kept = reports_[actor];
  order_.erase(kept.first);
  kept = {number, report};
  order_.emplace(number, actor);
  if (reports_.size() <= reports_max)
    return;
  reports_.erase(order_.begin()->second);
  order_.erase(order_.begin());
}

std::optional<json_object> report_cache::find(const std::string& actor) const {
  const auto lock = std::scoped_lock{mutex_};
  const auto found = reports_.find(actor);
  return found == reports_.end() ? std::nullopt : std::optional{found->second.second};
}

} // namespace trunkline
