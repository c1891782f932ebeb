#include "trunkline/builder.hpp"

#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/embedding/node_extensions.hpp"

#include <system_error>

namespace trunkline {

namespace {

result<engine> start_node_of(const options& values, const node_extensions& parts,
                             std::shared_ptr<virtual_world> world) {
  if (parts.problem)
    return *parts.problem;
  auto needs = std::make_shared<node_options>(*values.shared_values());
  needs->extensions = std::make_shared<const node_extensions>(parts);
  needs->world = std::move(world);
  try {
    return engine{std::make_unique<engine::state>(std::move(needs))};
  } catch (const std::system_error& problem) {
    return make_failure(failure_kind::unavailable, "",
                        std::string{"no thread can be started: "} + problem.what(),
                        "allow this process more threads, or end other engines");
  }
}

} // namespace

engine::builder::builder(options values)
    : parts_{std::make_shared<node_extensions>()}, values_{std::move(values)} {}
engine::builder::builder(const builder&) = default;
engine::builder::builder(builder&&) noexcept = default;
engine::builder& engine::builder::operator=(const builder&) = default;
engine::builder& engine::builder::operator=(builder&&) noexcept = default;
engine::builder::~builder() = default;

result<engine> engine::builder::start() {
  return start_node_of(values_, *parts_, nullptr);
}

result<engine> engine::builder::start_in(std::shared_ptr<virtual_world> world) {
  return start_node_of(values_, *parts_, std::move(world));
}

} // namespace trunkline
