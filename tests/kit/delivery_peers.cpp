#include "kit/delivery_peers.hpp"

#include <algorithm>
#include <utility>

namespace trunkline::kit {

namespace {

using namespace std::chrono_literals;

std::string host_in(const std::string& url) {
  const auto begin = url.find("://") + 3;
  return url.substr(begin, url.find('/', begin) - begin);
}

exchange_outcome outcome_of(const peer_answer& answer) {
  auto outcome = exchange_outcome{};
  outcome.timing.total = answer.after;
  if (answer.failure)
    outcome.result = *answer.failure;
  else
    outcome.result =
        incoming_response{.status = answer.status, .headers = answer.headers, .body = "answer"};
  return outcome;
}

} // namespace

peer_answer no_connection() {
  return {.failure =
              exchange_failure{.phase = exchange_phase::connect, .reason = "connection refused"},
          .after = 5ms};
}

peer_answer no_answer() {
  return {.failure = exchange_failure{.phase = exchange_phase::first_byte,
                                      .timed_out = true,
                                      .reason = "no answer"},
          .after = 10s};
}

void delivery_peers::set_status(const std::string& host, int status, http_headers headers) {
  set_rule(host, [status, headers](const outgoing_request&) {
    return peer_answer{.status = status, .headers = headers};
  });
}

void delivery_peers::send(outgoing_request request, exchange_handler done) {
  auto sent = sent_request{.number = ++sent_,
                           .host = host_in(request.url),
                           .request = std::move(request),
                           .at = clock_()};
  const auto rule = rules_.find(sent.host);
  auto answer = rule == rules_.end() ? peer_answer{} : rule->second(sent.request);
  if (listener_)
    listener_->sent(sent, answer);
  if (keeps_)
    requests_.push_back(sent);
  const auto due = sent.at + answer.after;
  wake_after_(answer.after);
  pending_.emplace(due, pending{std::move(sent), std::move(answer), std::move(done)});
  most_in_flight_ = std::max(most_in_flight_, pending_.size());
}

void delivery_peers::cancel(std::uint64_t id) {
  const auto found = std::ranges::find_if(
      pending_, [&](const auto& entry) { return entry.second.request.request.id == id; });
  const auto now = clock_();
  if (id == 0 || found == pending_.end() || found->first <= now)
    return;
  auto ended = std::move(pending_.extract(found).mapped());
  const auto phase =
      ended.answer.failure ? ended.answer.failure->phase : exchange_phase::first_byte;
  ended.answer.failure =
      exchange_failure{.phase = phase, .timed_out = true, .reason = "ended early"};
  ended.answer.after = now - ended.request.at;
  wake_after_(0us);
  pending_.emplace(now, std::move(ended));
}

void delivery_peers::answer_due() {
  const auto now = clock_();
  while (!pending_.empty() && pending_.begin()->first <= now) {
    const auto next = std::move(pending_.extract(pending_.begin()).mapped());
    if (listener_)
      listener_->answered(next.request, next.answer);
    next.done(outcome_of(next.answer));
  }
}

void delivery_peers::forget() {
  pending_.clear();
}

std::vector<std::string> delivery_peers::bodies(const std::string& host) const {
  auto bodies = std::vector<std::string>{};
  for (const auto& request : requests_)
    if (request.host == host)
      bodies.push_back(request.body());
  return bodies;
}

} // namespace trunkline::kit
