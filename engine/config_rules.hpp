/// What the values of a configuration must obey beyond their type, alone and together.
#pragma once

#include "engine/settings.hpp"
#include "protocol/names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// An address and a port to listen at, "127.0.0.1:3000" or "[::1]:3000".
struct listen_address {
  std::string host; ///< A literal address, without brackets.
  std::uint16_t port = 0;
  bool loopback = false;
};

/// Reads `text`; nothing when it is no literal address with a port.
std::optional<listen_address> parse_listen(std::string_view text);

/// Returns the space of this server's ids: "https://" and `server.domain`, for ever; in test mode
/// `server.url`, which may be http.
url_space own_urls(const node_config& config);

/// Returns how many requests to other servers may be under way, those that are no deliveries too.
std::int64_t client_requests_max(const node_config& config);

/// Tells whether `text` is an address or a prefix: "10.0.0.0/8", "::1".
bool is_address_prefix(std::string_view text);

struct config_problem {
  std::string key;
  std::string text;
  bool insecure = false; ///< Would work, but be unsafe.
};

/// Who runs the node: the program, which nobody reaches but by its listeners, or an embedder.
enum class config_use : std::uint8_t { program, embedded };

/// Returns every rule that `config` breaks. An embedded node may listen nowhere.
std::vector<config_problem> broken_rules(const node_config& config,
                                         config_use use = config_use::program);

} // namespace trunkline
