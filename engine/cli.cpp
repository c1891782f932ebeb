#include "engine/cli.hpp"

#include "engine/cli_options.hpp"
#include "engine/config.hpp"
#include "engine/exit_codes.hpp"
#include "trunkline/version.hpp"

#include <CLI/CLI.hpp>

#include <sys/stat.h>

#include <iostream>
#include <memory>

namespace trunkline {

namespace {

constexpr auto config_help = "the configuration file";

void add_init(CLI::App& app, int& code) {
  auto command = std::make_shared<init_command>();
  auto* sub = app.add_subcommand("init", "writes the configuration, the folder, the database and "
                                         "an admin account");
  sub->add_option("--domain", command->domain, "the domain of all accounts, for ever")->required();
  sub->add_option("--folder", command->folder, "where the node keeps everything");
  sub->add_option("--config", command->config_file, "the configuration file to write");
  sub->add_option("--admin", command->admin, "name of the first account")->capture_default_str();
  sub->add_option("--url", command->url, "where clients reach the node, when not https://DOMAIN");
  sub->add_option("--listen", command->listen, "address and port for clients");
  sub->callback([command, &code] { code = run(*command); });
}

void add_run(CLI::App& app, int& code) {
  auto command = std::make_shared<run_command>();
  auto* sub = app.add_subcommand("run", "runs the node until SIGTERM");
  sub->add_option("--config", command->config_file, config_help);
  auto* check = sub->add_flag("--check-config", command->check_only, "checks it and exits");
  sub->add_flag("--print-config", command->print_only, "prints every value and where it came from")
      ->excludes(check);
  for (const auto& row : settings()) {
    if (row.file_only)
      continue;
    const auto key = std::string{row.key};
    sub->add_option_function<std::string>(
           "--" + key,
           [command, key](const std::string& text) { command->flags.emplace_back(key, text); },
           std::string{row.help})
        ->group("Settings");
  }
  sub->callback([command, &code] { code = run(*command); });
}

void add_migrate(CLI::App& app, int& code) {
  auto* migrate = app.add_subcommand("migrate", "moves a node that is stopped");
  migrate->require_subcommand(1);
  auto command = std::make_shared<move_command>();
  auto* sub = migrate->add_subcommand(
      "sqlite-to-postgres", "moves what the folder's database holds into an empty PostgreSQL");
  sub->add_option("--config", command->config_file, config_help);
  sub->add_option("--postgres-url-file", command->postgres_url_file,
                  "the file that holds the URL, when not storage.postgres_url_file");
  sub->add_flag("--dry-run", command->dry_run, "change nothing, tell what would be moved");
  sub->callback([command, &code] { code = run(*command); });
}

void add_account(CLI::App& app, int& code) {
  auto* account = app.add_subcommand("account", "accounts of the running node");
  account->require_subcommand(1);
  const auto add = [&](const char* action, const char* help) {
    auto command = std::make_shared<account_command>();
    command->action = action;
    auto* sub = account->add_subcommand(action, help);
    sub->add_option("NAME", command->name, "the account's name")->required();
    sub->add_option("--config", command->config_file, config_help);
    if (command->action == "create")
      sub->add_option("--role", command->role, "user or admin")
          ->check(CLI::IsMember({"user", "admin"}))
          ->capture_default_str();
    if (command->action == "token")
      sub->add_option("--scope", command->scopes, "scopes of the token")->capture_default_str();
    sub->callback([command, &code] { code = run(*command); });
  };
  add("create", "makes an account and prints its password");
  add("password", "gives the account a new password and prints it; its tokens end");
  add("token", "makes an access token for clients and prints it");
  add("disable", "stops the account: nobody can log in, its tokens count no more");
  add("enable", "undoes disable");
}

void add_token(CLI::App& app, int& code) {
  auto* token = app.add_subcommand("token", "tokens of the admin API");
  token->require_subcommand(1);
  auto command = std::make_shared<token_command>();
  auto* sub = token->add_subcommand("create", "makes a token and prints it");
  sub->add_option("--scope", command->scope, "read or operate")
      ->required()
      ->check(CLI::IsMember({"read", "operate"}));
  sub->add_option("--name", command->name, "whom it is for")->capture_default_str();
  sub->add_option("--config", command->config_file, config_help);
  sub->callback([command, &code] { code = run(*command); });
}

constexpr auto json_help = "print the admin API's answer";

void add_top(CLI::App& app, int& code) {
  auto command = std::make_shared<top_command>();
  auto* sub = app.add_subcommand("top", "shows which hosts stall, since when and why");
  sub->add_option("--sort", command->sort, "backlog, oldest, failures or latency")
      ->check(CLI::IsMember({"backlog", "oldest", "failures", "latency"}))
      ->capture_default_str();
  sub->add_option("--search", command->search, "only hosts whose name contains this");
  sub->add_flag("--once", command->once, "prints it once and ends");
  sub->add_option("--config", command->config_file, config_help);
  sub->callback([command, &code] { code = run(*command); });
}

void add_cluster(CLI::App& app, int& code) {
  auto command = std::make_shared<cluster_command>();
  auto* sub = app.add_subcommand("cluster", "shows the nodes on the database, and who serves");
  sub->add_flag("--json", command->as_json, json_help);
  sub->add_option("--config", command->config_file, config_help);
  sub->callback([command, &code] { code = run(*command); });
}

void add_domain(CLI::App& app, int& code) {
  auto* domain = app.add_subcommand("domain", "domains that the server blocks for everybody");
  domain->require_subcommand(1);
  const auto add = [&](const char* action, const char* help) {
    auto command = std::make_shared<domain_command>();
    command->action = action;
    auto* sub = domain->add_subcommand(action, help);
    if (command->action != "list")
      sub->add_option("DOMAIN", command->domain, "its subdomains are meant too")->required();
    if (command->action == "block") {
      sub->add_option("--severity", command->severity,
                      "suspend: nothing goes in or out; silence: shown to followers alone")
          ->check(CLI::IsMember({"suspend", "silence"}))
          ->capture_default_str();
      sub->add_option("--comment", command->comment, "why; for operators");
    }
    sub->add_flag("--json", command->as_json, json_help);
    sub->add_option("--config", command->config_file, config_help);
    sub->callback([command, &code] { code = run(*command); });
  };
  add("list", "lists the blocked domains");
  add("block", "blocks a domain, or changes how");
  add("unblock", "ends a block; follows that ended do not come back");
}

} // namespace

int run_command_line(int count, const char* const* arguments) {
  ::umask(077); // Whatever this program writes is its owner's alone.
  auto app = CLI::App{"A federated microblogging server.", "trunkline"};
  app.require_subcommand(1);
  auto code = 0;
  add_init(app, code);
  add_run(app, code);
  add_migrate(app, code);
  add_account(app, code);
  add_token(app, code);
  add_delivery_commands(app, code);
  add_domain(app, code);
  add_top(app, code);
  add_cluster(app, code);
  app.add_subcommand("version", "prints the version")->callback([] {
    std::cout << "trunkline " << version() << '\n';
  });
  app.add_subcommand("configuration-page", "prints docs/configuration.md")->group("")->callback([] {
    std::cout << configuration_page();
  });
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : exit_usage;
  }
  return code;
}

} // namespace trunkline
