/// One node's pipes, in a test: what it was told, and the descriptors it was given.
#pragma once

#include "net/node_pipes.hpp"
#include "protocol/errc.hpp"
#include "tests/kit/net_fixture.hpp"
#include "tests/kit/test_authority.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline::kit {

/// Long enough for any machine: nothing is asserted to be quick.
inline constexpr auto long_enough = std::chrono::seconds{60};

/// The owner's end of a pipe.
class pipe_end {
public:
  explicit pipe_end(int descriptor) : descriptor_{descriptor} {}
  pipe_end(pipe_end&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  pipe_end(const pipe_end&) = delete;
  pipe_end& operator=(const pipe_end&) = delete;
  ~pipe_end() { close(); }

  void close() {
    if (descriptor_ >= 0)
      ::close(std::exchange(descriptor_, -1));
  }

  int get() const { return descriptor_; }

  /// Writes what can be written without waiting longer than `limit` for room; returns how much.
  std::size_t write(std::string_view bytes, std::chrono::milliseconds limit = long_enough) const {
    std::size_t written = 0;
    while (written < bytes.size() && await(POLLOUT, limit)) {
      const auto sent =
          ::send(descriptor_, bytes.data() + written, bytes.size() - written, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN)
        break;
      written += sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    return written;
  }

  /// Reads until `bytes` have come or the end of the pipe.
  std::string read(std::size_t bytes) const {
    std::string text;
    std::vector<char> part(64 * 1024);
    while (text.size() < bytes && await(POLLIN, long_enough)) {
      const auto got =
          ::recv(descriptor_, part.data(), std::min(part.size(), bytes - text.size()), 0);
      if (got < 0 && errno == EAGAIN)
        continue;
      if (got <= 0)
        break;
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  /// Reads all until the end; "reset" is what comes instead of an end in good order.
  std::string read_to_end() const {
    std::string text;
    std::vector<char> part(64 * 1024);
    while (await(POLLIN, long_enough)) {
      const auto got = ::recv(descriptor_, part.data(), part.size(), 0);
      if (got == 0)
        return text;
      if (got < 0 && errno != EAGAIN)
        return text + " reset";
      text.append(part.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    }
    return text + " no end";
  }

private:
  bool await(short what, std::chrono::milliseconds limit) const {
    pollfd asked{descriptor_, what, 0};
    return ::poll(&asked, 1, static_cast<int>(limit.count())) == 1;
  }

  int descriptor_;
};

inline node_pipe_files files_of(const test_authority& authority, const tls_files& own) {
  return {.certificate = own.certificate,
          .key = own.key,
          .authority = authority.ca_file(),
          .revoked = ""};
}

/// What a test leaves to chance: everybody may enter, limits that no machine is too slow for.
inline node_pipe_options pipe_options(std::string name, node_pipe_files files) {
  node_pipe_options options{.name = std::move(name),
                            .listen = "127.0.0.1:0",
                            .files = std::move(files),
                            .may_enter = [](std::string_view) { return true; }};
  options.limits.handshake_limit = long_enough;
  options.limits.silence_limit = long_enough;
  options.limits.end_limit = long_enough;
  options.limits.expiry_look = std::chrono::milliseconds{5};
  options.limits.accept_pause = std::chrono::milliseconds{10};
  return options;
}

/// The options of a node with a new certificate.
inline node_pipe_options pipe_options(test_authority& authority, const std::string& name) {
  return pipe_options(name, files_of(authority, authority.issue({.names = "DNS:" + name})));
}

class pipe_node {
public:
  explicit pipe_node(node_pipe_options options) : name_{options.name} {
    options.opened = [this](opened_pipe pipe) {
      const std::lock_guard lock{mutex_};
      notes_.push_back((pipe.dialled ? "dialled " : "accepted ") + pipe.peer);
      ends_.emplace_back(pipe.descriptor);
    };
    options.closed = noting("closed ");
    options.failed = noting("failed ");
    options.refused = noting("refused ");
    auto started = node_pipes::start(std::move(options));
    if (!started)
      FAIL(context_of(started.error()));
    pipes_ = std::move(*started);
  }

  node_pipes* operator->() { return pipes_.get(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(pipes_->port()); }
  void dial(pipe_node& peer) { pipes_->dial(peer.name_, peer.address()); }
  void end() { pipes_.reset(); }

  /// All that was told, in order: "closed n2: why".
  std::vector<std::string> notes() const {
    const std::lock_guard lock{mutex_};
    return notes_;
  }

  std::size_t count(std::string_view beginning) const {
    const auto all = notes();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const std::string& note) { return note.starts_with(beginning); }));
  }

  /// Waits for the first note that begins so and returns the rest of it.
  std::string await(const std::string& beginning) const {
    std::string rest = "nothing";
    eventually(
        [&] {
          for (const auto& note : notes())
            if (note.starts_with(beginning)) {
              rest = note.substr(beginning.size());
              return true;
            }
          return false;
        },
        long_enough);
    return rest;
  }

  /// Waits for the next pipe that was opened.
  pipe_end take() {
    REQUIRE(eventually(
        [&] {
          const std::lock_guard lock{mutex_};
          return !ends_.empty();
        },
        long_enough));
    const std::lock_guard lock{mutex_};
    pipe_end end{std::move(ends_.front())};
    ends_.pop_front();
    return end;
  }

private:
  std::function<void(std::string_view, const caf::error&)> noting(std::string what) {
    return [this, what = std::move(what)](std::string_view who, const caf::error& why) {
      const std::lock_guard lock{mutex_};
      notes_.push_back(what + std::string{who} + ": " + context_of(why));
    };
  }

  const std::string name_;
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
  std::deque<pipe_end> ends_;
  std::unique_ptr<node_pipes> pipes_; ///< Ends first.
};

} // namespace trunkline::kit
