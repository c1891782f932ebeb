/// What both kinds of HTTP signatures are read with; `read_signature` is the way in.
#pragma once

#include "protocol/http_signature.hpp"

#include <cstddef>
#include <cstdint>

namespace trunkline {

/// Of the headers Signature and Signature-Input each; longer ones are refused unread.
inline constexpr std::size_t signature_bytes_max = 8'192;

/// What one signature may cover.
inline constexpr std::size_t signed_components_max = 32;

inline constexpr std::size_t key_id_bytes_max = 2'048;

/// No or no sufficient signature: `errc::unauthenticated`.
caf::error refuse_signature(std::string_view why);

/// One that cannot be read: `errc::malformed`.
caf::error malformed_signature(std::string_view why);

/// Returns the value of the header `name` (lower case) as it is signed: all its lines, without
/// the white space around them, joined with ", ".
std::optional<std::string> find_signed_field(const signed_request& request, std::string_view name);

/// Says what is wrong with a key's name: it is empty, too long, or has letters that no URL has.
caf::error check_key_id(std::string_view key_id);

/// The Host header must name the authority that the request is answered for.
caf::error check_host(const signed_request& request);

/// Moments that a signature speaks of.
struct signature_times {
  std::optional<time_point> date;
  std::optional<time_point> created;
  std::optional<time_point> expires;
};

/// A signature that tells no moment is refused.
caf::error check_times(const signature_times& times, const signature_policy& policy,
                       time_point now);

/// Reads seconds since 1970, in the years 1970 to 9999.
std::optional<time_point> to_moment(std::int64_t seconds);

/// Tells whether a signature of `request` must cover a digest.
bool needs_digest(const signed_request& request);

caf::expected<signature_claim> read_cavage_signature(const signed_request& request,
                                                     const signature_policy& policy,
                                                     time_point now);

caf::expected<signature_claim> read_message_signature(const signed_request& request,
                                                      const signature_policy& policy,
                                                      time_point now);

} // namespace trunkline
