#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "engine/cli_tables.hpp"
#include "engine/exit_codes.hpp"
#include "protocol/errc.hpp"
#include "protocol/ids.hpp"
#include "protocol/query_string.hpp"

#include <array>
#include <iostream>

namespace trunkline {

namespace {

constexpr auto host_columns = std::to_array<shown_member>({{"HOST", "name"},
                                                           {"STATE", "state"},
                                                           {"WAITING", "backlog"},
                                                           {"OLDEST", "oldest_at"},
                                                           {"FAILURES", "fail_streak"},
                                                           {"NEXT TRY", "next_try_at"},
                                                           {"LAST OK", "last_ok_at"}});

constexpr auto host_lines = std::to_array<shown_member>({{"host", "name"},
                                                         {"state", "state"},
                                                         {"in words", "sentence"},
                                                         {"waiting", "backlog"},
                                                         {"oldest", "oldest_at"},
                                                         {"in flight", "in_flight"},
                                                         {"window", "window"},
                                                         {"latency, ms", "latency_ms"},
                                                         {"failures", "fail_streak"},
                                                         {"fails since", "failing_since"},
                                                         {"exceptions", "exceptions"},
                                                         {"dead letters", "dead"},
                                                         {"last ok", "last_ok_at"},
                                                         {"next try", "next_try_at"},
                                                         {"why then", "next_try_why"},
                                                         {"not current", "problem"}});

constexpr auto queue_columns = std::to_array<shown_member>({{"UNIT", "unit"},
                                                            {"WRITTEN", "at"},
                                                            {"CLASS", "class"},
                                                            {"KIND", "kind"},
                                                            {"OBJECT", "object"},
                                                            {"AUTHOR", "author"},
                                                            {"TRIES", "attempts"},
                                                            {"NEXT TRY", "next_try_at"},
                                                            {"ERROR", "error"}});

void print_errors(const json_value& host) {
  const auto& errors = list_in(host, "last_errors");
  if (!errors.empty())
    std::cout << "last errors, the newest first:\n";
  for (const auto& error : errors)
    std::cout << "  " << shown(error, "at") << "  " << shown(error, "text") << '\n';
}

std::string path_of(const host_command& command) {
  return "/admin/v1/hosts/" + encode_percent(command.host);
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
  print_list(*page, command.as_json, host_columns, "hosts");
  return 0;
}

int show_host(const std::string& socket, const host_command& command) {
  const auto host = call_admin(socket, "GET", path_of(command), {});
  if (!host)
    return refuse(host.error());
  if (command.as_json) {
    std::cout << to_json(*host) << '\n';
    return 0;
  }
  print_lines(host_lines, *host);
  print_errors(*host);
  return 0;
}

int show_queue(const std::string& socket, const host_command& command) {
  const auto path = path_of(command) + "/queue?limit=" + std::to_string(command.limit) +
                    (command.after.empty() ? "" : "&after=" + encode_percent(command.after));
  const auto page = call_admin(socket, "GET", path, {});
  if (!page)
    return refuse(page.error());
  print_list(*page, command.as_json, queue_columns, "queue");
  return 0;
}

/// "none" lifts a bound, "" leaves it as it is.
caf::error add_bound(json_object& body, std::string_view key, const std::string& text) {
  if (text.empty())
    return {};
  if (text == "none") {
    body[key] = nullptr;
    return {};
  }
  const auto number = parse_id(text);
  if (!number)
    return make_error(errc::invalid, std::string{key} + ": must be a number from 1, or none");
  body[key] = *number;
  return {};
}

caf::expected<json_object> body_of(const host_command& command) {
  auto body = json_object{};
  if (!command.reason.empty())
    body["reason"] = command.reason;
  if (!command.from.empty())
    body["from"] = command.from;
  if (!command.post.empty())
    body["post"] = command.post;
  if (auto failure = add_bound(body, "from_seq", command.from_seq))
    return failure;
  if (auto failure = add_bound(body, "in_flight", command.in_flight))
    return failure;
  if (auto failure = add_bound(body, "per_s", command.per_s))
    return failure;
  return body;
}

caf::expected<json_value> act(const std::string& socket, const host_command& command,
                              bool dry_run) {
  const auto body = body_of(command);
  if (!body)
    return body.error();
  const auto action = command.action == "retry" ? std::string{"retry-now"} : command.action;
  return call_admin(socket, "POST", path_of(command) + ":" + action + (dry_run ? "?dry_run=1" : ""),
                    *body);
}

/// What an action reached, or would reach.
void print_reach(const json_value& answer, bool is_done) {
  const auto* is_all = answer.find("is_all");
  std::cout << (is_done ? "done: " : "would reach: ")
            << (is_all && is_all->as_bool() && !*is_all->as_bool() ? "at least " : "")
            << shown(answer, "units") << " activities";
  if (const auto* kept = answer.find("kept"); kept && kept->as_int() && *kept->as_int() > 0)
    std::cout << "; " << *kept->as_int() << " Delete, Undo and Block stay";
  std::cout << '\n';
}

void print_answer(const json_value& answer, bool as_json, bool is_done) {
  if (as_json)
    std::cout << to_json(answer) << '\n';
  else if (answer.find("units")) // pause, resume and retry print nothing once done
    print_reach(answer, is_done);
}

/// Nothing is thrown away that nobody has seen the number of.
int ask_for_yes(const std::string& socket, const host_command& command) {
  const auto answer = act(socket, command, true);
  if (!answer)
    return refuse(answer.error());
  print_answer(*answer, command.as_json, false);
  return refuse("nothing was flushed; say --yes to do it", exit_usage);
}

int act_on_host(const std::string& socket, const host_command& command) {
  if (command.action == "flush" && !command.yes && !command.dry_run)
    return ask_for_yes(socket, command);
  if (command.action == "flush" && !command.dry_run && !command.as_json)
    if (const auto first = act(socket, command, true))
      print_answer(*first, false, false);
  const auto answer = act(socket, command, command.dry_run);
  if (!answer)
    return refuse(answer.error());
  print_answer(*answer, command.as_json, !command.dry_run);
  return 0;
}

} // namespace

int run(const host_command& command) {
  const auto socket = admin_socket_of(command.config_file);
  if (!socket)
    return refuse(socket.error());
  if (command.action == "list")
    return list_hosts(*socket, command);
  if (command.action == "show")
    return show_host(*socket, command);
  if (command.action == "queue")
    return show_queue(*socket, command);
  return act_on_host(*socket, command);
}

} // namespace trunkline
