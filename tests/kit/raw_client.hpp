/// A TCP or unix client of bare system calls: sends any bytes, reads what comes, with deadlines.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline::kit {

class raw_client {
public:
  /// Connects to 127.0.0.1:`port`; `connected` tells whether that worked.
  explicit raw_client(std::uint16_t port);

  /// Connects to the unix socket `path`.
  explicit raw_client(const std::string& path);

  raw_client(raw_client&& other) noexcept;
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;
  ~raw_client();

  bool connected() const { return descriptor_ >= 0; }

  /// Sends all of `bytes`; false when the peer is gone.
  bool send(std::string_view bytes);

  /// Reads one answer, by its Content-Length; "" when the connection ended or 5 s have passed.
  /// `bodiless`: the answer to a HEAD request.
  std::string read_answer(bool bodiless = false);

  /// Reads until the peer closes or `limit` has passed; returns what came.
  std::string read_all(std::chrono::milliseconds limit = std::chrono::seconds{5});

  /// Tells whether `read_answer` or `read_all` saw the peer close.
  bool closed() const { return closed_; }

  /// Makes the receive buffer small, so that the peer's writes stall soon.
  void shrink_receive_buffer();

private:
  bool read_some(std::chrono::steady_clock::time_point until);

  int descriptor_ = -1;
  bool closed_ = false;
  std::string received_;
};

/// Returns the status of the answer, or 0 when there is none.
int status_of(std::string_view answer);

/// Returns the body of the answer.
std::string_view body_of(std::string_view answer);

/// Returns the first header `name` of the answer as sent, or "".
std::string header_of(std::string_view answer, std::string_view name);

} // namespace trunkline::kit
