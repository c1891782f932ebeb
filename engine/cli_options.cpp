#include "engine/cli_options.hpp"

#include "engine/cli.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace trunkline {

namespace {

constexpr auto json_help = "print the admin API's answer";
constexpr auto after_help = "only what follows this one in the list";

/// Adds what every command has, and what it does.
template <class Command>
void finish(CLI::App& sub, const std::shared_ptr<Command>& command, int& code) {
  sub.add_flag("--json", command->as_json, json_help);
  sub.add_option("--config", command->config_file, "the configuration file");
  sub.callback([command, &code] { code = run(*command); });
}

void add_limit(CLI::App& sub, int& limit) {
  sub.add_option("--limit", limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
}

/// Adds what every change has.
template <class Command>
void add_change(CLI::App& sub, Command& command) {
  sub.add_option("--reason", command.reason, "why; for the audit");
  sub.add_flag("--dry-run", command.dry_run, "change nothing, tell what it would reach");
}

void add_list_options(CLI::App& sub, host_command& command) {
  sub.add_option("--sort", command.sort, "backlog, oldest, failures, latency or name")
      ->check(CLI::IsMember({"backlog", "oldest", "failures", "latency", "name"}));
  sub.add_option("--state", command.state, "only hosts in this state, or paused, or behind");
  add_limit(sub, command.limit);
}

void add_change_options(CLI::App& sub, host_command& command) {
  add_change(sub, command);
  if (command.action == "flush")
    sub.add_flag("--yes", command.yes, "do it; without it only the dry run is shown");
  if (command.action == "replay") {
    auto* what = sub.add_option_group("what", "exactly one");
    what->add_option("--from-seq", command.from_seq, "everything from this row of the log on");
    what->add_option("--from", command.from, "everything since a time: 2026-11-25T17:19:45Z");
    what->add_option("--post", command.post, "the newest activity about a post: its id or URL");
    what->require_option(1);
  }
  if (command.action == "limit") {
    sub.add_option("--in-flight", command.in_flight, "requests at once, or none");
    sub.add_option("--per-s", command.per_s, "requests that begin in a second, or none");
  }
}

void add_host(CLI::App& app, int& code) {
  auto* host = app.add_subcommand("host", "other servers that the running node delivers to");
  host->require_subcommand(1);
  const auto add = [&](const char* action, const char* help) {
    auto command = std::make_shared<host_command>();
    command->action = action;
    auto* sub = host->add_subcommand(action, help);
    if (command->action == "list")
      add_list_options(*sub, *command);
    else
      sub->add_option("HOST", command->host, "its name, with :PORT where that is not 443")
          ->required();
    if (command->action == "queue") {
      add_limit(*sub, command->limit);
      sub->add_option("--after", command->after, after_help);
    } else if (command->action != "list" && command->action != "show") {
      add_change_options(*sub, *command);
    }
    finish(*sub, command, code);
  };
  add("list", "lists hosts, those with the most that waits first");
  add("show", "tells how a host does, and when and why it is tried next");
  add("queue", "lists what waits for a host");
  add("pause", "sends a host nothing more; what waits is kept");
  add("resume", "undoes pause and drain, and tries at once");
  add("retry", "tries a host at once, whatever its back-off says");
  add("drain", "delivers what waits by now, and takes nothing new until it is resumed");
  add("flush", "cancels what waits, but for Delete, Undo and Block");
  add("replay", "sends again what a host was owed");
  add("limit", "bounds what is sent to a host");
}

void add_post(CLI::App& app, int& code) {
  auto* post = app.add_subcommand("post", "posts of the running node");
  post->require_subcommand(1);
  auto command = std::make_shared<post_command>();
  auto* sub =
      post->add_subcommand("deliveries", "tells which hosts have a post, which wait and why");
  sub->add_option("POST", command->post, "its id or URL")->required();
  sub->add_option("--state", command->state, "only hosts in this state");
  sub->add_option("--after", command->after, after_help);
  add_limit(*sub, command->limit);
  finish(*sub, command, code);
}

void add_letters(CLI::App& app, int& code) {
  auto* letters = app.add_subcommand("dead-letters", "deliveries that were given up");
  letters->require_subcommand(1);
  const auto add = [&](const char* action, const char* help) {
    auto command = std::make_shared<letters_command>();
    command->action = action;
    auto* sub = letters->add_subcommand(action, help);
    const auto is_list = command->action == "list";
    auto* host = sub->add_option(is_list ? "--host" : "HOST", command->host, "whose they are");
    if (is_list) {
      add_limit(*sub, command->limit);
      sub->add_option("--after", command->after, after_help);
    } else {
      host->required();
      sub->add_option("UNIT", command->units, "which, as the list names them; default: all");
      add_change(*sub, *command);
    }
    finish(*sub, command, code);
  };
  add("list", "lists them, the newest first");
  add("replay", "tries them once more");
  add("discard", "forgets them");
}

void add_audit(CLI::App& app, int& code) {
  auto command = std::make_shared<audit_command>();
  auto* sub = app.add_subcommand("audit", "lists what operators did and why, the newest first");
  sub->add_option("--target", command->target, "only what was done to this");
  sub->add_option("--after", command->after, after_help);
  add_limit(*sub, command->limit);
  finish(*sub, command, code);
}

} // namespace

void add_delivery_commands(CLI::App& app, int& code) {
  add_host(app, code);
  add_post(app, code);
  add_letters(app, code);
  add_audit(app, code);
}

} // namespace trunkline
