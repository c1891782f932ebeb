// What the pipes of a node are limited by: handshakes, their number, certificates that end or are
// revoked, descriptors.

#include "net/node_pipes.hpp"
#include "tests/kit/pipe_node.hpp"
#include "tests/kit/raw_client.hpp"
#include "tests/kit/raw_tls.hpp"
#include "tests/kit/test_authority.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

using std::string;

constexpr auto by_file = std::filesystem::copy_options::overwrite_existing;

bool has(const string& text, const string& part) {
  UNSCOPED_INFO(text);
  return text.find(part) != string::npos;
}

/// A clock that a test moves, from the present on.
class moved_clock {
public:
  wall_clock clock() {
    return [this] {
      return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) +
             std::chrono::seconds{ahead_};
    };
  }
  void advance(std::chrono::seconds span) { ahead_ += span.count(); }

private:
  std::atomic<std::int64_t> ahead_ = 0;
};

/// Files of a node in a place of their own, to be replaced.
struct replaceable_files {
  replaceable_files(const test_authority& authority, const tls_files& own) {
    put(own);
    trust(authority);
  }

  void put(const tls_files& own) const {
    std::filesystem::copy_file(own.certificate, files.certificate, by_file);
    std::filesystem::copy_file(own.key, files.key, by_file);
  }
  void trust(const test_authority& authority) const {
    std::filesystem::copy_file(authority.ca_file(), files.authority, by_file);
  }
  void trust_too(const test_authority& authority) const {
    std::ofstream{files.authority, std::ios::app} << std::ifstream{authority.ca_file()}.rdbuf();
  }
  void revoke(const string& list) const {
    std::filesystem::copy_file(list, files.revoked, by_file);
  }

  temporary_folder folder;
  node_pipe_files files{.certificate = folder.path + "/own.pem",
                        .key = folder.path + "/own.key",
                        .authority = folder.path + "/ca.pem",
                        .revoked = ""};
};

/// A connection to 127.0.0.1 that says nothing, from another address of loopback.
class mute_client {
public:
  mute_client(std::uint16_t port, const string& from)
      : descriptor_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from.c_str(), &address.sin_addr);
    ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(port);
    ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  mute_client(mute_client&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  mute_client(const mute_client&) = delete;
  ~mute_client() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

private:
  int descriptor_;
};

void check_flows(const pipe_end& from, const pipe_end& to) {
  from.write("it flows");
  CHECK(to.read(8) == "it flows");
}

} // namespace

// --- handshakes ---

TEST_CASE("a handshake ends at its limit, on either side", "[pipes]") {
  test_authority authority;
  auto options = pipe_options(authority, "n1");
  options.limits.handshake_limit = 100ms;
  pipe_node node{options};
  raw_client mute{node->port()};
  CHECK(mute.read_all(long_enough).empty());
  CHECK(mute.closed());
  CHECK(node.await("refused 127.0.0.1: ") == "the handshake took too long");
  raw_tls never_accepts;
  node->dial("n2", "127.0.0.1:" + std::to_string(never_accepts.listen()));
  CHECK(node.await("failed n2: ") == "the handshake took too long");
  raw_tls no_welcome{authority.issue({.names = "DNS:n3"})};
  node->dial("n3", "127.0.0.1:" + std::to_string(no_welcome.listen()));
  no_welcome.accept();
  CHECK(node.await("failed n3: ") == "the handshake took too long");
}

TEST_CASE("mute connections keep no peer out", "[pipes]") {
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")}; // whose handshakes have a minute
  std::vector<mute_client> mute;
  const auto from_one = GENERATE(false, true);
  for (int i = 0; i < 70; ++i)
    mute.emplace_back(node->port(),
                      from_one ? "127.0.0.1" : "127.0.1." + std::to_string(1 + i / 4));
  const auto least = from_one ? 70U - 8 : 70U - 64;
  CHECK(eventually([&] { return node.count("refused") >= least; }, long_enough));
  CHECK(node.count("refused") == least);
  pipe_node good{pipe_options(authority, "n2")};
  good.dial(node);
  check_flows(good.take(), node.take());
  CHECK(node.count("refused") == least + 1); // the oldest one made room
}

TEST_CASE("there are so many pipes and no more", "[pipes]") {
  test_authority authority;
  auto options = pipe_options(authority, "n1");
  options.limits.pipes_max = 1;
  pipe_node node{options};
  pipe_node two{pipe_options(authority, "n2")};
  pipe_node three{pipe_options(authority, "n3")};
  two.dial(node);
  const auto mine = two.take();
  const auto theirs = node.take();
  three.dial(node);
  CHECK(three.await("failed n1: ") != "nothing");
  CHECK(has(node.await("refused 127.0.0.1: "), "no more than 1 pipes"));
  node.dial(three);
  CHECK(has(node.await("failed n3: "), "no more than 1 pipes"));
  check_flows(mine, theirs);
  two.dial(node); // one for one
  check_flows(two.take(), node.take());
}

