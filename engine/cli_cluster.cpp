#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "engine/cli_tables.hpp"

#include <array>

namespace trunkline {

namespace {

constexpr auto node_columns = std::to_array<shown_member>({{"NODE", "name"},
                                                           {"MEMBER", "member"},
                                                           {"STATE", "state"},
                                                           {"SERVES", "serves"},
                                                           {"LEASE LEFT", "lease_left_ms"},
                                                           {"VERSION", "version"},
                                                           {"UP, S", "uptime_s"},
                                                           {"MEMORY, B", "resident_bytes"},
                                                           {"CORES", "cpu_cores"},
                                                           {"LOAD", "saturation"},
                                                           {"SAID", "reported_at"},
                                                           {"REFUSED SINCE", "refused_since"}});

} // namespace

int run(const cluster_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  const auto answer = call_admin(*socket, "GET", "/admin/v1/nodes", {});
  if (!answer)
    return refuse(answer.error());
  print_list(*answer, command.as_json, node_columns, "nodes");
  return 0;
}

} // namespace trunkline
