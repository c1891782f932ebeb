/// What the bodies of envelopes hold: versioned records, written with cereal.
///
/// Pure code. Readers take bytes of a peer: they fail on what is malformed or longer than it says,
/// and never reserve more than they were given.
#pragma once

#include "net/http_types.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// The first record of a connection, in both directions.
struct link_hello {
  std::string node;              ///< The name of who speaks.
  std::uint16_t version_min = 1; ///< The oldest format of bodies that it reads.
  std::uint16_t version_max = 1; ///< The newest one.
  bool is_answer = false;        ///< To the hello of who has dialled.

  friend bool operator==(const link_hello&, const link_hello&) = default;
};

enum class frame_kind : std::uint8_t {
  request = 1,
  answer = 2,
  refusal = 3, ///< Nothing was done, or nobody can tell what it gave: `topic` is the `errc`.
};

/// What a request is about.
enum class link_topic : std::uint8_t {
  web = 1,   ///< A request of a client or of another server, for who serves.
  admin = 2, ///< A request to the admin API.
  board = 3, ///< A `board_question`.
  /// A request to the admin API about a host of the node that is asked, from the one that serves.
  admin_here = 4,
  fetch = 5,        ///< A document of a host of the peer's.
  sign_of_life = 6, ///< A host of the peer's has sent something. Answered with nothing.
  log_news = 7,     ///< Up to where the log has rows. Answered with nothing.
  shard_news = 8,   ///< Shards have changed hands. Answered with nothing.
};

struct link_frame {
  frame_kind kind = frame_kind::request;
  std::uint8_t topic = 0;
  std::uint64_t id = 0; ///< Of the request, of its sender's choice.
  std::string body;

  friend bool operator==(const link_frame&, const link_frame&) = default;
};

std::string encode(const link_hello& hello);
std::string encode(const std::vector<link_frame>& frames);
caf::expected<link_hello> decode_hello(std::string_view bytes);
caf::expected<std::vector<link_frame>> decode_frames(std::string_view bytes);

/// A request as it travels: where it came from is part of it, for limits and for trust.
std::string encode(const http_request& request);
caf::expected<http_request> decode_request(std::string_view bytes);

/// A number of a row.
std::string encode_seq(std::int64_t seq);
caf::expected<std::int64_t> decode_seq(std::string_view bytes);

std::string encode(const http_response& response);
caf::expected<http_response> decode_response(std::string_view bytes);

} // namespace trunkline