TEST_CASE("there are so many dials and no more", "[pipes]") {
  test_authority authority;
  auto options = pipe_options(authority, "n1");
  options.limits.dials_max = 2;
  pipe_node node{options};
  raw_tls mute;
  const auto address = "127.0.0.1:" + std::to_string(mute.listen());
  for (const auto* peer : {"n2", "n3", "n4"})
    node->dial(peer, address);
  CHECK(has(node.await("failed n4: "), "too many"));
  CHECK(node.notes().size() == 1);
}

// --- certificates ---

TEST_CASE("F45: a pipe outlives no certificate", "[pipes][F45]") {
  test_authority authority;
  moved_clock clock;
  const auto [mine_until, theirs_until, words] = GENERATE(table<long, long, string>({
      {600, 3'600, "this node's certificate of that time has expired"},
      {3'600, 600, "the peer's certificate has expired"},
  }));
  auto options = pipe_options(
      "n1", files_of(authority, authority.issue({.names = "DNS:n1", .valid_until = mine_until})));
  options.now = clock.clock();
  pipe_node one{options};
  pipe_node two{pipe_options(
      "n2",
      files_of(authority, authority.issue({.names = "DNS:n2", .valid_until = theirs_until})))};
  one.dial(two);
  const auto mine = one.take();
  const auto theirs = two.take();
  clock.advance(500s);
  check_flows(mine, theirs);
  CHECK(one.count("closed") == 0);
  clock.advance(110s);
  CHECK(one.await("closed n2: ") == words);
  CHECK(theirs.read_to_end().empty());
}

TEST_CASE("F45: certificates are replaced without an end of a pipe", "[pipes][F45]") {
  test_authority authority;
  const replaceable_files own{authority, authority.issue({.names = "DNS:n1", .valid_until = 600})};
  moved_clock clock;
  auto options = pipe_options("n1", own.files);
  options.now = clock.clock();
  pipe_node one{options};
  pipe_node two{pipe_options(authority, "n2")};
  one.dial(two);
  const auto mine = one.take();
  const auto theirs = two.take();
  own.put(authority.issue({.names = "DNS:n1", .valid_until = 3'000}));
  REQUIRE(!one->reload());
  check_flows(mine, theirs);
  // The pipe of the former certificate ends with it; what is opened now has the new one.
  clock.advance(700s);
  CHECK(one.await("closed n2: ") == "this node's certificate of that time has expired");
  one.dial(two);
  check_flows(one.take(), two.take());
  CHECK(two.count("refused") == 0);
}

TEST_CASE("F45: files that are wrong change nothing", "[pipes][F45]") {
  test_authority authority;
  const auto first = authority.issue({.names = "DNS:n1"});
  const replaceable_files own{authority, first};
  pipe_node one{pipe_options("n1", own.files)};
  pipe_node two{pipe_options(authority, "n2")};
  one.dial(two);
  const auto mine = one.take();
  const auto theirs = two.take();
  std::filesystem::copy_file(authority.issue().key, own.files.key, by_file);
  auto failure = one->reload();
  CHECK(code_of(failure) == errc::config_invalid);
  CHECK(has(context_of(failure), own.files.key));
  std::filesystem::remove(own.files.authority);
  CHECK(one->reload());
  check_flows(mine, theirs);
  two.dial(one);
  check_flows(two.take(), one.take());
}

TEST_CASE("F45: whose certificate is revoked is put out, and nobody else", "[pipes][F45]") {
  test_authority authority;
  const replaceable_files own{authority, authority.issue({.names = "DNS:n1"})};
  auto options = pipe_options("n1", own.files);
  options.files.revoked = own.folder.path + "/revoked.pem";
  std::filesystem::copy_file(authority.revoke({}), options.files.revoked);
  pipe_node one{options};
  const auto outcast = authority.issue({.names = "DNS:n2"});
  pipe_node two{pipe_options("n2", files_of(authority, outcast))};
  pipe_node three{pipe_options(authority, "n3")};
  const auto is_dialled = GENERATE(false, true);
  if (is_dialled)
    one.dial(two);
  else
    two.dial(one);
  const auto mine = one.take();
  const auto theirs = two.take();
  three.dial(one);
  const auto good = three.take();
  const auto goods = one.take();
  std::filesystem::copy_file(authority.revoke({outcast}), options.files.revoked, by_file);
  REQUIRE(!one->reload());
  CHECK(has(one.await("closed n2: "), "certificate revoked"));
  CHECK(theirs.read_to_end().empty());
  check_flows(good, goods);
  two.dial(one);
  CHECK(has(one.await("refused 127.0.0.1: "), "certificate revoked"));
  CHECK(one.count("closed") == 1);
}

TEST_CASE("F45: a handshake that began before is judged by the new files", "[pipes][F45]") {
  test_authority authority;
  const replaceable_files own{authority, authority.issue({.names = "DNS:n1"})};
  auto options = pipe_options("n1", own.files);
  options.files.revoked = own.folder.path + "/revoked.pem";
  std::filesystem::copy_file(authority.revoke({}), options.files.revoked);
  pipe_node one{options};
  const auto outcast = authority.issue({.names = "DNS:n2"});
  raw_tls early{outcast};
  REQUIRE(early.connect(one->port()));
  pipe_node three{pipe_options(authority, "n3")};
  three.dial(one);
  one.take(); // accepted after the other one
  std::filesystem::copy_file(authority.revoke({outcast}), options.files.revoked, by_file);
  REQUIRE(!one->reload());
  early.shake_hands();
  CHECK(has(one.await("refused 127.0.0.1: "), "certificate revoked"));
  CHECK(one.count("accepted n2") == 0);
}

TEST_CASE("F45: one CA replaces another while pipes stand", "[pipes][F45]") {
  test_authority old_one{"old"};
  test_authority new_one{"new"};
  const replaceable_files own{old_one, old_one.issue({.names = "DNS:n1"})};
  auto options = pipe_options("n1", own.files);
  options.files.revoked = own.folder.path + "/revoked.pem"; // of the old one alone
  std::filesystem::copy_file(old_one.revoke({}), options.files.revoked);
  pipe_node one{options};
  pipe_node two{pipe_options(old_one, "n2")};
  two.dial(one);
  const auto mine = two.take();
  const auto theirs = one.take();

  own.trust_too(new_one);
  REQUIRE(!one->reload());
  check_flows(mine, theirs);
  auto newer = pipe_options("n3", files_of(new_one, new_one.issue({.names = "DNS:n3"})));
  newer.files.authority = own.files.authority; // it trusts both as well
  pipe_node three{newer};
  three.dial(one);
  const auto third = three.take();
  const auto ours = one.take();

  own.trust(new_one);
  CHECK(has(context_of(one->reload()), "was not made by")); // the list is of the old one
  std::filesystem::copy_file(new_one.revoke({}), options.files.revoked, by_file);
  CHECK(has(context_of(one->reload()), "was not issued")); // so is its own certificate
  own.put(new_one.issue({.names = "DNS:n1"}));
  REQUIRE(!one->reload());
  CHECK(has(one.await("closed n2: "), "would not be let in any more"));
  check_flows(third, ours);
}

// --- the thread and its descriptors ---

TEST_CASE("the pipes' thread takes no signals", "[pipes]") {
  const auto threads = [] {
    std::map<string, string> blocked;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task"}) {
      std::ifstream status{entry.path() / "status"};
      for (string line; std::getline(status, line);)
        if (line.starts_with("SigBlk:"))
          blocked[entry.path().filename()] =
              line.substr(line.find_last_not_of("0123456789abcdef") + 1);
    }
    return blocked;
  };
  const auto before = threads();
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")};
  auto blocking = 0;
  for (const auto& [thread, blocked] : threads()) {
    const auto mask = std::stoull(blocked, nullptr, 16);
    const auto blocks = [&](int signal) { return (mask >> (signal - 1) & 1) != 0; };
    blocking += !before.contains(thread) && blocks(SIGTERM) && blocks(SIGHUP) && blocks(SIGPIPE);
  }
  CHECK(blocking == 1);
}

TEST_CASE("without descriptors a node stands still, then goes on", "[pipes]") {
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")};
  pipe_node good{pipe_options(authority, "n2")};
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const auto waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto none = before;
  none.rlim_cur = static_cast<rlim_t>(waiting); // nothing beyond what is open
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(node->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::connect(waiting, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto worked = [](const rusage& of) {
    return std::chrono::seconds{of.ru_utime.tv_sec + of.ru_stime.tv_sec} +
           std::chrono::microseconds{of.ru_utime.tv_usec + of.ru_stime.tv_usec};
  };
  const auto began = worked(usage);
  ::poll(nullptr, 0, 400);
  getrusage(RUSAGE_SELF, &usage);
  CHECK(worked(usage) - began < 200ms);
  CHECK(node.notes().empty());
  setrlimit(RLIMIT_NOFILE, &before);
  ::close(waiting);
  good.dial(node);
  check_flows(good.take(), node.take());
}
