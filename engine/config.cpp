#include "engine/config.hpp"

#include "engine/config_rules.hpp"
#include "protocol/errc.hpp"

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace trunkline {

namespace {

struct reading {
  effective_config config;
  std::vector<std::string> problems = {};
};

std::string quoted_suggestion(std::string_view key) {
  const auto nearest = nearest_key(key);
  return nearest.empty() ? std::string{} : "; did you mean " + std::string{nearest} + "?";
}

/// Assigns one value of the file. Returns what is wrong, or nothing.
std::optional<std::string> assign_node(const setting& row, node_config& config,
                                       const toml::node& node) {
  const auto ref = row.ref(config);
  if (const auto* number = node.as_integer())
    return assign_number(row, config, number->get());
  if (const auto* flag = node.as_boolean(); flag && std::holds_alternative<bool*>(ref)) {
    *std::get<bool*>(ref) = flag->get();
    return std::nullopt;
  }
  const auto is_text = std::holds_alternative<std::string*>(ref) ||
                       std::holds_alternative<std::chrono::milliseconds*>(ref);
  if (const auto* text = node.as_string(); text && is_text)
    return assign_text(row, config, text->get());
  const auto* items = node.as_array();
  if (items == nullptr || !std::holds_alternative<std::vector<std::string>*>(ref))
    return "must be " + describe_type(row);
  auto texts = std::vector<std::string>{};
  for (const auto& item : *items) {
    if (!item.is_string())
      return "must be a list of texts";
    texts.push_back(item.as_string()->get());
  }
  *std::get<std::vector<std::string>*>(ref) = std::move(texts);
  return std::nullopt;
}

void read_table(reading& out, const std::string& file, const std::string& prefix,
                const toml::table& table) {
  for (const auto& [name, node] : table) {
    const auto key = prefix + std::string{name.str()};
    const auto place = file + ":" + std::to_string(name.source().begin.line);
    const auto* row = find_setting(key);
    if (row == nullptr && node.is_table() && prefix.empty()) {
      const auto known = std::any_of(settings().begin(), settings().end(),
                                     [&](auto& s) { return s.key.starts_with(key + "."); });
      if (known || !node.as_table()->empty()) {
        read_table(out, file, key + ".", *node.as_table());
        continue;
      }
    }
    if (row == nullptr) {
      out.problems.push_back(place + ": " + key + ": unknown setting" + quoted_suggestion(key));
      continue;
    }
    if (const auto problem = assign_node(*row, out.config.values, node)) {
      out.problems.push_back(place + ": " + key + ": " + *problem);
      continue;
    }
    out.config.sources[key] = place;
  }
}

void read_file(reading& out, const std::string& file) {
  if (file.empty())
    return;
  // A named file is read as it is; what is wrong in its syntax has a line as well.
  if (::access(file.c_str(), R_OK) != 0) {
    out.problems.push_back(file + ": cannot be read; `trunkline init --domain DOMAIN` writes one");
    return;
  }
  try {
    read_table(out, file, "", toml::parse_file(file));
  } catch (const toml::parse_error& failure) {
    out.problems.push_back(file + ":" + std::to_string(failure.source().begin.line) + ": " +
                           std::string{failure.description()});
  }
}

void read_environment(reading& out, const std::map<std::string, std::string>& environment) {
  for (const auto& row : settings()) {
    const auto name = environment_name(row.key);
    const auto value = environment.find(name);
    if (value == environment.end() || row.file_only)
      continue;
    if (const auto problem = assign_text(row, out.config.values, value->second)) {
      out.problems.push_back("environment " + name + ": " + std::string{row.key} + ": " + *problem);
      continue;
    }
    out.config.sources[std::string{row.key}] = "environment " + name;
  }
}

/// Other programs set variables with our prefix (Kubernetes does for a service of that name), so
/// only one that is nearly a setting is taken for a misspelt one.
void refuse_misspelt(reading& out, const std::map<std::string, std::string>& environment) {
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("TRUNKLINE_") || name.starts_with("TRUNKLINE_TEST_"))
      continue;
    for (const auto& row : settings()) {
      const auto known = environment_name(row.key);
      const auto distance = name.size() > 64 ? known.size() : edit_distance(name, known);
      if (!row.file_only && distance > 0 && distance <= 2)
        out.problems.push_back("environment " + name + ": unknown setting; did you mean " + known +
                               "?");
    }
  }
}

