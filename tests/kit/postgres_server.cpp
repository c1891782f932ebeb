#include "tests/kit/postgres_server.hpp"

#include "storage/migrations.hpp"
#include "storage/postgres_database.hpp"

#include <atomic>
#include <fstream>
#include <memory>
#include <stdexcept>

#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trunkline::kit {

namespace {

const auto programs = std::filesystem::path{"/usr/lib/postgresql/15/bin"};

/// Who runs the server when we are root.
const passwd* server_user() {
  if (geteuid() != 0)
    return nullptr;
  const auto* user = getpwnam("postgres");
  return user ? user : getpwnam("nobody");
}

[[noreturn]] void become(const std::vector<std::string>& command, int input) {
  if (const auto* user = server_user())
    if (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
      _exit(126);
  const auto log = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(input < 0 ? log : input, 0);
  dup2(log, 1);
  if (!getenv("TRUNKLINE_TEST_SHOW_POSTGRES"))
    dup2(log, 2);
  auto arguments = std::vector<char*>{};
  for (const auto& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

/// Forks; the child is another user and reads `input`.
int launch(const std::vector<std::string>& command, int input = -1) {
  const auto child = fork();
  if (child == 0)
    become(command, input);
  return child;
}

void run(const std::vector<std::string>& command) {
  auto status = 0;
  const auto child = launch(command);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error{"PostgreSQL 15 is needed by the tests: " + command[0] + " failed"};
}

std::filesystem::path make_folder(const std::filesystem::path& parent) {
  auto name = ((parent.empty() ? quick_folder() : parent) / "trunkline-pg-XXXXXX").string();
  if (!mkdtemp(name.data()))
    throw std::runtime_error{"no temporary folder for PostgreSQL"};
  if (const auto* user = server_user())
    if (chown(name.c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error{"the folder of PostgreSQL cannot be given away"};
  return name;
}

/// Waits for the end of the pipe, however this process ends, then stops the server.
constexpr auto guardian_script = R"(trap '' INT TERM HUP; cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -w stop; rm -rf "$2")";

} // namespace

postgres_server::postgres_server(const std::vector<std::string>& settings,
                                 const std::filesystem::path& parent)
    : folder_{make_folder(parent)} {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error{"no pipe"};
  guardian_pipe_ = ends[1];
  guardian_ = launch({"/bin/sh", "-c", guardian_script, "sh", programs, folder_}, ends[0]);
  close(ends[0]);
  run({programs / "initdb", "-D", folder_ / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
       "--locale=C.UTF-8", "--no-sync"});
  auto configuration = std::ofstream{folder_ / "data/postgresql.conf", std::ios::app};
  configuration << "listen_addresses=''\nunix_socket_directories='" << folder_.string()
                << "'\nmax_connections=100\nshared_buffers=32MB\nlogging_collector=off\n";
  for (const auto& line : settings)
    configuration << line << '\n';
  configuration.close();
  start();
}

postgres_server::~postgres_server() {
  close(guardian_pipe_);
  waitpid(guardian_, nullptr, 0);
}

std::string postgres_server::connection_string(std::string_view database) const {
  return "host=" + folder_.string() + " user=postgres dbname=" + std::string{database};
}

void postgres_server::stop(std::string_view mode) {
  run({programs / "pg_ctl", "-D", folder_ / "data", "-m", std::string{mode}, "-w", "stop"});
}

void postgres_server::start() {
  run({programs / "pg_ctl", "-D", folder_ / "data", "-l", folder_ / "log", "-w", "start"});
}

postgres_server& shared_postgres() {
  static postgres_server server;
  return server;
}

namespace {

std::unique_ptr<database> must_open(const std::string& connection_string) {
  auto db = open_postgres(connection_string);
  if (!db)
    throw std::runtime_error{context_of(db.error())};
  return std::move(*db);
}

void must(const caf::error& failure) {
  if (failure)
    throw std::runtime_error{context_of(failure)};
}

void create_database(const std::string& name, const std::string& from) {
  auto admin = must_open(shared_postgres().connection_string());
  auto made = admin->run("CREATE DATABASE " + name + " TEMPLATE " + from);
  must(made ? caf::error{} : made.error());
}

/// A database in which all migrations were applied once, to be copied.
const std::string& migrated_template() {
  static const auto name = [] {
    create_database("migrated", "template0");
    must(migrate(*must_open(shared_postgres().connection_string("migrated"))));
    return std::string{"migrated"};
  }();
  return name;
}

} // namespace

std::string fresh_postgres_database(bool migrated) {
  static std::atomic<int> made{0};
  const auto name = "test_" + std::to_string(++made);
  create_database(name, migrated ? migrated_template() : "template0");
  return shared_postgres().connection_string(name);
}

std::filesystem::path quick_folder() {
  const auto memory = std::filesystem::path{"/dev/shm"};
  return access(memory.c_str(), W_OK | X_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

} // namespace trunkline::kit
