// What goes through a pipe, and how it ends.

#include "net/node_pipes.hpp"
#include "tests/kit/pipe_node.hpp"
#include "tests/kit/raw_tls.hpp"
#include "tests/kit/test_authority.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <thread>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

using std::string;

/// Two nodes, of which the first dials the second.
struct two_nodes {
  explicit two_nodes(std::function<void(node_pipe_options&)> change = [](node_pipe_options&) {})
      : one{changed("n1", change)}, two{changed("n2", change)} {}

  std::pair<pipe_end, pipe_end> open() {
    one.dial(two);
    auto mine = one.take();
    return {std::move(mine), two.take()};
  }

  node_pipe_options changed(const string& name,
                            const std::function<void(node_pipe_options&)>& change) {
    auto options = pipe_options(authority, name);
    change(options);
    return options;
  }

  test_authority authority;
  pipe_node one;
  pipe_node two;
};

string random_text(std::size_t bytes, unsigned seed) {
  std::mt19937 random{seed};
  string text(bytes, '\0');
  for (auto& letter : text)
    letter = static_cast<char>(random());
  return text;
}

constexpr std::size_t too_much = 64 << 20; ///< For all buffers of the system together.

std::chrono::microseconds cpu_used() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto total = [](timeval t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return total(usage.ru_utime) + total(usage.ru_stime);
}

/// What the process may work in a time in which it has nothing to do.
bool is_idle_for(std::chrono::milliseconds span) {
  const auto before = cpu_used();
  const auto began = std::chrono::steady_clock::now();
  ::poll(nullptr, 0, static_cast<int>(span.count()));
  const auto worked = cpu_used() - before;
  return worked < (std::chrono::steady_clock::now() - began) / 2;
}

} // namespace

TEST_CASE("much goes both ways at once and arrives as it was", "[pipes]") {
  two_nodes nodes;
  auto [mine, theirs] = nodes.open();
  const auto there = random_text(10 << 20, 1);
  const auto back = random_text(10 << 20, 2);
  std::atomic<std::size_t> written = 0;
  std::thread one{[&, end = &mine] { written += end->write(there); }};
  std::thread two{[&, end = &theirs] { written += end->write(back); }};
  string came_back;
  std::thread reader{[&, end = &mine] { came_back = end->read(back.size()); }};
  const auto came = theirs.read(there.size());
  for (auto* thread : {&one, &two, &reader})
    thread->join();
  CHECK(written == there.size() + back.size());
  CHECK((came == there));
  CHECK((came_back == back));
}

TEST_CASE("whoever reads nothing is sent no more than buffers hold", "[pipes]") {
  two_nodes nodes;
  auto [mine, theirs] = nodes.open();
  const auto text = random_text(too_much, 3);
  const auto written = mine.write(text, 500ms);
  CHECK(written > 64 * 1024);
  CHECK(written < too_much);
  CHECK(is_idle_for(300ms));
  theirs.write("still there");
  CHECK(mine.read(11) == "still there"); // one way is stuck, the other is not
  const auto came = theirs.read(written);
  CHECK((came == text.substr(0, written)));
  mine.write("more");
  CHECK(theirs.read(4) == "more");
}

TEST_CASE("an idle pipe and mute peers cost nothing", "[pipes]") {
  two_nodes nodes;
  auto [mine, theirs] = nodes.open();
  std::vector<raw_client> mute;
  for (int i = 0; i < 8; ++i)
    mute.emplace_back(nodes.one->port());
  CHECK(is_idle_for(300ms));
}

