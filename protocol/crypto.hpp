/// Hashes, random bytes and their text forms, on OpenSSL.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trunkline {

/// Returns the 32 bytes of SHA-256 over `bytes`.
std::string sha256(std::string_view bytes);

/// Returns the 64 bytes of SHA-512 over `bytes`.
std::string sha512(std::string_view bytes);

/// Returns the 32 bytes of HMAC-SHA256 (RFC 2104) of `bytes` with `key`.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// Returns `count` bytes fit for keys and tokens. Ends the process when the system has none.
std::string random_bytes(std::size_t count);

/// Returns a new secret of 32 random bytes as 43 letters of base64url: a token, code or password.
std::string random_secret();

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);

/// RFC 4648 section 4, with padding.
std::string to_base64(std::string_view bytes);

/// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);

/// Reads RFC 4648 section 4, with or without padding; "" when it is none.
std::string from_base64(std::string_view text);

/// Frees what OpenSSL keeps for the calling thread (random numbers, errors), which it makes anew
/// when it is needed.
void forget_thread();

/// Compares in a time that depends on the lengths alone.
bool same_secret(std::string_view left, std::string_view right);

} // namespace trunkline
