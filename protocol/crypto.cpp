#include "protocol/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>

namespace trunkline {

namespace {

unsigned char* raw(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

/// Fetched once: looking an algorithm up costs more than the hash of a short text. OpenSSL, which
/// stays loaded when this code is unloaded, gets its reference back then.
class kept_digest {
public:
  explicit kept_digest(const char* name) : algorithm_{EVP_MD_fetch(nullptr, name, nullptr)} {}
  kept_digest(const kept_digest&) = delete;
  kept_digest& operator=(const kept_digest&) = delete;
  ~kept_digest() { EVP_MD_free(algorithm_); }

  const EVP_MD* get() const { return algorithm_; }

private:
  EVP_MD* algorithm_;
};

std::string hash(std::string_view bytes, const EVP_MD* algorithm, std::size_t size) {
  auto digest = std::string(size, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), raw(digest), nullptr, algorithm, nullptr) != 1)
    std::abort();
  return digest;
}

std::string encode(std::string_view bytes, std::string_view letters) {
  auto text = std::string{};
  text.reserve((bytes.size() + 2) / 3 * 4);
  auto bits = 0U;
  auto held = 0;
  for (const auto byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6)
      text += letters[(bits >> (held - 6)) & 63];
  }
  if (held > 0)
    text += letters[(bits << (6 - held)) & 63];
  return text;
}

} // namespace

std::string sha256(std::string_view bytes) {
  static const auto algorithm = kept_digest{"SHA256"};
  return hash(bytes, algorithm.get(), 32);
}

std::string sha512(std::string_view bytes) {
  static const auto algorithm = kept_digest{"SHA512"};
  return hash(bytes, algorithm.get(), 64);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  auto digest = std::string(32, '\0');
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), raw(digest),
           nullptr) == nullptr)
    std::abort();
  return digest;
}

std::string random_bytes(std::size_t count) {
  auto bytes = std::string(count, '\0');
  if (RAND_bytes(raw(bytes), static_cast<int>(count)) != 1)
    std::abort();
  return bytes;
}

void forget_thread() {
  OPENSSL_thread_stop();
}

std::string random_secret() {
  return to_base64url(random_bytes(32));
}

std::string to_hex(std::string_view bytes) {
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto text = std::string{};
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  constexpr auto letters =
      std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
  auto text = encode(bytes, letters);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::string to_base64url(std::string_view bytes) {
  constexpr auto letters =
      std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
  return encode(bytes, letters);
}

std::string from_base64(std::string_view text) {
  constexpr auto letters =
      std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
  while (text.ends_with('='))
    text.remove_suffix(1);
  auto bytes = std::string{};
  auto bits = 0U;
  auto held = 0;
  for (const auto letter : text) {
    const auto value = letters.find(letter);
    if (value == std::string_view::npos)
      return {};
    bits = (bits << 6) | static_cast<unsigned>(value);
    held += 6;
    if (held < 8)
      continue;
    held -= 8;
    bytes += static_cast<char>((bits >> held) & 255);
  }
  return bytes;
}

bool same_secret(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

} // namespace trunkline
