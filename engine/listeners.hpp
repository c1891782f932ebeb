/// How the two listeners of a node are set up, whoever answers behind them.
#pragma once

#include "engine/settings.hpp"
#include "net/http_server.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace trunkline {

/// Half of the cores serve HTTP; the others run actors, signatures and the database.
std::size_t http_threads();

/// For clients and other servers.
http_server_options web_options(const node_config& config);

/// For operators: a port, a unix socket, or both.
http_server_options admin_options(const node_config& config);

/// Returns "http://127.0.0.1:3000" for the address `listen`, whose port may be another one.
std::string listener_url(bool is_tls, const std::string& listen, std::uint16_t port);

} // namespace trunkline
