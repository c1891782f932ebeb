#include "trunkline/engine.hpp"

#include "engine/config.hpp"
#include "engine/node.hpp"
#include "engine/node_options.hpp"
#include "protocol/errc.hpp"

#include <system_error>

namespace trunkline {

result<options> options::from_file(std::string_view path) {
  auto config = load_config({std::string{path}, process_environment(), {}});
  if (!config)
    return failure{context_of(config.error())};
  auto values = std::make_shared<node_options>();
  values->config = std::move(*config);
  return options{std::move(values)};
}

struct engine::state {
  explicit state(std::shared_ptr<const node_options> values) : inside{std::move(values)} {}
  node inside;
};

engine::engine(std::unique_ptr<state> inside) : state_{std::move(inside)} {}
engine::engine(engine&&) noexcept = default;
engine& engine::operator=(engine&&) noexcept = default;
engine::~engine() = default;

result<bool> engine::wait_ready(std::chrono::milliseconds timeout) {
  if (auto problem = state_->inside.wait_ready(timeout))
    return failure{context_of(problem)};
  return true;
}

std::string engine::web_url() const {
  return state_->inside.web_url();
}

std::string engine::admin_url() const {
  return state_->inside.admin_url();
}

bool engine::drain(std::chrono::milliseconds timeout) {
  return state_->inside.drain(timeout);
}

engine::builder::builder(options values) : values_{std::move(values)} {}

result<engine> engine::builder::start() {
  try {
    return engine{std::make_unique<state>(values_.shared_values())};
  } catch (const std::system_error& problem) {
    return failure{std::string{"no thread can be started: "} + problem.what()};
  }
}

} // namespace trunkline
