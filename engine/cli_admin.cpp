#include "engine/admin_client.hpp"
#include "engine/cli.hpp"
#include "engine/config.hpp"
#include "engine/exit_codes.hpp"
#include "protocol/errc.hpp"

#include <iostream>

namespace trunkline {

namespace {

int refuse(const std::string& message, int code) {
  std::cerr << "trunkline: " << message << '\n';
  return code;
}

int refuse(const caf::error& failure) {
  return refuse(context_of(failure), exit_code_of(code_of(failure)));
}

std::string text_of(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* text = member ? member->as_string() : nullptr;
  return text ? *text : std::string{};
}

/// Where the node of this configuration listens.
caf::expected<std::string> socket_of(const std::string& config_file) {
  auto config = load_config(
      {config_file.empty() ? default_config_file() : config_file, process_environment(), {}});
  if (!config)
    return std::move(config.error());
  return config->values.admin.socket;
}

/// A 2xx answer's body; everything else is an error with the problem's own words.
caf::expected<json_value> call(const std::string& socket, std::string_view method,
                               const std::string& path, const json_object& body) {
  auto answer = ask_admin(socket, method, path, body);
  if (!answer)
    return std::move(answer.error());
  if (answer->status / 100 == 2)
    return std::move(answer->body);
  auto detail = text_of(answer->body, "detail");
  if (detail.empty())
    detail = text_of(answer->body, "title");
  const auto code = answer->status == 503 ? errc::unavailable : errc::invalid;
  return make_error(code, detail.empty() ? "the node answered " + std::to_string(answer->status)
                                         : detail);
}

/// Letters, digits and underscores alone: what a name can be, and nothing that bends a path.
bool is_plain(const std::string& name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                                                 "XYZ0123456789_") == std::string::npos;
}

caf::expected<std::string> find_account(const std::string& socket, const std::string& name) {
  if (!is_plain(name))
    return make_error(errc::invalid, "'" + name + "' is no account name");
  auto found = call(socket, "GET", "/admin/v1/accounts?name=" + name, {});
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
  const auto socket = socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  if (command.action == "create")
    return print_secret(call(*socket, "POST", "/admin/v1/accounts",
                             {{"name", command.name}, {"role", command.role}}),
                        "password");
  const auto id = find_account(*socket, command.name);
  if (!id)
    return refuse(id.error());
  const auto body =
      command.action == "token" ? json_object{{"scopes", command.scopes}} : json_object{};
  // Disabling and enabling answer with no secret, and so print nothing.
  return print_secret(
      call(*socket, "POST", "/admin/v1/accounts/" + *id + ":" + command.action, body),
      command.action);
}

int run(const token_command& command) {
  const auto socket = socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  return print_secret(
      call(*socket, "POST", "/admin/v1/tokens", {{"scope", command.scope}, {"name", command.name}}),
      "token");
}

} // namespace trunkline
