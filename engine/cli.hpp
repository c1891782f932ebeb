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

/// migrate sqlite-to-postgres
struct move_command {
  std::string config_file;
  std::string postgres_url_file; ///< "" for that of the configuration.
  bool dry_run = false;
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

/// One of list, show, queue, pause, resume, retry, drain, flush, replay, limit.
struct host_command {
  std::string action;
  std::string host;      ///< Of all but list.
  std::string sort;      ///< Of list; "" for the node's default.
  std::string state;     ///< Of list; "" for all.
  int limit = 50;        ///< Of list and queue.
  std::string after;     ///< Of queue: where it goes on.
  std::string reason;    ///< Of what changes something.
  std::string from_seq;  ///< Of replay; one of the three is given.
  std::string from;      ///< Of replay: a time.
  std::string post;      ///< Of replay: an id or a URL.
  std::string in_flight; ///< Of limit: a number or "none"; "" leaves it.
  std::string per_s;     ///< Likewise.
  bool dry_run = false;
  bool yes = false; ///< Of flush.
  bool as_json = false;
  std::string config_file;
};

/// Shows which hosts stall, again and again, or once.
struct top_command {
  std::string sort = "backlog";
  std::string search; ///< Part of a host's name; "" for all.
  bool once = false;  ///< Also when input or output is no terminal.
  std::string config_file;
};

/// Shows who shares the database, and who serves.
struct cluster_command {
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

/// deliveries
struct post_command {
  std::string post;  ///< An id or a URL.
  std::string state; ///< "" for all.
  std::string after;
  int limit = 50;
  bool as_json = false;
  std::string config_file;
};

/// One of list, replay, discard, about dead letters.
struct letters_command {
  std::string action;
  std::string host;               ///< "" in a list: of all.
  std::vector<std::string> units; ///< Of all but list; none: all of the host.
  std::string after;              ///< Of list.
  int limit = 50;                 ///< Of list.
  std::string reason;
  bool dry_run = false;
  bool as_json = false;
  std::string config_file;
};

struct audit_command {
  std::string target; ///< "" for all.
  std::string after;
  int limit = 50;
  bool as_json = false;
  std::string config_file;
};

/// Each does its work, prints, and returns the exit code.
int run(const init_command& command);
int run(const run_command& command);
int run(const move_command& command);
int run(const account_command& command);
int run(const token_command& command);
int run(const host_command& command);
int run(const domain_command& command);
int run(const post_command& command);
int run(const letters_command& command);
int run(const audit_command& command);
int run(const top_command& command);
int run(const cluster_command& command);

/// Parses the arguments and runs the command they name. Returns the exit code.
int run_command_line(int count, const char* const* arguments);

} // namespace trunkline
