#include "trunkline/web.hpp"

#include <atomic>
#include <utility>

namespace trunkline {

struct v0::web_reply::state {
  explicit state(sink to) : deliver{std::move(to)} {}
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() { answer({.status = 500, .body = R"({"error":"Internal server error"})"}); }

  void answer(web_response response) {
    if (answered.exchange(true) || !deliver)
      return;
    std::exchange(deliver, nullptr)(std::move(response));
  }

  sink deliver;
  std::atomic<bool> answered = false;
};

v0::web_reply::web_reply(sink deliver) : state_{std::make_shared<state>(std::move(deliver))} {}

void v0::web_reply::operator()(web_response answer) const {
  if (state_)
    state_->answer(std::move(answer));
}

} // namespace trunkline
