/// What goes wrong between the actors of a delivery world.
#pragma once

#include "kit/delivery_world.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>

namespace trunkline::kit {

/// What stands between the writer and the log reader: hints are lost, late and doubled.
log_reader_handle::behavior_type losing_hints(log_reader_handle::pointer self, log_reader_handle to,
                                              const delivery_world_options* options,
                                              std::mt19937_64* random);

/// Signs nothing, and fails `lost` times of 100; counts which kind of signature it was asked for.
signing_handle::behavior_type fake_signer(signing_handle::pointer self, unsigned lost,
                                          std::mt19937_64* random,
                                          std::map<signature_scheme, int>* counts);

/// What stands between the dispatcher and the region: refuses offers, as a full region does.
remote_host_handle::behavior_type losing_offers(remote_host_handle::pointer self,
                                                remote_host_handle to, unsigned lost,
                                                std::mt19937_64* random);

/// Gives some answers twice: what came once, or one that comes too late.
class doubling_sender final : public http_sender {
public:
  using timer = std::function<void(std::chrono::microseconds, std::function<void()>)>;

  doubling_sender(std::shared_ptr<http_sender> inner, unsigned doubled, std::mt19937_64* random,
                  timer later)
      : inner_{std::move(inner)}, doubled_{doubled}, random_{random}, later_{std::move(later)} {}

  void send(outgoing_request request, exchange_handler done) override;
  void cancel(std::uint64_t id) override { inner_->cancel(id); }

private:
  std::shared_ptr<http_sender> inner_;
  unsigned doubled_;
  std::mt19937_64* random_;
  timer later_;
};

} // namespace trunkline::kit
