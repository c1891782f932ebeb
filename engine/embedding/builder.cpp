#include "trunkline/builder.hpp"

#include "engine/config.hpp"
#include "engine/embedding/builder_rules.hpp"
#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/embedding/node_extensions.hpp"

#include <system_error>
#include <utility>

namespace trunkline {

namespace {

/// The parts, for whoever changes them: engines that were started keep those that they have.
node_extensions& own(std::shared_ptr<node_extensions>& parts) {
  if (parts.use_count() != 1)
    parts = std::make_shared<node_extensions>(*parts);
  return *parts;
}

void keep_first(node_extensions& parts, std::optional<failure> problem) {
  if (problem && !parts.problem)
    parts.problem = std::move(problem);
}

template <class Seat>
void add(std::shared_ptr<node_extensions>& parts, std::vector<Seat> node_extensions::*seats,
         Seat one) {
  auto& changed = own(parts);
  if (auto problem = find_problem(changed, one))
    return keep_first(changed, std::move(problem));
  (changed.*seats).push_back(std::move(one));
}

/// Sets a part that there is one of; an empty one is refused, as it would be called.
template <class Part>
void put(std::shared_ptr<node_extensions>& parts, Part node_extensions::*place, Part one,
         const char* name) {
  auto& changed = own(parts);
  if (!one)
    keep_first(changed, make_failure(failure_kind::invalid, "builder." + std::string{name},
                                     "there is nothing to call", "give one that is not empty"));
  changed.*place = std::move(one);
}

void place_storage(node_config& config, const store& where) {
  config.storage.folder = where.folder();
  config.storage.postgres_url_file.clear();
}

bool is_in_memory(const node_options& needs) {
  const auto& where = needs.extensions->storage;
  return where && where->what() == store::kind::memory;
}

std::optional<failure> find_problem(const node_options& needs) {
  const auto& config = needs.config.values;
  if (config.storage.folder.empty() && !is_in_memory(needs))
    return make_failure(failure_kind::config, "storage.folder", "is not set",
                        "name the folder that keeps everything with "
                        "builder.storage(store::sqlite(FOLDER)) or options.set(\"storage.folder\", "
                        "FOLDER), or keep nothing with store::memory()");
  for (const auto& route : needs.extensions->routes)
    if (std::cmp_greater(route.options.body_bytes_max, config.server.body_bytes_max))
      return make_failure(
          failure_kind::invalid, "builder.route '" + route.method + " " + route.pattern + "'",
          "body_bytes_max is larger than server.body_bytes_max",
          "set that to " + std::to_string(route.options.body_bytes_max) + ", or ask for less");
  return std::nullopt;
}

/// What a node is made of, judged together.
result<std::shared_ptr<node_options>> needs_of(const options& values,
                                               const std::shared_ptr<node_extensions>& parts,
                                               std::shared_ptr<virtual_world> world) {
  if (parts->problem)
    return *parts->problem;
  auto needs = std::make_shared<node_options>(*values.shared_values());
  needs->world = std::move(world);
  auto given = std::make_shared<node_extensions>(*parts);
  const auto is_placed = !needs->config.values.storage.folder.empty() || given->storage;
  if (needs->world && !is_placed)
    given->storage = store::memory();
  if (given->storage)
    place_storage(needs->config.values, *given->storage);
  needs->extensions = std::move(given);
  if (auto refused = complete_config(needs->config, config_use::embedded))
    return to_failure(refused);
  if (auto problem = find_problem(*needs))
    return *problem;
  return needs;
}

result<engine> start_node(const options& values, const std::shared_ptr<node_extensions>& parts,
                          std::shared_ptr<virtual_world> world) {
  auto needs = needs_of(values, parts, std::move(world));
  if (!needs)
    return needs.error();
  try {
    return engine{std::make_unique<engine::state>(std::move(*needs))};
  } catch (const std::system_error& problem) {
    return make_failure(failure_kind::unavailable, "builder.start",
                        std::string{"no thread can be started: "} + problem.what(),
                        "let this process have more threads, or end other engines");
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

engine::builder& engine::builder::storage(store where) {
  own(parts_).storage = std::move(where);
  return *this;
}

engine::builder& engine::builder::filter(std::shared_ptr<content_filter> one,
                                         filter_options options) {
  if (const auto place = own(parts_).filters.size() + 1;
      options.name == filter_options{}.name && place > 1)
    options.name += "-" + std::to_string(place);
  add(parts_, &node_extensions::filters, filter_seat{std::move(one), std::move(options)});
  return *this;
}

engine::builder& engine::builder::on_activity(std::function<void(const activity_event&)> call,
                                              hook_options options) {
  add(parts_, &node_extensions::hooks, hook_seat{std::move(call), "", options});
  return *this;
}

engine::builder& engine::builder::on_activity(std::string type,
                                              std::function<void(const activity_event&)> call,
                                              hook_options options) {
  if (type.empty())
    keep_first(own(parts_),
               make_failure(failure_kind::invalid, "builder.on_activity", "the type is empty",
                            "name one, such as Follow, or leave it out"));
  add(parts_, &node_extensions::hooks, hook_seat{std::move(call), std::move(type), options});
  return *this;
}

engine::builder& engine::builder::on_post(std::function<void(const post_event&)> call,
                                          hook_options options) {
  add(parts_, &node_extensions::hooks, hook_seat{std::move(call), "", options});
  return *this;
}

engine::builder& engine::builder::on_delivery(std::function<void(const delivery_event&)> call,
                                              hook_options options) {
  add(parts_, &node_extensions::hooks, hook_seat{std::move(call), "", options});
  return *this;
}

engine::builder& engine::builder::on_host_state(std::function<void(const host_state_event&)> call,
                                                hook_options options) {
  add(parts_, &node_extensions::hooks, hook_seat{std::move(call), "", options});
  return *this;
}

engine::builder& engine::builder::on_account(std::function<void(const account_event&)> call,
                                             hook_options options) {
  add(parts_, &node_extensions::hooks, hook_seat{std::move(call), "", options});
  return *this;
}

engine::builder& engine::builder::webhook(trunkline::webhook one) {
  add(parts_, &node_extensions::webhooks, std::move(one));
  return *this;
}

engine::builder& engine::builder::route(std::string method, std::string pattern,
                                        route_handler_function handler, route_options options) {
  add(parts_, &node_extensions::routes,
      route_seat{std::move(method), std::move(pattern), std::move(handler), std::move(options)});
  return *this;
}

engine::builder&
engine::builder::clock(std::function<std::chrono::system_clock::time_point()> now) {
  put(parts_, &node_extensions::clock, std::move(now), "clock");
  return *this;
}

engine::builder& engine::builder::transport(std::shared_ptr<http_transport> sender) {
  put(parts_, &node_extensions::transport, std::move(sender), "transport");
  return *this;
}

engine::builder& engine::builder::log(log_sink sink) {
  put(parts_, &node_extensions::log, std::move(sink), "log");
  return *this;
}

engine::builder& engine::builder::metrics(std::function<std::string()> text) {
  put(parts_, &node_extensions::metrics, std::move(text), "metrics");
  return *this;
}

engine::builder& engine::builder::on_lost(std::function<void(const failure&)> call) {
  put(parts_, &node_extensions::on_lost, std::move(call), "on_lost");
  return *this;
}

result<engine> engine::builder::start() {
  return start_node(values_, parts_, nullptr);
}

result<engine> engine::builder::start_in(std::shared_ptr<virtual_world> world) {
  return start_node(values_, parts_, std::move(world));
}

} // namespace trunkline
