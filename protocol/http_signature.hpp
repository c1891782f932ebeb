/// Signatures of HTTP requests: draft-cavage-http-signatures-12 and RFC 9421, both ways.
///
/// Pure text: what a request claims to be signed with, what exactly was signed, and what must have
/// been signed. Keys and RSA are in `protocol/signing_key.hpp`.
#pragma once

#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {

/// The column `host.signature_scheme`.
enum class signature_scheme : std::uint8_t {
  unknown = 0, ///< Nothing has worked yet: draft-cavage is tried first.
  cavage = 1,
  rfc9421 = 2,
};

/// A request as far as signatures look at it. Text views live as long as the request.
struct signed_request {
  std::string_view method;    ///< "POST"
  std::string_view target;    ///< Path and query as sent.
  std::string_view scheme;    ///< "https": of the URL, for @target-uri.
  std::string_view authority; ///< Host header, lower case.
  const std::vector<std::pair<std::string, std::string>>& headers;
  std::string_view body;
  bool has_body = false; ///< POST: a digest must be signed.
};

/// What must hold before anything is believed (RELIABILITY A02 to A07, A20 to A23).
struct signature_policy {
  std::chrono::seconds clock_skew = std::chrono::hours{1}; ///< Of Date and created, both ways.
  std::chrono::seconds life_max = std::chrono::hours{12};  ///< expires - created.
  bool allow_missing_query = true; ///< GET signed without its query, as old servers do.
};

/// A signature that may be believed once its key says so.
struct signature_claim {
  signature_scheme scheme = signature_scheme::cavage;
  std::string key_id;
  std::string algorithm;          ///< As claimed; the key decides. "" when it claims none.
  std::string signature;          ///< Raw bytes.
  std::string base;               ///< What was signed.
  std::string base_without_query; ///< For `allow_missing_query`; "" when there is no such reading.
};

/// Reads the signature of a request and checks everything but the key: fields, strength, times,
/// digest. Fails with `errc::unauthenticated` (no or a weak signature, wrong times or digest) or
/// `errc::malformed`; the context says what to change. When both kinds are there, RFC 9421 counts
/// and the other must not make up for it. Takes time linear in the headers.
caf::expected<signature_claim> read_signature(const signed_request& request,
                                              const signature_policy& policy, time_point now);

/// A request of ours to be signed.
struct request_to_sign {
  std::string_view method;
  std::string_view url; ///< Absolute.
  std::string_view body;
  bool has_body = false;
  std::string_view body_sha256; ///< Raw 32 bytes when known; "" and it is computed.
  std::string key_id;
  time_point at;
};

/// What to sign, and how the headers look once it is signed.
struct unsigned_headers {
  std::string base;                                         ///< Sign this.
  std::vector<std::pair<std::string, std::string>> headers; ///< Date, Digest, ...; without Host.
  signature_scheme scheme = signature_scheme::cavage;
  std::string parameters; ///< What `add_signature` needs.
};

unsigned_headers prepare_signature(const request_to_sign& request, signature_scheme scheme);

/// Returns all headers to send, the signature's own included. `signature`: raw bytes.
std::vector<std::pair<std::string, std::string>> add_signature(unsigned_headers prepared,
                                                               std::string_view signature);

} // namespace trunkline
