/// Looks at what a peer sends before CAF does: BASP reserves as much memory as a header says, reads
/// messages within messages for as long as the stack lasts, and remembers every sender.
///
/// Knows BASP (version 3 of CAF 0.17) no further than that: where a message ends, who sent it, and
/// how one begins that holds an envelope. One per connection, one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

namespace trunkline {

/// No message of ours is longer: an envelope holds one frame at least, of 8 MiB at most.
inline constexpr std::uint32_t basp_payload_max = 16 << 20;

/// Longer ones are envelopes: what CAF itself says is short.
inline constexpr std::uint32_t basp_small_max = 4'096;

/// Senders of one connection: a link, and helpers of CAF's own.
inline constexpr std::size_t basp_senders_max = 8;

class basp_guard {
public:
  /// Returns whether all of it may go on; once it returned false, nothing may.
  bool admits(std::string_view bytes);

private:
  static constexpr std::size_t header_size = 32;

  bool admits_header();
  bool admits_sender();
  bool admits_beginning(std::string_view payload);

  std::array<unsigned char, header_size> header_{};
  std::size_t header_bytes_ = 0;
  std::uint32_t payload_left_ = 0;
  std::size_t beginning_at_ = 0; ///< How much of an envelope's beginning was there; what is left
  bool is_long_ = false;         ///< of it must come, when the message is long.
  std::set<std::array<unsigned char, 8>> senders_;
};

} // namespace trunkline
