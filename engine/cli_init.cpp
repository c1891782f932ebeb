#include "engine/admin_client.hpp"
#include "engine/cli.hpp"
#include "engine/cli_calls.hpp"
#include "engine/config.hpp"
#include "engine/exit_codes.hpp"
#include "engine/node.hpp"
#include "protocol/errc.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

/// The values that the written file sets.
node_config values_of(const init_command& command) {
  auto values = node_config{};
  values.server.domain = command.domain;
  values.storage.folder = command.folder.empty() ? default_folder() : absolute(command.folder);
  values.server.url = command.url;
  if (!command.listen.empty())
    values.server.listen = command.listen;
  return values;
}

/// Writes the file, mode 0600, and never over another.
caf::error write_config(const std::string& file, const node_config& values) {
  auto failure = std::error_code{};
  std::filesystem::create_directories(std::filesystem::path{file}.parent_path(), failure);
  if (std::filesystem::exists(file))
    return make_error(errc::conflict, file + ": is there already and is left as it is");
  auto out = std::ofstream{file};
  out << sample_config(values);
  out.close();
  if (!out)
    return make_error(errc::unavailable, file + ": cannot be written");
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, failure);
  return {};
}

/// Makes the account in a node that serves nobody else for the while.
caf::expected<std::string> make_admin(effective_config config, const std::string& name) {
  config.values.server.listen = "127.0.0.1:0";
  config.values.admin.listen = "127.0.0.1:0";
  config.values.server.tls_certificate_file.clear();
  config.values.server.tls_key_file.clear();
  const auto socket = config.values.admin.socket;
  auto options = std::make_shared<node_options>();
  options->config = std::move(config);
  options->silent = true;
  auto running = node{options};
  if (auto failure = running.wait_ready(60s))
    return failure;
  auto answer =
      ask_admin(socket, "POST", "/admin/v1/accounts", {{"name", name}, {"role", "admin"}});
  if (!answer)
    return std::move(answer.error());
  const auto* password = answer->body.find("password");
  const auto* detail = answer->body.find("detail");
  if (answer->status != 201 || !password || !password->as_string())
    return make_error(errc::invalid, detail && detail->as_string()
                                         ? *detail->as_string()
                                         : "the admin account could not be made");
  return *password->as_string();
}

} // namespace

int run(const init_command& command) {
  const auto values = values_of(command);
  const auto file = command.config_file.empty() ? values.storage.folder + "/trunkline.toml"
                                                : absolute(command.config_file);
  const auto had_database = std::filesystem::exists(values.storage.folder + "/trunkline.db");
  if (had_database)
    return refuse(values.storage.folder + ": holds a database already and is left as it is",
                  exit_refused);
  if (auto failure = write_config(file, values))
    return refuse(context_of(failure), exit_refused);
  auto config = load_config({file, process_environment(), {}});
  auto password = config ? make_admin(*config, command.admin)
                         : caf::expected<std::string>{std::move(config.error())};
  if (!password) {
    // What was wrong in it is told; the next try shall not fail because of this one.
    std::filesystem::remove(file);
    return refuse(context_of(password.error()), exit_code_of(code_of(password.error())));
  }
  std::cout << "configuration  " << file << "\nfolder         " << values.storage.folder
            << "\naccount        " << command.admin << "@" << command.domain << "\npassword       "
            << *password << "\nurl            " << config->values.server.url
            << "\nnext           trunkline run --config " << file << '\n';
  return 0;
}

} // namespace trunkline
