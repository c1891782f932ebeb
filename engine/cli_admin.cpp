#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "protocol/errc.hpp"

#include <iostream>

namespace trunkline {

namespace {

/// Letters, digits and underscores alone: what a name can be, and nothing that bends a path.
bool is_plain(const std::string& name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                                                 "XYZ0123456789_") == std::string::npos;
}

caf::expected<std::string> find_account(const std::string& socket, const std::string& name) {
  if (!is_plain(name))
    return make_error(errc::invalid, "'" + name + "' is no account name");
  auto found = call_admin(socket, "GET", "/admin/v1/accounts?name=" + name, {});
  if (!found)
    return std::move(found.error());
  const auto* list = found->find("accounts");
  if (!list || !list->as_array() || list->as_array()->empty())
    return make_error(errc::not_found, "there is no account named " + name);
  return text_of(list->as_array()->front(), "id");
}

int print_secret(const caf::expected<json_value>& answer, std::string_view key) {
  if (!answer)
    return refuse(answer.error());
  const auto secret = text_of(*answer, key);
  if (!secret.empty())
    std::cout << secret << '\n';
  return 0;
}

} // namespace

int run(const account_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  if (command.action == "create")
    return print_secret(call_admin(*socket, "POST", "/admin/v1/accounts",
                                   {{"name", command.name}, {"role", command.role}}),
                        "password");
  const auto id = find_account(*socket, command.name);
  if (!id)
    return refuse(id.error());
  const auto body =
      command.action == "token" ? json_object{{"scopes", command.scopes}} : json_object{};
  // Disabling and enabling answer with no secret, and so print nothing.
  return print_secret(
      call_admin(*socket, "POST", "/admin/v1/accounts/" + *id + ":" + command.action, body),
      command.action);
}

int run(const token_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  return print_secret(call_admin(*socket, "POST", "/admin/v1/tokens",
                                 {{"scope", command.scope}, {"name", command.name}}),
                      "token");
}

} // namespace trunkline
