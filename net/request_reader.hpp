/// INTERNAL to net: reads one request out of bytes that arrive in pieces.
///
/// Knows no socket: the connection hands it bytes and asks how far it got. Belongs to one thread.
#pragma once

#include "net/http_types.hpp"
#include "net/request_rules.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace trunkline {

struct http_server_shared;

enum class http_progress : std::uint8_t {
  more,        ///< Read on.
  body_begins, ///< The head is whole and good, a body follows; ask again.
  complete,    ///< `take_request` has it.
  refused,     ///< `fault` says why.
};

class request_reader {
public:
  /// `leftover` is what was read behind the request before.
  request_reader(http_server_shared& shared, std::string_view leftover);
  request_reader(const request_reader&) = delete;
  request_reader& operator=(const request_reader&) = delete;
  ~request_reader();

  /// Returns room for the next read; `commit` says how much of it was filled.
  std::span<char> prepare();
  void commit(std::size_t bytes);

  http_progress advance();

  /// Tells whether any byte of the request has arrived.
  bool began() const;

  const http_fault& fault() const { return fault_; }
  bool is_head() const { return is_head_; }
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }

  /// Moves the request out, once it is complete.
  http_request take_request();

  /// Moves out what was read behind the request.
  std::string take_leftover();

private:
  struct reader;

  http_progress refuse(http_fault fault);
  http_progress advance_head();
  http_progress take_head(std::size_t size);
  http_progress advance_body();

  http_server_shared& shared_;
  std::unique_ptr<reader> reader_;
  http_request request_;
  http_fault fault_;
  std::size_t counted_bytes_ = 0; ///< Of the body, in the server's sum.
  bool skipped_empty_line_ = false;
  bool in_body_ = false;
  bool is_head_ = false;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
};

} // namespace trunkline
