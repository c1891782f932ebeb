/// A sender with a gate for one host: what was not sent when it was barred is never sent.
///
/// A request that is being signed is sent by the thread that signs it; an order of an operator
/// counts all the same from its answer on. Any thread.
#pragma once

#include "net/http_exchange.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace trunkline {

class gated_sender final : public http_sender {
public:
  /// The reason of the failure that a barred request gets.
  static constexpr auto barred_reason = std::string_view{"held back by an order"};

  explicit gated_sender(std::shared_ptr<http_sender> inner) : inner_{std::move(inner)} {}

  void send(outgoing_request request, exchange_handler done) override {
    if (request.id > barred_upto_)
      return inner_->send(std::move(request), std::move(done));
    done({.result = exchange_failure{.phase = exchange_phase::refused,
                                     .reason = std::string{barred_reason}},
          .timing = {}});
  }

  void cancel(std::uint64_t id) override { inner_->cancel(id); }

  /// Bars every request whose id was made by now.
  void bar() { barred_upto_ = next_request_id(); }

  static bool is_barred(const exchange_outcome& outcome) {
    const auto* failure = outcome.failure();
    return failure && failure->phase == exchange_phase::refused && failure->reason == barred_reason;
  }

private:
  const std::shared_ptr<http_sender> inner_;
  std::atomic<std::uint64_t> barred_upto_ = 0;
};

} // namespace trunkline
