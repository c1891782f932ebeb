/// The one message that crosses the wire between nodes.
///
/// It is frozen: what changes from version to version is in the body, which is a record of
/// `link_records.hpp`. Everything else that a peer sends is dropped by CAF, which knows no other
/// type of ours by name.
#pragma once

#include <cstdint>
#include <string>

namespace trunkline {

/// The format of bodies that this program writes, and the oldest that it reads.
inline constexpr std::uint16_t link_version = 1;
inline constexpr std::uint16_t link_version_min = 1;

enum class envelope_kind : std::uint8_t {
  hello = 1,  ///< Who speaks, and which versions it knows; the first one of a connection.
  frames = 2, ///< Requests and answers: numbered, acknowledged.
  ack = 3,    ///< `seq`: the newest envelope of frames that was taken.
  ping = 4,   ///< `seq`: any number, which comes back.
  pong = 5,
  goodbye = 6, ///< The sender ends: what it was asked and has not answered it has not done.
};

struct envelope {
  std::uint8_t kind = 0; ///< An `envelope_kind`; an unknown one is ignored.
  std::uint16_t version = link_version;
  std::uint64_t epoch = 0; ///< Of the sending process; what comes from an earlier one is dropped.
  std::uint64_t seq = 0;   ///< Of frames: from 1 on, without gaps, for each connection.
  std::string body;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, envelope& x) {
  return f(x.kind, x.version, x.epoch, x.seq, x.body);
}

} // namespace trunkline
