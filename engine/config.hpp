/// Reads the configuration: the file, over it the environment, over it the flags, and says of each
/// value where it came from.
///
/// Everything wrong is refused, all of it at once, each with its place, its key and what to write
/// instead.
#pragma once

#include "engine/config_rules.hpp"
#include "engine/settings.hpp"

#include <caf/expected.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {

/// What a configuration is made of, weakest first.
struct config_layers {
  std::string file; ///< "" for none: then `server.domain` must come from elsewhere.
  std::map<std::string, std::string> environment; ///< TRUNKLINE_… only; the rest is ignored.
  std::vector<std::pair<std::string, std::string>> flags; ///< Key and text.
};

/// The values and the place each came from: "FILE:12", "environment NAME", "flag --KEY", "default".
struct effective_config {
  node_config values;
  std::map<std::string, std::string, std::less<>> sources;

  const std::string& source(std::string_view key) const { return sources.find(key)->second; }
};

/// Returns the checked configuration, with everything computed filled in. Fails with
/// `errc::config_invalid` (a problem a line: "FILE:LINE: KEY: what is wrong") or `errc::insecure`
/// when what is wrong would be unsafe.
caf::expected<effective_config> load_config(const config_layers& layers);

/// Returns what the layers say, each value checked alone: nothing is filled in, and what they say
/// together is left to `complete_config`. Fails as `load_config` does.
caf::expected<effective_config> read_config(const config_layers& layers);

/// Returns every default, as if no layer said anything.
effective_config default_config();

/// Fills in what is computed, and judges everything together. An embedded node has no folder unless
/// it is named, and no admin socket unless the admin API listens or it is named. Fails as
/// `load_config` does.
caf::error complete_config(effective_config& config, config_use use);

/// Returns the variables of this process that begin with TRUNKLINE_.
std::map<std::string, std::string> process_environment();

/// Returns the folder of this user's data: $XDG_DATA_HOME/trunkline, or below ~/.local/share.
std::string default_folder();

/// Returns the file that `run` reads when none is named: /etc/trunkline/trunkline.toml when it is
/// there, else trunkline.toml in `default_folder()`.
std::string default_config_file();

/// Returns every value as TOML, each with a comment that says where it came from.
std::string print_config(const effective_config& config);

/// Returns the table of settings as docs/configuration.md.
std::string configuration_page();

/// Returns the commented file that `init` writes, with `values` where they differ from a default.
std::string sample_config(const node_config& values);

} // namespace trunkline
