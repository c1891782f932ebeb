#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "engine/cli_tables.hpp"
#include "protocol/errc.hpp"
#include "protocol/query_string.hpp"

#include <array>
#include <iostream>

namespace trunkline {

namespace {

constexpr auto delivery_columns = std::to_array<shown_member>(
    {{"HOST", "name"}, {"STATE", "state"}, {"NEXT TRY", "next_try_at"}, {"WHY", "why"}});

constexpr auto letter_columns = std::to_array<shown_member>({{"UNIT", "unit"},
                                                             {"HOST", "host"},
                                                             {"WRITTEN", "at"},
                                                             {"KIND", "kind"},
                                                             {"AUTHOR", "author_name"},
                                                             {"TRIES", "attempts"},
                                                             {"ERROR", "error"}});

constexpr auto audit_columns = std::to_array<shown_member>({{"AT", "at"},
                                                            {"WHO", "who"},
                                                            {"ACTION", "action"},
                                                            {"TARGET", "target"},
                                                            {"DETAIL", "detail"},
                                                            {"REASON", "reason"}});

/// Adds `key=value` to a path that has a query, unless the value is empty.
void add_query(std::string& path, std::string_view key, const std::string& value) {
  if (!value.empty())
    path += "&" + std::string{key} + "=" + encode_percent(value);
}

/// "hosts 12: delivered 10, pending 2"
void print_totals(const json_value& answer) {
  const auto* totals = answer.find("totals");
  if (!totals || !totals->as_object())
    return;
  auto words = std::string{};
  for (const auto& [name, count] : *totals->as_object())
    if (name != "hosts" && name != "units" && count.as_int() && *count.as_int() > 0)
      words += (words.empty() ? ": " : ", ") + name + " " + std::to_string(*count.as_int());
  std::cout << "hosts " << shown(*totals, "hosts") << words << '\n';
}

caf::expected<json_value> list_letters(const std::string& socket, const letters_command& command) {
  auto path = "/admin/v1/dead-letters?limit=" + std::to_string(command.limit);
  add_query(path, "host", command.host);
  add_query(path, "after", command.after);
  return call_admin(socket, "GET", path, {});
}

caf::expected<json_value> change_letters(const std::string& socket,
                                         const letters_command& command) {
  auto body = json_object{{"host", command.host}};
  if (!command.reason.empty())
    body["reason"] = command.reason;
  auto units = json_array{};
  for (const auto& unit : command.units)
    units.emplace_back(unit);
  if (!units.empty())
    body["units"] = std::move(units);
  return call_admin(
      socket, "POST",
      "/admin/v1/dead-letters:" + command.action + (command.dry_run ? "?dry_run=1" : ""), body);
}

} // namespace

int run(const post_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  auto path = "/admin/v1/posts/" + encode_percent(command.post) +
              "/deliveries?limit=" + std::to_string(command.limit);
  add_query(path, "state", command.state);
  add_query(path, "after", command.after);
  const auto answer = call_admin(*socket, "GET", path, {});
  if (!answer)
    return refuse(answer.error());
  if (!command.as_json)
    print_totals(*answer);
  print_list(*answer, command.as_json, delivery_columns, "hosts");
  return 0;
}

int run(const letters_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  const auto is_list = command.action == "list";
  const auto answer = is_list ? list_letters(*socket, command) : change_letters(*socket, command);
  if (!answer)
    return refuse(answer.error());
  if (is_list || command.as_json)
    print_list(*answer, command.as_json, letter_columns, "dead_letters");
  else
    std::cout << (command.dry_run ? "would reach: " : "done: ") << shown(*answer, "units")
              << " dead letters\n";
  return 0;
}

int run(const audit_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  auto path = "/admin/v1/audit?limit=" + std::to_string(command.limit);
  add_query(path, "target", command.target);
  add_query(path, "after", command.after);
  const auto answer = call_admin(*socket, "GET", path, {});
  if (!answer)
    return refuse(answer.error());
  print_list(*answer, command.as_json, audit_columns, "audit");
  return 0;
}

} // namespace trunkline
