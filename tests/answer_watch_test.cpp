#include "storage/answer_watch.hpp"

#include "tests/kit/hang_up.hpp"

#include <catch2/catch.hpp>

#include <array>

#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace trunkline;

namespace {

class connected_sockets {
public:
  connected_sockets() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, both_.data()) == 0); }
  ~connected_sockets() {
    close_own();
    ::close(both_[1]);
  }
  connected_sockets(const connected_sockets&) = delete;
  connected_sockets& operator=(const connected_sockets&) = delete;

  int own() const { return both_[0]; }
  int other() const { return both_[1]; }

  void close_own() {
    if (both_[0] >= 0)
      ::close(both_[0]);
    both_[0] = -1;
  }

private:
  std::array<int, 2> both_{};
};

/// Blocks until something can be read; 0 is the end.
ssize_t read_one(int socket) {
  auto byte = char{};
  return ::recv(socket, &byte, 1, 0);
}

} // namespace

TEST_CASE("who waits on a socket without an answer is told that it has ended", "[answer_watch]") {
  auto watch = answer_watch{kit::hang_up};
  watch.begin();
  const auto sockets = connected_sockets{};
  auto line = answer_watch::line{watch, sockets.own()};
  REQUIRE(line.is_sound());
  const auto began = std::chrono::steady_clock::now();
  line.begin_wait(150ms);
  CHECK(read_one(sockets.own()) == 0);
  CHECK(line.was_cut());
  CHECK(std::chrono::steady_clock::now() - began >= 150ms);
  CHECK(read_one(sockets.other()) == 0);
}

TEST_CASE("a wait that has ended is not cut off", "[answer_watch]") {
  auto watch = answer_watch{kit::hang_up};
  watch.begin();
  const auto well = connected_sockets{};
  const auto silent = connected_sockets{};
  auto answered = answer_watch::line{watch, well.own()};
  auto waiting = answer_watch::line{watch, silent.own()};
  answered.begin_wait(100ms);
  answered.end_wait();
  waiting.begin_wait(300ms);
  CHECK(read_one(silent.own()) == 0); // some looks later
  CHECK_FALSE(answered.was_cut());
  CHECK(::send(well.other(), "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(read_one(well.own()) == 1);
}

TEST_CASE("a number that was given to another socket is left alone", "[answer_watch]") {
  auto watch = answer_watch{kit::hang_up};
  watch.begin();
  auto first = connected_sockets{};
  auto line = answer_watch::line{watch, first.own()};
  const auto number = first.own();
  first.close_own();
  const auto second = connected_sockets{};
  REQUIRE(second.own() == number);
  const auto silent = connected_sockets{};
  auto later = answer_watch::line{watch, silent.own()};
  line.begin_wait(0ms);
  later.begin_wait(200ms);
  CHECK(read_one(silent.own()) == 0); // by then the watch has acted on both
  CHECK(line.was_cut());
  CHECK(::send(second.other(), "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(read_one(second.own()) == 1);
}

TEST_CASE("a watch without a thread hangs up when somebody looks", "[answer_watch]") {
  auto watch = answer_watch{kit::hang_up};
  const auto sockets = connected_sockets{};
  auto line = answer_watch::line{watch, sockets.own()};
  line.begin_wait(0ms);
  CHECK_FALSE(line.was_cut());
  watch.look();
  CHECK(line.was_cut());
  CHECK(read_one(sockets.own()) == 0);
}
