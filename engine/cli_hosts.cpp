#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "protocol/errc.hpp"
#include "protocol/query_string.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <span>
#include <string_view>

namespace trunkline {

namespace {

/// A column of a table, or a line of a page: its heading and the member it shows.
struct shown_member {
  std::string_view heading;
  std::string_view key;
};

constexpr auto host_columns = std::to_array<shown_member>({{"HOST", "name"},
                                                           {"STATE", "state"},
                                                           {"WAITING", "backlog"},
                                                           {"OLDEST", "oldest_at"},
                                                           {"FAILURES", "fail_streak"},
                                                           {"NEXT TRY", "next_try_at"},
                                                           {"LAST OK", "last_ok_at"}});

constexpr auto host_lines = std::to_array<shown_member>({{"host", "name"},
                                                         {"state", "state"},
                                                         {"waiting", "backlog"},
                                                         {"oldest", "oldest_at"},
                                                         {"in flight", "in_flight"},
                                                         {"window", "window"},
                                                         {"failures", "fail_streak"},
                                                         {"exceptions", "exceptions"},
                                                         {"dead letters", "dead"},
                                                         {"last ok", "last_ok_at"},
                                                         {"next try", "next_try_at"},
                                                         {"why then", "next_try_why"},
                                                         {"not current", "problem"}});

constexpr auto domain_columns = std::to_array<shown_member>({{"DOMAIN", "domain"},
                                                             {"SEVERITY", "severity"},
                                                             {"SINCE", "created_at"},
                                                             {"COMMENT", "comment"}});

constexpr int domains_page = 500;

/// What others sent may hold what a terminal would obey.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == 0x7f; },
      ' ');
  return text;
}

/// A member as a person reads it: "-" for none, times without fractions.
std::string shown(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  if (!member || member->is_null())
    return "-";
  auto text = member->as_string() ? printable(*member->as_string()) : to_json(*member);
  if (key.ends_with("_at") && text.size() == 24)
    text.erase(19, 4);
  const auto* paused = key == "state" ? object.find("paused") : nullptr;
  if (paused && paused->as_bool() && *paused->as_bool())
    text += ", paused";
  return text;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

void print_table(std::span<const shown_member> columns, const json_array& rows) {
  auto lines = std::vector<std::string>(rows.size() + 1);
  for (const auto& column : columns) {
    auto width = column.heading.size();
    for (const auto& row : rows)
      width = std::max(width, shown(row, column.key).size());
    lines[0] += padded(std::string{column.heading}, width + 2);
    for (auto i = std::size_t{0}; i < rows.size(); ++i)
      lines[i + 1] += padded(shown(rows[i], column.key), width + 2);
  }
  for (const auto& line : lines)
    std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
}

void print_errors(const json_value& host) {
  const auto* errors = host.find("last_errors");
  if (!errors || !errors->as_array() || errors->as_array()->empty())
    return;
  std::cout << "last errors, the newest first:\n";
  for (const auto& error : *errors->as_array())
    std::cout << "  " << shown(error, "at").substr(0, 19) << "Z  " << shown(error, "text") << '\n';
}

void print_host(const json_value& host) {
  for (const auto& line : host_lines)
    if (const auto* member = host.find(line.key); member && !member->is_null())
      std::cout << padded(std::string{line.heading} + ":", 14) << shown(host, line.key) << '\n';
  print_errors(host);
}

const json_array& items_of(const json_value& page, std::string_view key) {
  static const auto none = json_array{};
  const auto* list = page.find(key);
  return list && list->as_array() ? *list->as_array() : none;
}

int list_hosts(const std::string& socket, const host_command& command) {
  auto path = "/admin/v1/hosts?limit=" + std::to_string(command.limit);
  if (!command.sort.empty())
    path += "&sort=" + command.sort;
  if (!command.state.empty())
    path += "&state=" + encode_percent(command.state);
  const auto page = call_admin(socket, "GET", path, {});
  if (!page)
    return refuse(page.error());
  if (command.as_json)
    std::cout << to_json(*page) << '\n';
  else
    print_table(host_columns, items_of(*page, "hosts"));
  return 0;
}

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
    const auto& items = items_of(*page, "domain_blocks");
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
  if (as_json)
    std::cout << to_json(json_object{{"domain_blocks", std::move(*domains)}}) << '\n';
  else
    print_table(domain_columns, *domains);
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

int run(const host_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  if (command.action == "list")
    return list_hosts(*socket, command);
  const auto path = "/admin/v1/hosts/" + encode_percent(command.host);
  const auto action = command.action == "retry" ? std::string{"retry-now"} : command.action;
  const auto host = action == "show" ? call_admin(*socket, "GET", path, {})
                                     : call_admin(*socket, "POST", path + ":" + action, {});
  if (!host)
    return refuse(host.error());
  if (command.as_json)
    std::cout << to_json(*host) << '\n';
  else if (action == "show") // changes print nothing, as those of accounts
    print_host(*host);
  return 0;
}

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
