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

struct shared_glance::making {
  time_point began_at;
  std::vector<taker> takers; ///< Guarded by the mutex of the glance.
};

void shared_glance::get(time_point now, taker take, const std::function<void(taker)>& make) {
  auto lock = std::unique_lock{mutex_};
  if (text_ && now >= made_at_ && now - made_at_ < age_max) {
    const auto text = *text_;
    lock.unlock();
    return take(text);
  }
  if (const auto under_way = making_.lock()) {
    under_way->takers.push_back(std::move(take));
    return;
  }
  const auto begun = std::make_shared<making>();
  begun->began_at = now;
  begun->takers.push_back(std::move(take));
  making_ = begun;
  lock.unlock();
  make([this, begun](const std::string& text) { finish(begun, text); });
}

/// What was begun before something changed is for those alone who looked before.
void shared_glance::finish(const std::shared_ptr<making>& made, const std::string& text) {
  auto takers = std::vector<taker>{};
  {
    const auto lock = std::scoped_lock{mutex_};
    takers.swap(made->takers);
    if (making_.lock() == made) {
      text_ = text;
      made_at_ = made->began_at;
      making_.reset();
    }
  }
  for (const auto& take : takers)
    take(text);
}

void shared_glance::forget() {
  const auto lock = std::scoped_lock{mutex_};
  text_.reset();
  making_.reset();
}

} // namespace trunkline
