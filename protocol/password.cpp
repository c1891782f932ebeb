#include "protocol/password.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <argon2.h>

namespace trunkline {

namespace {

constexpr std::uint32_t passes = 2;
constexpr std::uint32_t memory_kib = 19'456;
constexpr std::uint32_t lanes = 1;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;

/// What an unknown account's password is checked against; computed once.
const std::string& decoy() {
  static const auto hash = hash_password(random_secret());
  static const auto text = hash ? *hash : std::string{};
  return text;
}

bool matches(std::string_view password, const std::string& hash) {
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

} // namespace

caf::expected<std::string> hash_password(std::string_view password) {
  if (password.empty() || password.size() > password_bytes_max)
    return make_error(errc::invalid, "password: must have 1 to 256 bytes");
  const auto salt = random_bytes(salt_bytes);
  auto encoded = std::string(
      argon2_encodedlen(passes, memory_kib, lanes, salt_bytes, hash_bytes, Argon2_id), '\0');
  const auto code =
      argon2id_hash_encoded(passes, memory_kib, lanes, password.data(), password.size(),
                            salt.data(), salt.size(), hash_bytes, encoded.data(), encoded.size());
  if (code != ARGON2_OK)
    return make_error(errc::unavailable, "password: no memory to hash it");
  encoded.resize(encoded.find('\0'));
  return encoded;
}

bool verify_password(std::string_view password, const std::string& hash) {
  if (password.size() > password_bytes_max)
    return false;
  if (!hash.starts_with("$argon2id$")) {
    matches(password, decoy());
    return false;
  }
  return matches(password, hash);
}

} // namespace trunkline
