#include "actors/log_news.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace trunkline {

namespace {

/// Past it a node is told the next thing.
constexpr auto answer_limit = std::chrono::seconds{3};

} // namespace

struct log_news::state {
  struct told {
    log_seq upto = 0;
    bool is_under_way = false;
  };

  wires by;
  std::mutex mutex; ///< Guards what follows.
  log_seq newest = 0;
  std::map<std::string, told> nodes;
};

log_news::log_news(wires given) : state_{std::make_shared<state>()} {
  state_->by = std::move(given);
}

void log_news::tell(log_seq upto) {
  {
    const auto held = std::scoped_lock{state_->mutex};
    state_->newest = std::max(state_->newest, upto);
  }
  for (const auto& node : state_->by.others())
    tell(state_, node);
}

void log_news::tell(const std::shared_ptr<state>& shared, const std::string& node) {
  auto upto = log_seq{0};
  {
    const auto held = std::scoped_lock{shared->mutex};
    auto& known = shared->nodes[node];
    if (known.is_under_way || known.upto >= shared->newest)
      return;
    known.is_under_way = true;
    known.upto = upto = shared->newest;
  }
  const auto answered = [shared, node](const caf::expected<std::string>& given) {
    {
      const auto held = std::scoped_lock{shared->mutex};
      shared->nodes[node].is_under_way = false;
    }
    if (given) // else it polls
      tell(shared, node);
  };
  shared->by.ask(node, {.topic = link_topic::log_news,
                        .body = encode_seq(upto),
                        .limit = answer_limit,
                        .reply = peer_reply{answered}});
}

} // namespace trunkline
