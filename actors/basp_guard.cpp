#include "actors/basp_guard.hpp"

#include <algorithm>

namespace trunkline {

namespace {

// Where a header has what, and what of it is known.
constexpr auto operation_at = std::size_t{0};
constexpr auto length_at = std::size_t{4};
constexpr auto length_size = std::size_t{4};
constexpr auto sender_at = std::size_t{16};
constexpr auto direct_message = 2;
constexpr auto routed_message = 3; // for a third node: every pair of ours has a link
constexpr auto operation_last = 6;

/// No stages, no token for the types, and the length and the name of a message that holds one
/// envelope.
constexpr auto envelope_beginning = std::string_view{"\0\0\0\x16@<>+trunkline.envelope", 26};

} // namespace

bool basp_guard::admits(std::string_view bytes) {
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const auto passed = bytes.substr(0, payload_left_);
      if (is_long_ && !admits_beginning(passed))
        return false;
      payload_left_ -= static_cast<std::uint32_t>(passed.size());
      bytes.remove_prefix(passed.size());
      continue;
    }
    header_[header_bytes_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (header_bytes_ == header_size && !admits_header())
      return false;
  }
  return true;
}

bool basp_guard::admits_header() {
  header_bytes_ = beginning_at_ = 0;
  const auto operation = header_[operation_at];
  for (auto i = std::size_t{0}; i < length_size; ++i)
    payload_left_ = payload_left_ << 8 | header_[length_at + i];
  is_long_ = payload_left_ > basp_small_max;
  return operation <= operation_last && operation != routed_message &&
         payload_left_ <= basp_payload_max && (!is_long_ || operation == direct_message) &&
         admits_sender();
}

bool basp_guard::admits_sender() {
  auto sender = std::array<unsigned char, 8>{};
  std::copy_n(header_.begin() + sender_at, sender.size(), sender.begin());
  senders_.insert(sender);
  return senders_.size() <= basp_senders_max;
}

bool basp_guard::admits_beginning(std::string_view payload) {
  const auto wanted = envelope_beginning.substr(beginning_at_, payload.size());
  beginning_at_ += wanted.size();
  return payload.starts_with(wanted);
}

} // namespace trunkline
