/// INTERNAL to net: reads one answer of another server out of bytes that arrive in pieces.
///
/// Knows no socket. What it holds is bounded by `answer_limits`, whatever the peer sends. Belongs
/// to one thread.
#pragma once

#include "net/http_exchange.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace trunkline {

struct answer_limits {
  std::size_t header_bytes_max = 64 * 1024; ///< Of the answer and the interim ones before it.
  std::size_t body_bytes_max = 64 * 1024;   ///< As sent, and again when inflated.
  std::size_t interim_max = 8;              ///< Answers with a status 1xx before the real one.
};

enum class answer_progress : std::uint8_t {
  more,     ///< Read on.
  complete, ///< `take` has it.
  broken,   ///< `fault` says why.
};

class answer_reader {
public:
  /// `to_head`: the request's method was HEAD, its answer has no body.
  answer_reader(answer_limits limits, bool to_head);
  answer_reader(const answer_reader&) = delete;
  answer_reader& operator=(const answer_reader&) = delete;
  ~answer_reader();

  /// Returns room for the next read, for `advance` to be told how much of it was filled.
  std::span<char> prepare();
  answer_progress advance(std::size_t bytes);

  /// The peer has ended the connection; some bodies end so.
  answer_progress finish();

  /// Tells whether any byte has arrived.
  bool began() const { return began_; }

  /// Tells whether status and headers are complete.
  bool in_body() const { return in_body_; }

  /// Tells whether another request may use the connection, once the answer is complete.
  bool keeps_connection() const;

  /// Of the body, as sent so far.
  std::size_t body_bytes() const;

  const std::string& fault() const { return fault_; }

  incoming_response take() { return std::move(response_); }

private:
  struct parts;

  answer_progress refuse(std::string why);
  answer_progress read_head();
  answer_progress take_head();
  answer_progress read_body();
  answer_progress complete();

  answer_limits limits_;
  std::unique_ptr<parts> parts_;
  incoming_response response_;
  std::string fault_;
  std::size_t header_bytes_ = 0;
  std::size_t body_wire_bytes_ = 0;
  std::size_t interim_ = 0;
  bool to_head_ = false;
  bool began_ = false;
  bool in_body_ = false;
};

} // namespace trunkline
