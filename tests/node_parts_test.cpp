// The parts of a node that need no node: the folder's lock, log lines, systemd, the key.

#include "engine/folder_lock.hpp"
#include "engine/node_log.hpp"
#include "engine/node_storage.hpp"
#include "engine/service_notify.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct temp_folder {
  std::string path;
  temp_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "trunkline-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~temp_folder() { std::filesystem::remove_all(path); }
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;
};

struct pipe_pair {
  int read_end = -1;
  int write_end = -1;
  pipe_pair() {
    auto ends = std::array<int, 2>{};
    REQUIRE(::pipe(ends.data()) == 0);
    read_end = ends[0];
    write_end = ends[1];
  }
  ~pipe_pair() {
    ::close(read_end);
    ::close(write_end);
  }
  pipe_pair(const pipe_pair&) = delete;
  pipe_pair& operator=(const pipe_pair&) = delete;

  std::string read_some() const {
    auto text = std::array<char, 65'536>{};
    const auto length = ::read(read_end, text.data(), text.size());
    return {text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
  }
};

time_point noon() {
  return from_micros(1'800'000'000'000'000);
}

} // namespace

TEST_CASE("a folder has one owner, who is named", "[folder_lock]") {
  const auto folder = temp_folder{};
  const auto path = folder.path + "/new/data";
  {
    const auto first = folder_lock::take(path);
    REQUIRE(first);
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) ==
          std::filesystem::perms::owner_all);
    const auto second = folder_lock::take(path);
    REQUIRE_FALSE(second);
    CHECK(code_of(second.error()) == errc::already_running);
    CHECK(context_of(second.error()) == path + ": in use by process " + std::to_string(::getpid()));
  }
  CHECK(folder_lock::take(path));
}

TEST_CASE("a folder that cannot be made is named", "[folder_lock]") {
  const auto lock = folder_lock::take("/proc/none");
  REQUIRE_FALSE(lock);
  CHECK(context_of(lock.error()).starts_with("/proc/none: "));
}

TEST_CASE("a line of the log is one JSON object", "[node_log]") {
  const auto pipe = pipe_pair{};
  {
    auto log = node_log{{.descriptor = pipe.write_end}, noon};
    log.write(log_level::warning, "something_happened", {{"name", "a\nb\"c"}, {"count", 3}});
    log.flush(5s);
    CHECK(pipe.read_some() ==
          "{\"at\":\"2027-01-15T08:00:00.000Z\",\"level\":\"warning\",\"event\":"
          "\"something_happened\",\"name\":\"a\\nb\\\"c\",\"count\":3}\n");
    CHECK(log.dropped() == 0);
  }
}

TEST_CASE("a long text is cut between two characters", "[node_log]") {
  const auto pipe = pipe_pair{};
  auto log = node_log{{.descriptor = pipe.write_end}, noon};
  auto text = std::string{"x"};
  for (auto i = 0; i < 2000; ++i)
    text += "ä";
  log.write(log_level::info, "long", {{"text", text}});
  log.write(log_level::info, "longer",
            {{"a", text}, {"b", text}, {"c", text}, {"d", text}, {"e", text}});
  log.flush(5s);
  const auto lines = pipe.read_some();
  const auto first = parse_json(lines.substr(0, lines.find('\n')));
  REQUIRE(first);
  CHECK(first->find("text")->as_string()->size() < 1100);
  const auto second = parse_json(lines.substr(lines.find('\n') + 1));
  REQUIRE(second);
  CHECK(*second->find("cut")->as_bool());
}

TEST_CASE("nobody waits for a reader that stands still", "[node_log]") {
  const auto pipe = pipe_pair{};
  ::fcntl(pipe.write_end, F_SETPIPE_SZ, 4096);
  const auto began = std::chrono::steady_clock::now();
  {
    auto log = node_log{{.descriptor = pipe.write_end, .lines_max = 16, .patience = 20ms}, noon};
    for (auto i = 0; i < 1000; ++i)
      log.write(log_level::info, "filling", {{"text", std::string(500, 'x')}});
    log.flush(100ms);
    CHECK(log.dropped() > 0);
  }
  CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("systemd gets datagrams, on a path and on an abstract name", "[service_notify]") {
  const auto folder = temp_folder{};
  const auto abstract = "@trunkline-test-" + std::to_string(::getpid());
  for (const auto& address : {folder.path + "/notify", abstract}) {
    const auto listener = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    auto name = sockaddr_un{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, address.data(), address.size());
    if (address.front() == '@')
      name.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&name), length) == 0);
    CHECK(service_notify{address}.send("READY=1\nSTATUS=x"));
    auto text = std::array<char, 64>{};
    const auto got = ::recv(listener, text.data(), text.size(), MSG_DONTWAIT);
    CHECK(std::string_view{text.data(), static_cast<std::size_t>(got > 0 ? got : 0)} ==
          "READY=1\nSTATUS=x");
    ::close(listener);
  }
  CHECK_FALSE(service_notify{""}.send("READY=1"));
  CHECK_FALSE(service_notify{folder.path + "/none"}.send("READY=1"));
  CHECK_FALSE(service_notify{std::string(200, 'x')}.send("READY=1"));
}

TEST_CASE("the watchdog is fed twice as often as asked", "[service_notify]") {
  CHECK(watchdog_interval("2000000", nullptr, 7) == 1s);
  CHECK(watchdog_interval("2000000", "7", 7) == 1s);
  CHECK_FALSE(watchdog_interval("2000000", "8", 7));
  CHECK_FALSE(watchdog_interval(nullptr, nullptr, 7));
  CHECK_FALSE(watchdog_interval("x", nullptr, 7));
  CHECK_FALSE(watchdog_interval("0", nullptr, 7));
}

TEST_CASE("the key is made once, is private, and is checked", "[secret_key]") {
  const auto folder = temp_folder{};
  const auto file = folder.path + "/secret.key";
  REQUIRE_FALSE(prepare_secret_key(file));
  const auto read = [&] {
    auto in = std::ifstream{file};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
  };
  const auto key = read();
  CHECK(key.size() == 32);
  struct stat facts = {};
  REQUIRE(::stat(file.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  REQUIRE_FALSE(prepare_secret_key(file));
  CHECK(read() == key);

  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  CHECK(code_of(prepare_secret_key(file)) == errc::insecure);
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  std::ofstream{file} << "short";
  CHECK(code_of(prepare_secret_key(file)) == errc::config_invalid);
  CHECK(code_of(prepare_secret_key(folder.path + "/none/secret.key")) == errc::config_invalid);
}
