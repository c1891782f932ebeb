#include "net/http_server.hpp"
#include "tests/kit/net_fixture.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

constexpr rlim_t descriptors_max = 128;
constexpr auto folder_variable = "TRUNKLINE_TEST_FOLDER";
constexpr auto reserved_variable = "TRUNKLINE_TEST_RESERVED";
constexpr auto plain_get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

struct child_result {
  std::chrono::microseconds cpu{};
  std::chrono::microseconds wall{};
  http_server_counters counters;
  int spare = 0; ///< Descriptors that the rest of the process could open under load.
};

std::chrono::microseconds cpu_used() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto total = [](timeval t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return total(usage.ru_utime) + total(usage.ru_stime);
}

void publish(const std::string& path, const std::string& text) {
  std::ofstream{path + ".new"} << text;
  std::filesystem::rename(path + ".new", path);
}

/// Counts how many files can be opened, up to 32.
int count_spare() {
  std::vector<int> open;
  while (open.size() < 32) {
    const auto descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
      break;
    open.push_back(descriptor);
  }
  for (const auto descriptor : open)
    ::close(descriptor);
  return static_cast<int>(open.size());
}

/// This program again, running only the hidden test below.
class limited_server {
public:
  explicit limited_server(const std::string& reserved) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    command_ = ends[1];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    ::setenv(folder_variable, folder_.path.c_str(), 1);
    ::setenv(reserved_variable, reserved.c_str(), 1);
    std::string program = "/proc/self/exe";
    std::string filter = "[descriptor_child]";
    char* const arguments[] = {program.data(), filter.data(), nullptr};
    REQUIRE(::posix_spawn(&child_, program.c_str(), &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[0]);
    REQUIRE(eventually([&] { return std::filesystem::exists(folder_.path + "/port"); }, 20s));
    std::ifstream{folder_.path + "/port"} >> port;
  }
  limited_server(const limited_server&) = delete;
  limited_server& operator=(const limited_server&) = delete;

  ~limited_server() {
    if (child_ <= 0)
      return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  /// Tells the child to count its spare descriptors while the load lasts.
  void measure() {
    REQUIRE(::write(command_, "m", 1) == 1);
    REQUIRE(eventually([&] { return std::filesystem::exists(folder_.path + "/measured"); }, 20s));
  }

  child_result finish() {
    ::close(command_);
    int status = 0;
    ::waitpid(std::exchange(child_, 0), &status, 0);
    CHECK(status == 0);
    child_result result;
    long cpu = 0;
    long wall = 0;
    std::ifstream{folder_.path + "/result"} >> cpu >> wall >> result.counters.refused_connections >>
        result.counters.accept_pauses >> result.spare;
    result.cpu = std::chrono::microseconds{cpu};
    result.wall = std::chrono::microseconds{wall};
    return result;
  }

  std::uint16_t port = 0;

private:
  temporary_folder folder_;
  pid_t child_ = 0;
  int command_ = -1;
};

/// Opens 300 connections, holds them for two seconds, lets go, and asks as a newcomer.
child_result besiege(const std::string& reserved) {
  limited_server server{reserved};
  {
    std::vector<raw_client> clients;
    for (int i = 0; i < 300; ++i)
      clients.emplace_back(server.port);
    CHECK(clients.front().read_all(2s) == ""); // it is served, and has nothing to hear
    server.measure();
  }
  CHECK(eventually([&] {
    raw_client client{server.port};
    client.send(plain_get);
    return status_of(client.read_answer()) == 200;
  }));
  return server.finish();
}

} // namespace

TEST_CASE("a server with few descriptors, for the tests of F35", "[.][descriptor_child]") {
  const std::string folder = ::getenv(folder_variable);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = descriptors_max;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  echo_server server{
      {.descriptors_reserved = std::stoul(::getenv(reserved_variable)), .header_limit = 60s}};
  const auto cpu = cpu_used();
  const auto wall = std::chrono::steady_clock::now();
  publish(folder + "/port", std::to_string(server.port()));
  int spare = 0;
  char command = 0;
  while (::read(STDIN_FILENO, &command, 1) == 1) {
    spare = count_spare();
    REQUIRE(::mkdir((folder + "/measured").c_str(), 0700) == 0); // a file would need a descriptor
  }
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - wall);
  const auto counters = server.counters();
  publish(folder + "/result",
          std::to_string((cpu_used() - cpu).count()) + " " + std::to_string(took.count()) + " " +
              std::to_string(counters.refused_connections) + " " +
              std::to_string(counters.accept_pauses) + " " + std::to_string(spare));
}

TEST_CASE("F35: without descriptors the accept loop stands still, then recovers", "[http][F35]") {
  const auto result = besiege("0");
  CHECK(result.counters.accept_pauses > 0);
  CHECK(result.cpu < result.wall / 5);
}

TEST_CASE("F35: the descriptors reserved for the rest of the process stay free", "[http][F35]") {
  const auto result = besiege("40");
  CHECK(result.counters.refused_connections > 0);
  CHECK(result.counters.accept_pauses == 0);
  CHECK(result.spare == 32);
  CHECK(result.cpu < result.wall / 5);
}
