#include "engine/node_sender.hpp"

#include <utility>

namespace trunkline {

namespace {

class own_client final : public node_sender {
public:
  explicit own_client(std::unique_ptr<http_client> client) : client_{std::move(client)} {}

  void send(outgoing_request request, exchange_handler done) override {
    client_->send(std::move(request), std::move(done));
  }
  void cancel(std::uint64_t id) override { client_->cancel(id); }
  void stop() override { client_->stop(); }
  http_client_counters counters() const override { return client_->counters(); }

private:
  const std::unique_ptr<http_client> client_;
};

} // namespace

caf::expected<std::shared_ptr<node_sender>> start_own_client(http_client_options options) {
  auto client = http_client::start(std::move(options));
  if (!client)
    return std::move(client.error());
  return std::shared_ptr<node_sender>{std::make_shared<own_client>(std::move(*client))};
}

exchange_outcome exchange_failed(exchange_phase phase, std::string reason) {
  return {.result = exchange_failure{.phase = phase, .reason = std::move(reason)}, .timing = {}};
}

namespace {

exchange_outcome no_answer_in_time(std::string reason) {
  return {.result = exchange_failure{.phase = exchange_phase::first_byte,
                                     .timed_out = true,
                                     .reason = std::move(reason)},
          .timing = {}};
}

} // namespace

std::uint64_t open_requests::begin(exchange_handler done, std::uint64_t id) {
  {
    const auto held = std::scoped_lock{mutex_};
    ++counters_.requests;
    if (!stopped_ && open_.size() < requests_max) {
      open_.emplace(++last_, request{.done = std::move(done), .id = id});
      if (id != 0)
        numbers_.emplace(id, last_);
      return last_;
    }
    ++counters_.refused;
    ++counters_.failures;
  }
  done(exchange_failed(exchange_phase::refused, "no room for another request"));
  return 0;
}

void open_requests::end(std::uint64_t number, exchange_outcome outcome) {
  auto done = exchange_handler{};
  {
    const auto held = std::scoped_lock{mutex_};
    const auto found = open_.find(number);
    if (found == open_.end())
      return;
    done = std::move(found->second.done);
    numbers_.erase(found->second.id);
    open_.erase(found);
    ++(outcome.response() ? counters_.answers : counters_.failures);
    if (outcome.failure() && outcome.failure()->phase == exchange_phase::refused)
      ++counters_.refused;
  }
  done(std::move(outcome));
}

void open_requests::cancel(std::uint64_t id) {
  auto number = std::uint64_t{0};
  {
    const auto held = std::scoped_lock{mutex_};
    const auto found = numbers_.find(id);
    if (found == numbers_.end())
      return;
    number = found->second;
  }
  end(number, no_answer_in_time("ended early"));
}

void open_requests::end_aged() {
  auto aged = std::vector<std::uint64_t>{};
  {
    const auto held = std::scoped_lock{mutex_};
    for (auto& [number, one] : open_)
      if (std::exchange(one.is_aged, true))
        aged.push_back(number);
  }
  for (const auto number : aged)
    end(number, no_answer_in_time("no answer in time"));
}

void open_requests::stop() {
  auto left = std::vector<std::uint64_t>{};
  {
    const auto held = std::scoped_lock{mutex_};
    stopped_ = true;
    for (const auto& [number, one] : open_)
      left.push_back(number);
  }
  for (const auto number : left)
    end(number, exchange_failed(exchange_phase::refused, "the client has been stopped"));
}

http_client_counters open_requests::counters() const {
  const auto held = std::scoped_lock{mutex_};
  auto out = counters_;
  out.in_flight = open_.size();
  return out;
}

} // namespace trunkline
