#include "trunkline/options.hpp"

#include "engine/config.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/node_options.hpp"

namespace trunkline {

result<options> options::from_file(std::string_view path) {
  auto config = load_config({std::string{path}, process_environment(), {}});
  if (!config)
    return to_failure(config.error());
  auto values = std::make_shared<node_options>();
  values->config = std::move(*config);
  return options{std::move(values)};
}

} // namespace trunkline
