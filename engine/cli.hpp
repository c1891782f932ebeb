/// The command line: what `trunkline …` can be told, and what each command is called with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace trunkline {

struct init_command {
  std::string domain;
  std::string folder;      ///< "" for the user's data folder.
  std::string config_file; ///< "" for trunkline.toml in the folder.
  std::string admin = "admin";
  std::string url;    ///< "" for https://DOMAIN.
  std::string listen; ///< "" for the default.
};

struct run_command {
  std::string config_file;
  bool check_only = false;
  bool print_only = false;
  std::vector<std::pair<std::string, std::string>> flags; ///< Settings: key and text.
};

/// One of create, password, token, disable, enable.
struct account_command {
  std::string action;
  std::string name;
  std::string role = "user";                ///< Of create.
  std::string scopes = "read write follow"; ///< Of token.
  std::string config_file;
};

struct token_command {
  std::string scope; ///< "read" or "operate"
  std::string name = "command line";
  std::string config_file;
};

/// One of list, show, pause, resume, retry.
struct host_command {
  std::string action;
  std::string host;  ///< Of all but list.
  std::string sort;  ///< Of list; "" for the node's default.
  std::string state; ///< Of list; "" for all.
  int limit = 50;    ///< Of list.
  bool as_json = false;
  std::string config_file;
};

/// One of list, block, unblock.
struct domain_command {
  std::string action;
  std::string domain;               ///< Of all but list.
  std::string severity = "suspend"; ///< Of block.
  std::string comment;              ///< Of block.
  bool as_json = false;
  std::string config_file;
};

/// Each does its work, prints, and returns the exit code.
int run(const init_command& command);
int run(const run_command& command);
int run(const account_command& command);
int run(const token_command& command);
int run(const host_command& command);
int run(const domain_command& command);

/// Parses the arguments and runs the command they name. Returns the exit code.
int run_command_line(int count, const char* const* arguments);

} // namespace trunkline
