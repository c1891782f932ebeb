#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "engine/cli_tables.hpp"
#include "protocol/errc.hpp"
#include "protocol/query_string.hpp"

#include <array>
#include <iostream>

namespace trunkline {

namespace {

constexpr auto domain_columns = std::to_array<shown_member>({{"DOMAIN", "domain"},
                                                             {"SEVERITY", "severity"},
                                                             {"SINCE", "created_at"},
                                                             {"COMMENT", "comment"}});

constexpr int domains_page = 500;

/// Reads page after page: the list is meant to be whole.
caf::expected<json_array> read_domains(const std::string& socket) {
  auto all = json_array{};
  auto after = std::string{};
  while (true) {
    const auto page = call_admin(socket, "GET",
                                 "/admin/v1/domain_blocks?limit=" + std::to_string(domains_page) +
                                     "&after=" + encode_percent(after),
                                 {});
    if (!page)
      return page.error();
    const auto& items = list_in(*page, "domain_blocks");
    all.insert(all.end(), items.begin(), items.end());
    if (std::ssize(items) < domains_page)
      return all;
    after = text_of(items.back(), "domain");
  }
}

int list_domains(const std::string& socket, bool as_json) {
  auto domains = read_domains(socket);
  if (!domains)
    return refuse(domains.error());
  print_list(json_object{{"domain_blocks", std::move(*domains)}}, as_json, domain_columns,
             "domain_blocks");
  return 0;
}

caf::expected<json_value> change_domain(const std::string& socket, const domain_command& command) {
  if (command.action == "block")
    return call_admin(
        socket, "POST", "/admin/v1/domain_blocks",
        {{"domain", command.domain}, {"severity", command.severity}, {"comment", command.comment}});
  return call_admin(socket, "DELETE", "/admin/v1/domain_blocks/" + encode_percent(command.domain),
                    {});
}

} // namespace

int run(const domain_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  if (command.action == "list")
    return list_domains(*socket, command.as_json);
  const auto changed = change_domain(*socket, command);
  if (!changed)
    return refuse(changed.error());
  if (command.as_json)
    std::cout << to_json(*changed) << '\n';
  return 0;
}

} // namespace trunkline
