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

std::string shared_glance::get(time_point now, const std::function<std::string()>& make) {
  const auto lock = std::scoped_lock{mutex_};
  if (text_ && now >= made_at_ && now - made_at_ < age_max)
    return *text_;
  text_ = make();
  made_at_ = now;
  return *text_;
}

void shared_glance::forget() {
  const auto lock = std::scoped_lock{mutex_};
  text_.reset();
}

} // namespace trunkline
