/// The embedder's transport as the node's sender of requests.
///
/// What it promises is watched, not believed: an answer that comes twice, too late or never, and an
/// exception, harm nobody but that request.
#pragma once

#include "engine/embedding/virtual_world.hpp"
#include "engine/node_sender.hpp"
#include "trunkline/transport.hpp"

#include <memory>
#include <string>

namespace trunkline {

class transport_sender final : public node_sender {
public:
  /// Requests to `own_host` are refused, as the engine's own client does. `world` may be null.
  transport_sender(std::shared_ptr<http_transport> transport, std::string own_host,
                   std::shared_ptr<virtual_world> world);

  void send(outgoing_request request, exchange_handler done) override;
  /// The transport is not told: its answer comes too late.
  void cancel(std::uint64_t id) override;

  /// Ends what has got no answer since the call before: whoever calls it sets the deadline.
  void end_aged() { open_->end_aged(); }

  void stop() override { open_->stop(); }
  http_client_counters counters() const override { return open_->counters(); }

private:
  const std::shared_ptr<http_transport> transport_;
  const std::string own_host_;
  const std::shared_ptr<virtual_world> world_;
  const std::shared_ptr<open_requests> open_ = std::make_shared<open_requests>();
};

} // namespace trunkline
