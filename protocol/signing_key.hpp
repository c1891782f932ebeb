/// RSA keys, parsed once: making, signing, verifying, and keeping them encrypted.
///
/// Parsing is what costs (OpenSSL 3): keep the parsed key. Objects are immutable; any thread.
#pragma once

#include <caf/expected.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace trunkline {

/// A public key that may verify: RSA of 2,048 to 8,192 bits, exponent 3 to 2^32, odd.
class public_key {
public:
  /// Reads PEM: SubjectPublicKeyInfo, or PKCS #1 "RSA PUBLIC KEY". Fails with `errc::invalid` on
  /// everything else, private keys and other algorithms included.
  static caf::expected<public_key> parse(std::string_view pem);

  /// RSASSA-PKCS1-v1_5 with SHA-256: what draft-cavage calls rsa-sha256 and hs2019, and RFC 9421
  /// rsa-v1_5-sha256.
  bool verifies(std::string_view message, std::string_view signature) const;

  /// RSASSA-PSS with SHA-512 (RFC 9421 rsa-pss-sha512).
  bool verifies_pss(std::string_view message, std::string_view signature) const;

private:
  struct state;
  std::shared_ptr<const state> state_;
};

class private_key {
public:
  /// Makes an RSA key of 2,048 bits; takes 50 to 500 ms. Ends the process when there is no entropy.
  static private_key generate();

  /// Reads PKCS #8 PEM. Fails with `errc::invalid`.
  static caf::expected<private_key> parse(std::string_view pem);

  std::string to_pem() const;     ///< PKCS #8
  std::string public_pem() const; ///< SubjectPublicKeyInfo

  /// RSASSA-PKCS1-v1_5 with SHA-256; raw bytes.
  std::string sign(std::string_view message) const;

private:
  struct state;
  std::shared_ptr<const state> state_;
};

/// Encrypts with AES-256-GCM under `key` (32 bytes); a random nonce goes before, the tag behind.
std::string seal(std::string_view key, std::string_view plain);

/// Fails with `errc::storage_broken` when the bytes were not made with this key.
caf::expected<std::string> unseal(std::string_view key, std::string_view sealed);

} // namespace trunkline