void read_flags(reading& out, const config_layers& layers) {
  for (const auto& [key, text] : layers.flags) {
    const auto* row = find_setting(key);
    if (row == nullptr || row->file_only) {
      out.problems.push_back("flag --" + key + ": unknown setting" + quoted_suggestion(key));
      continue;
    }
    if (const auto problem = assign_text(*row, out.config.values, text)) {
      out.problems.push_back("flag --" + key + ": " + *problem);
      continue;
    }
    out.config.sources[key] = "flag --" + key;
  }
}

void fill_computed(node_config& config, config_use use) {
  const auto is_program = use == config_use::program;
  if (config.server.url.empty())
    config.server.url = "https://" + config.server.domain;
  if (config.storage.folder.empty() && is_program)
    config.storage.folder = default_folder();
  if (config.storage.folder.empty())
    return;
  if (config.admin.socket.empty() && (is_program || !config.admin.listen.empty()))
    config.admin.socket = config.storage.folder + "/admin.sock";
  if (config.secrets.key_file.empty())
    config.secrets.key_file = config.storage.folder + "/secret.key";
}

/// All of it at once, a line each; no error when there is no problem.
caf::error refusal_of(const std::vector<std::string>& problems, bool insecure) {
  if (problems.empty())
    return {};
  auto text = std::string{};
  for (const auto& problem : problems)
    text += (text.empty() ? "" : "\n") + problem;
  return make_error(insecure ? errc::insecure : errc::config_invalid, text);
}

} // namespace

effective_config default_config() {
  auto out = effective_config{};
  for (const auto& row : settings())
    out.sources[std::string{row.key}] = "default";
  return out;
}

caf::expected<effective_config> read_config(const config_layers& layers) {
  auto out = reading{.config = default_config()};
  read_file(out, layers.file);
  read_environment(out, layers.environment);
  refuse_misspelt(out, layers.environment);
  read_flags(out, layers);
  if (auto refused = refusal_of(out.problems, false))
    return refused;
  return std::move(out.config);
}

caf::error complete_config(effective_config& config, config_use use) {
  fill_computed(config.values, use);
  auto problems = std::vector<std::string>{};
  auto insecure = false;
  for (const auto& broken : broken_rules(config.values, use)) {
    const auto& source = config.source(broken.key);
    problems.push_back((source == "default" ? "" : source + ": ") + broken.key + ": " +
                       broken.text);
    insecure = insecure || broken.insecure;
  }
  return refusal_of(problems, insecure);
}

caf::expected<effective_config> load_config(const config_layers& layers) {
  auto out = read_config(layers);
  if (!out)
    return out;
  if (auto refused = complete_config(*out, config_use::program))
    return refused;
  return out;
}

std::map<std::string, std::string> process_environment() {
  auto out = std::map<std::string, std::string>{};
  for (auto** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const auto text = std::string_view{*entry};
    const auto equals = text.find('=');
    if (text.starts_with("TRUNKLINE_") && equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::string default_folder() {
  if (const auto* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
    return std::string{data} + "/trunkline";
  if (const auto* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string{home} + "/.local/share/trunkline";
  return "/var/lib/trunkline";
}

std::string default_config_file() {
  const auto* packaged = "/etc/trunkline/trunkline.toml";
  auto failure = std::error_code{};
  if (std::filesystem::exists(packaged, failure))
    return packaged;
  return default_folder() + "/trunkline.toml";
}

} // namespace trunkline
