#include "trunkline/options.hpp"

#include "engine/config.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/node_options.hpp"

namespace trunkline {

namespace {

/// Where the configuration says that a value came from.
constexpr auto set_in_code = "options";

options options_of(effective_config config) {
  auto values = std::make_shared<node_options>();
  values->config = std::move(config);
  return options{std::move(values)};
}

failure unknown_key(std::string_view key) {
  const auto nearest = std::string{nearest_key(key)};
  return make_failure(failure_kind::config, std::string{key}, "unknown setting",
                      nearest.empty() ? "docs/configuration.md lists every setting"
                                      : "did you mean " + nearest + "?");
}

} // namespace

result<options> options::from_file(std::string_view path) {
  auto config = read_config({std::string{path}, process_environment(), {}});
  if (!config)
    return to_failure(config.error());
  // What is computed waits for `start`: it may follow from what is set until then.
  auto completed = *config;
  if (auto refused = complete_config(completed, config_use::embedded))
    return to_failure(refused);
  return options_of(std::move(*config));
}

result<options> options::for_domain(std::string_view domain) {
  auto config = default_config();
  auto& values = config.values;
  values.server.domain = domain;
  values.server.listen.clear();
  values.admin.listen.clear();
  config.sources["server.domain"] = set_in_code;
  for (const auto& broken : broken_rules(values, config_use::embedded))
    if (broken.key == "server.domain")
      return make_failure(failure_kind::config, broken.key, broken.text);
  return options_of(std::move(config));
}

result<bool> options::set(std::string_view key, std::string_view text) {
  const auto* row = find_setting(key);
  if (!row)
    return unknown_key(key);
  auto changed = std::make_shared<node_options>(*values_);
  if (const auto problem = assign_text(*row, changed->config.values, text))
    return make_failure(failure_kind::config, std::string{key}, *problem);
  changed->config.sources[std::string{key}] = set_in_code;
  values_ = std::move(changed);
  return true;
}

} // namespace trunkline
