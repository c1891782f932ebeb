#include "engine/listeners.hpp"

#include "engine/config_rules.hpp"

#include <algorithm>
#include <thread>

namespace trunkline {

namespace {

http_server_options options_of(const node_config& config, const std::string& listen) {
  auto options = http_server_options{};
  if (const auto address = parse_listen(listen))
    options.tcp = {{.address = address->host, .port = address->port}};
  options.body_bytes_max = static_cast<std::size_t>(config.server.body_bytes_max);
  options.header_bytes_max = static_cast<std::size_t>(config.server.header_bytes_max);
  options.connections_max = static_cast<std::size_t>(config.server.connections_max);
  options.header_limit = config.server.read_timeout;
  options.body_limit = config.server.read_timeout;
  options.write_limit = config.server.read_timeout;
  options.idle_limit = config.server.idle_timeout;
  return options;
}

} // namespace

std::size_t http_threads() {
  return std::max(1U, std::thread::hardware_concurrency() / 2);
}

http_server_options web_options(const node_config& config) {
  auto options = options_of(config, config.server.listen);
  options.threads = http_threads();
  options.trusted_proxies = config.server.trusted_proxies;
  options.tls_certificate_file = config.server.tls_certificate_file;
  options.tls_key_file = config.server.tls_key_file;
  return options;
}

http_server_options admin_options(const node_config& config) {
  auto options = options_of(config, config.admin.listen);
  if (!config.admin.socket.empty())
    options.unix_sockets = {config.admin.socket};
  return options;
}

std::string listener_url(bool is_tls, const std::string& listen, std::uint16_t port) {
  const auto host = listen.substr(0, listen.rfind(':'));
  return (is_tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

} // namespace trunkline
