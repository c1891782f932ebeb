#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/node_embedding.hpp"

namespace trunkline {

std::vector<hook_report> engine::hooks() const {
  return state_->inside.embedding().hooks();
}

} // namespace trunkline
