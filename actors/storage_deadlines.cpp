#include "actors/storage_deadlines.hpp"

#include <caf/actor_cast.hpp>
#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/sec.hpp>

#include <utility>
#include <vector>

namespace trunkline {

namespace {

void tell(const storage_deadlines::entry& late) {
  if (const auto asker = caf::actor_cast<caf::strong_actor_ptr>(late.asker))
    asker->enqueue(nullptr, late.response,
                   caf::make_message(caf::make_error(caf::sec::request_timeout)), nullptr);
}

} // namespace

void storage_deadlines::add(entry request, clock_point now) {
  auto late = std::vector<entry>{};
  {
    const auto lock = std::lock_guard{mutex_};
    while (!waiting_.empty() &&
           (waiting_.front().answer.expired() || waiting_.front().due <= now)) {
      if (!waiting_.front().answer.expired())
        late.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    waiting_.push_back(std::move(request));
  }
  for (const auto& one : late)
    tell(one);
}

} // namespace trunkline
