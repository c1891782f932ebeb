/// A sender that sends nothing once the node's lease is over: whoever has it now sends the same.
///
/// Any thread.
#pragma once

#include "actors/node_lease.hpp"
#include "net/http_exchange.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace trunkline {

class leased_sender final : public http_sender {
public:
  leased_sender(std::shared_ptr<http_sender> inner, node_lease_ptr lease)
      : inner_{std::move(inner)}, lease_{std::move(lease)} {}

  /// Without a lease `done` is called at once, with the phase `refused`.
  void send(outgoing_request request, exchange_handler done) override {
    if (may_act(lease_))
      return inner_->send(std::move(request), std::move(done));
    done({.result = exchange_failure{.phase = exchange_phase::refused,
                                     .reason = "this node's lease is over"},
          .timing = {}});
  }

  void cancel(std::uint64_t id) override { inner_->cancel(id); }

private:
  const std::shared_ptr<http_sender> inner_;
  const node_lease_ptr lease_;
};

} // namespace trunkline
