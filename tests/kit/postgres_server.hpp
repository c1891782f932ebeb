/// A PostgreSQL of the tests' own: on a unix socket in a temporary folder, under another user when
/// the tests run as root (`initdb` refuses root).
///
/// It is stopped and its folder removed when the object or the process ends, also by a crash. The
/// constructor throws when there is no PostgreSQL 15: a test without it fails.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::kit {

class postgres_server {
public:
  /// `settings` are lines of postgresql.conf, such as "fsync=off". The server's folder is made in
  /// `parent`; empty: in `quick_folder()`.
  explicit postgres_server(const std::vector<std::string>& settings = {},
                           const std::filesystem::path& parent = {});
  ~postgres_server();
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  /// Returns what `open_postgres` takes.
  std::string connection_string(std::string_view database = "postgres") const;

  /// "fast" ends the sessions, "immediate" crashes.
  void stop(std::string_view mode);
  void start();

private:
  std::filesystem::path folder_;
  int guardian_pipe_ = -1; ///< Its end tells the guardian to clean up.
  int guardian_ = 0;
};

/// The server that the tests of this executable share; started at the first use.
postgres_server& shared_postgres();

/// Makes a database that no other test uses and returns its connection string; with all migrations
/// applied, or empty.
std::string fresh_postgres_database(bool migrated = true);

/// A folder in memory where there is one, else in the system's temporary folder: what is synced
/// there costs no test minutes.
std::filesystem::path quick_folder();

} // namespace trunkline::kit