TEST_CASE("what comes with the end of the handshake is not lost", "[pipes]") {
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")};
  const auto early = random_text(10'000, 4);
  SECTION("to the side that accepts") {
    raw_tls peer{authority.issue({.names = "DNS:n2"})};
    REQUIRE(peer.dial(node->port(), early));
    CHECK((node.take().read(early.size()) == early));
  }
  SECTION("to the side that dials") {
    raw_tls peer{authority.issue({.names = "DNS:n2"})};
    node->dial("n2", "127.0.0.1:" + std::to_string(peer.listen()));
    REQUIRE(peer.accept());
    peer.send("\x01" + early);
    CHECK((node.take().read(early.size()) == early));
  }
}

TEST_CASE("all that was written before the end arrives", "[pipes]") {
  two_nodes nodes;
  auto [mine, theirs] = nodes.open();
  theirs.write("never read");
  const auto text = random_text(too_much, 5);
  const auto written = mine.write(text, 200ms); // all buffers are full
  const auto gently = GENERATE(false, true);
  if (gently)
    ::shutdown(mine.get(), SHUT_WR);
  else
    mine.close();
  const auto came = theirs.read_to_end();
  CHECK(came.size() == written);
  CHECK((came == text.substr(0, written)));
  CHECK(nodes.two.await("closed n1: ") == "the peer has ended it");
  CHECK(nodes.one.await("closed n2: ") == "this node has ended it");
  if (gently)
    CHECK(mine.read_to_end() == "never read");
}

TEST_CASE("the peer takes what was written for a while only", "[pipes]") {
  two_nodes nodes{[](auto& options) { options.limits.end_limit = 200ms; }};
  auto [mine, theirs] = nodes.open();
  mine.write(string(too_much, 'x'), 200ms);
  mine.close();
  CHECK(nodes.one.await("closed n2: ").find("did not take the rest") != string::npos);
}

TEST_CASE("a peer that is cut off ends the pipe", "[pipes]") {
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")};
  raw_tls peer{authority.issue({.names = "DNS:n2"})};
  REQUIRE(peer.dial(node->port()));
  const auto mine = node.take();
  peer.send("last words");
  const auto reset = GENERATE(false, true);
  if (!reset)
    CHECK(peer.read(1) == "\x01"); // or what is unread makes a reset of the end
  peer.cut();
  CHECK(node.await("closed n2: ") != "nothing");
  if (!reset)
    CHECK(mine.read_to_end() == "last words");
}

TEST_CASE("a cut is noticed although the owner takes nothing", "[pipes]") {
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")};
  raw_tls peer{authority.issue({.names = "DNS:n2"})};
  REQUIRE(peer.dial(node->port()));
  const auto mine = node.take();
  for (int i = 0; i < 64; ++i)
    peer.send(string(16'000, 'x'));
  peer.cut(); // a reset: the welcome is unread
  CHECK(node.await("closed n2: ") != "nothing");
}

TEST_CASE("the guard sees everything first, and ends a pipe", "[pipes]") {
  std::mutex mutex;
  std::map<int, string> seen;
  int guards = 0;
  two_nodes nodes{[&](node_pipe_options& options) {
    options.make_guard = [&] {
      const std::lock_guard lock{mutex};
      return [&, me = ++guards](std::string_view chunk) {
        const std::lock_guard inner{mutex};
        seen[me] += chunk;
        return chunk.find("bad") == std::string_view::npos;
      };
    };
  }};
  auto [mine, theirs] = nodes.open();
  mine.write("good");
  CHECK(theirs.read(4) == "good");
  mine.write("bad");
  CHECK(theirs.read_to_end().empty());
  CHECK(nodes.two.await("closed n1: ") == "the peer sent what no node sends");
  CHECK(nodes.one.await("closed n2: ") == "the peer has ended it");
  const std::lock_guard lock{mutex};
  CHECK(guards == 2);
  CHECK((seen[1] + seen[2]) == "goodbad");
}

TEST_CASE("close ends the pipe with that peer alone", "[pipes]") {
  two_nodes nodes;
  pipe_node three{pipe_options(nodes.authority, "n3")};
  auto [mine, theirs] = nodes.open();
  nodes.one.dial(three);
  const auto other = nodes.one.take();
  const auto others = three.take();
  nodes.one->close("n2");
  nodes.one->close("n4");
  CHECK(theirs.read_to_end().empty());
  CHECK(mine.read_to_end().empty());
  CHECK(nodes.one.await("closed n2: ") == "this node has ended it");
  CHECK(nodes.two.await("closed n1: ") == "the peer has ended it");
  other.write("still open");
  CHECK(others.read(10) == "still open");
}

TEST_CASE("a newer pipe of the same name ends the older", "[pipes]") {
  two_nodes nodes;
  auto [mine, theirs] = nodes.open();
  pipe_node again{pipe_options(nodes.authority, "n1")}; // as if it had been started anew
  again.dial(nodes.two);
  const auto newer = again.take();
  const auto theirs_newer = nodes.two.take();
  CHECK(theirs.read_to_end().empty());
  CHECK(mine.read_to_end().empty());
  newer.write("new");
  CHECK(theirs_newer.read(3) == "new");
  CHECK(nodes.two.notes() == std::vector<string>{"accepted n1",
                                                 "closed n1: a newer pipe took its place",
                                                 "accepted n1"});
}

TEST_CASE("the end of a node tells of every pipe and dial", "[pipes]") {
  two_nodes nodes;
  auto [mine, theirs] = nodes.open();
  raw_tls mute;
  nodes.one->dial("n9", "127.0.0.1:" + std::to_string(mute.listen()));
  nodes.one.end();
  CHECK(nodes.one.notes() == std::vector<string>{"dialled n2", "failed n9: this node is ending",
                                                 "closed n2: this node is ending"});
  CHECK(mine.read_to_end().empty());
  CHECK(theirs.read_to_end().empty());
}

TEST_CASE("F14: the system watches over the silence of a connection", "[pipes][F14]") {
  two_nodes nodes{[](auto& options) { options.limits.silence_limit = 5s; }};
  auto [mine, theirs] = nodes.open();
  int watched = 0;
  for (int descriptor = 0; descriptor < 1'024; ++descriptor) {
    const auto option = [&](int level, int name) {
      int value = 0;
      socklen_t bytes = sizeof value;
      return getsockopt(descriptor, level, name, &value, &bytes) == 0 ? value : 0;
    };
    if (option(IPPROTO_TCP, TCP_USER_TIMEOUT) != 5'000)
      continue;
    ++watched;
    CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) <= 3);
  }
  CHECK(watched == 2);
}
