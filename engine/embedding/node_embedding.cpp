#include "engine/embedding/node_embedding.hpp"

#include "engine/embedding/callback_worker.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_federation.hpp"
#include "engine/node_log.hpp"
#include "engine/node_servers.hpp"

#include <utility>

namespace trunkline {

namespace {

/// How long a callback may go on when the node ends, before its thread is left behind.
constexpr auto end_limit = std::chrono::seconds{2};

} // namespace

node_embedding::node_embedding(const node_options& options, node_log& log, wall_clock clock)
    : extensions_{options.extensions}, world_{options.world}, log_{log}, clock_{std::move(clock)} {
  if (!extensions_)
    return;
  if (extensions_->on_lost)
    lost_ = std::make_unique<callback_worker>(1, world_);
}

node_embedding::~node_embedding() {
  end();
}

void node_embedding::begin(node_actors&, node_federation&, node_servers&) {}

void node_embedding::end() {
  if (lost_)
    lost_->stop(end_limit);
}

void node_embedding::tell_lost(const caf::error& reason) {
  if (lost_)
    lost_->post([tell = extensions_->on_lost, why = to_failure(reason)] { tell(why); });
}

} // namespace trunkline
