/// What the tests of `net` share: a server that says what it was asked, and folders that go away.
#pragma once

#include "net/http_server.hpp"
#include "tests/kit/raw_client.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include <poll.h>
#include <stdlib.h>

namespace trunkline::kit {

struct temporary_folder {
  temporary_folder() {
    auto name = (std::filesystem::temp_directory_path() / "trunkline-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() { std::filesystem::remove_all(path); }

  std::string path;
};

/// Answers "METHOD path query body" unless a handler of the test's is given; listens on a free port
/// of 127.0.0.1 unless the options say otherwise.
class echo_server {
public:
  explicit echo_server(http_server_options options = {}, http_handler handler = {}) {
    if (options.tcp.empty() && options.unix_sockets.empty())
      options.tcp = {{"127.0.0.1", 0}};
    auto started = http_server::start(
        std::move(options), [this, handler](http_request request, http_reply reply) {
          {
            const std::lock_guard lock{mutex_};
            last_ = request;
          }
          if (handler)
            return handler(std::move(request), std::move(reply));
          reply({200, std::string{to_string(request.method)} + " " + request.path + " " +
                          request.query + " " + request.body});
        });
    if (!started)
      throw std::runtime_error{"the server did not start"};
    server_ = std::move(*started);
  }

  std::uint16_t port() const { return server_->ports().front(); }
  http_server_counters counters() const { return server_->counters(); }
  http_server* operator->() { return server_.get(); }
  void stop() { server_->stop(); }

  http_request last() const {
    const std::lock_guard lock{mutex_};
    return last_;
  }

private:
  mutable std::mutex mutex_;
  http_request last_;
  std::unique_ptr<http_server> server_;
};

/// Sends `bytes` on a connection of its own and returns all that comes until the server closes it.
inline std::string exchange(std::uint16_t port, std::string_view bytes) {
  raw_client client{port};
  client.send(bytes);
  auto answer = client.read_all();
  return client.closed() ? answer : "still open: " + answer;
}

/// Waits until `claim` holds, at most 5 s; returns whether it does.
template <class Claim>
bool eventually(Claim claim, std::chrono::milliseconds limit = std::chrono::seconds{5}) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!claim()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

} // namespace trunkline::kit
