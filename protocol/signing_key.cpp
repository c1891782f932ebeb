#include "protocol/signing_key.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cassert>
#include <cstdlib>
#include <optional>

namespace trunkline {

namespace {

constexpr int modulus_bits_min = 2'048;
constexpr int modulus_bits_max = 8'192;
constexpr int exponent_bits_max = 32;
constexpr std::size_t pem_bytes_max = 16'384;

constexpr std::size_t seal_key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using key_handle = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, freed_by<EVP_CIPHER_CTX_free>>;
using big_number = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using pkcs8_handle = std::unique_ptr<PKCS8_PRIV_KEY_INFO, freed_by<PKCS8_PRIV_KEY_INFO_free>>;

/// What fails here must not stay in the thread's error queue: TLS would take it for its own.
class quiet_errors {
public:
  quiet_errors() { ERR_set_mark(); }
  ~quiet_errors() { ERR_pop_to_mark(); }
  quiet_errors(const quiet_errors&) = delete;
  quiet_errors& operator=(const quiet_errors&) = delete;
};

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

/// Fetched once, because that is slow. OpenSSL, which stays loaded when this code is unloaded, gets
/// its reference back then.
template <class T, auto Free>
class fetched {
public:
  explicit fetched(T* algorithm) : algorithm_{algorithm} {}
  fetched(const fetched&) = delete;
  fetched& operator=(const fetched&) = delete;
  ~fetched() { Free(algorithm_); }

  const T* get() const { return algorithm_; }

private:
  T* algorithm_;
};

using fetched_digest = fetched<EVP_MD, EVP_MD_free>;
using fetched_cipher = fetched<EVP_CIPHER, EVP_CIPHER_free>;

const EVP_MD* sha256_algorithm() {
  static const auto algorithm = fetched_digest{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  return algorithm.get();
}

const EVP_MD* sha512_algorithm() {
  static const auto algorithm = fetched_digest{EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  return algorithm.get();
}

const EVP_CIPHER* seal_algorithm() {
  static const auto algorithm = fetched_cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
  return algorithm.get();
}

constexpr auto white_space = std::string_view{" \t\r\n"};

/// Returns the bytes of the one PEM block `label` that `pem` is, or "".
std::string der_of(std::string_view pem, const std::string& label) {
  if (pem.size() > pem_bytes_max)
    return {};
  const auto first = pem.find_first_not_of(white_space);
  if (first == std::string_view::npos)
    return {};
  pem = pem.substr(first, pem.find_last_not_of(white_space) + 1 - first);
  const auto head = "-----BEGIN " + label + "-----";
  const auto foot = "-----END " + label + "-----";
  if (pem.size() < head.size() + foot.size() || !pem.starts_with(head) || !pem.ends_with(foot))
    return {};
  pem.remove_prefix(head.size());
  pem.remove_suffix(foot.size());
  auto letters = std::string{};
  for (const auto letter : pem)
    if (white_space.find(letter) == std::string_view::npos)
      letters += letter;
  auto der = from_base64(letters);
  OPENSSL_cleanse(letters.data(), letters.size());
  return der;
}

std::string pem_of(std::string_view der, const std::string& label) {
  constexpr std::size_t line_letters = 64;
  auto letters = to_base64(der);
  auto pem = "-----BEGIN " + label + "-----\n";
  for (std::size_t at = 0; at < letters.size(); at += line_letters)
    pem.append(letters, at, line_letters).append("\n");
  OPENSSL_cleanse(letters.data(), letters.size());
  return pem + "-----END " + label + "-----\n";
}

big_number number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key, name, &value);
  return big_number{value};
}

/// Small keys are weak, large ones and large exponents cost their reader time.
bool is_acceptable(const EVP_PKEY* key) {
  if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
    return false;
  const auto modulus = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  const auto exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent)
    return false;
  const auto bits = BN_num_bits(modulus.get());
  return bits >= modulus_bits_min && bits <= modulus_bits_max && BN_is_odd(modulus.get()) &&
         BN_is_odd(exponent.get()) && !BN_is_one(exponent.get()) &&
         BN_num_bits(exponent.get()) <= exponent_bits_max;
}

key_handle read_public(std::string_view pem) {
  auto der = der_of(pem, "PUBLIC KEY");
  const auto is_pkcs1 = der.empty();
  if (is_pkcs1)
    der = der_of(pem, "RSA PUBLIC KEY");
  if (der.empty())
    return nullptr;
  const auto* at = raw(std::string_view{der});
  const auto size = static_cast<long>(der.size());
  auto key = key_handle{is_pkcs1 ? d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size)
                                 : d2i_PUBKEY(nullptr, &at, size)};
  return at == raw(std::string_view{der}) + der.size() ? std::move(key) : nullptr;
}

key_handle read_private(std::string_view pem) {
  auto der = der_of(pem, "PRIVATE KEY");
  if (der.empty())
    return nullptr;
  const auto* at = raw(std::string_view{der});
  const auto info =
      pkcs8_handle{d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size()))};
  const auto is_whole = at == raw(std::string_view{der}) + der.size();
  OPENSSL_cleanse(der.data(), der.size());
  return info && is_whole ? key_handle{EVP_PKCS82PKEY(info.get())} : nullptr;
}

/// Runs one of OpenSSL's i2d functions; ends the process when memory is out.
template <class Write>
std::string written(const Write& write) {
  unsigned char* bytes = nullptr;
  const auto size = write(&bytes);
  if (size <= 0)
    std::abort();
  auto der = std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
  return der;
}

bool sets_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context, sha512_algorithm()) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha512_algorithm()) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool sets_pkcs1(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context, sha256_algorithm()) == 1;
}

bool verifies_hash(EVP_PKEY* key, bool (*set)(EVP_PKEY_CTX*), std::string_view hash,
                   std::string_view signature) {
  const auto errors = quiet_errors{};
  const auto context = key_context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
  return context && EVP_PKEY_verify_init(context.get()) == 1 && set(context.get()) &&
         EVP_PKEY_verify(context.get(), raw(signature), signature.size(), raw(hash), hash.size()) ==
             1;
}

/// Returns the text that `sealed` hides, or nothing when its tag is wrong.
std::optional<std::string> opened(std::string_view key, std::string_view sealed) {
  if (key.size() != seal_key_bytes || sealed.size() < nonce_bytes + tag_bytes)
    return std::nullopt;
  const auto hidden = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
  auto tag = std::string{sealed.substr(sealed.size() - tag_bytes)};
  auto plain = std::string(hidden.size(), '\0');
  auto size = 0;
  const auto context = cipher_context{EVP_CIPHER_CTX_new()};
  if (!context ||
      EVP_DecryptInit_ex2(context.get(), seal_algorithm(), raw(key), raw(sealed), nullptr) != 1 ||
      EVP_DecryptUpdate(context.get(), raw(plain), &size, raw(hidden),
                        static_cast<int>(hidden.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(context.get(), raw(plain) + size, &size) != 1) {
    OPENSSL_cleanse(plain.data(), plain.size());
    return std::nullopt;
  }
  return plain;
}

} // namespace

struct public_key::state {
  key_handle key;
};

struct private_key::state {
  key_handle key;
};

caf::expected<public_key> public_key::parse(std::string_view pem) {
  const auto errors = quiet_errors{};
  auto handle = read_public(pem);
  if (!is_acceptable(handle.get()))
    return make_error(errc::invalid, "public key: must be RSA of 2,048 to 8,192 bits in PEM");
  auto key = public_key{};
  key.state_ = std::make_shared<const state>(state{std::move(handle)});
  return key;
}

bool public_key::verifies(std::string_view message, std::string_view signature) const {
  return state_ && verifies_hash(state_->key.get(), sets_pkcs1, sha256(message), signature);
}

bool public_key::verifies_pss(std::string_view message, std::string_view signature) const {
  return state_ && verifies_hash(state_->key.get(), sets_pss, sha512(message), signature);
}

private_key private_key::generate() {
  auto handle = key_handle{EVP_RSA_gen(modulus_bits_min)};
  if (!handle)
    std::abort();
  auto key = private_key{};
  key.state_ = std::make_shared<const state>(state{std::move(handle)});
  return key;
}

caf::expected<private_key> private_key::parse(std::string_view pem) {
  const auto errors = quiet_errors{};
  auto handle = read_private(pem);
  if (!is_acceptable(handle.get()))
    return make_error(errc::invalid, "private key: must be RSA of 2,048 to 8,192 bits in PKCS #8");
  auto key = private_key{};
  key.state_ = std::make_shared<const state>(state{std::move(handle)});
  return key;
}

std::string private_key::to_pem() const {
  assert(state_);
  const auto info = pkcs8_handle{EVP_PKEY2PKCS8(state_->key.get())};
  if (!info)
    std::abort();
  auto der = written([&](unsigned char** out) { return i2d_PKCS8_PRIV_KEY_INFO(info.get(), out); });
  auto pem = pem_of(der, "PRIVATE KEY");
  OPENSSL_cleanse(der.data(), der.size());
  return pem;
}

std::string private_key::public_pem() const {
  assert(state_);
  return pem_of(written([this](unsigned char** out) { return i2d_PUBKEY(state_->key.get(), out); }),
                "PUBLIC KEY");
}

std::string private_key::sign(std::string_view message) const {
  assert(state_);
  const auto hash = sha256(message);
  const auto context = key_context{EVP_PKEY_CTX_new_from_pkey(nullptr, state_->key.get(), nullptr)};
  auto signature =
      std::string(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get())), '\0');
  auto size = signature.size();
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 || !sets_pkcs1(context.get()) ||
      EVP_PKEY_sign(context.get(), raw(signature), &size, raw(std::string_view{hash}),
                    hash.size()) != 1)
    std::abort();
  signature.resize(size);
  return signature;
}

std::string seal(std::string_view key, std::string_view plain) {
  const auto nonce = random_bytes(nonce_bytes);
  auto hidden = std::string(plain.size(), '\0');
  auto tag = std::string(tag_bytes, '\0');
  auto size = 0;
  const auto context = cipher_context{EVP_CIPHER_CTX_new()};
  if (key.size() != seal_key_bytes || !context ||
      EVP_EncryptInit_ex2(context.get(), seal_algorithm(), raw(key), raw(std::string_view{nonce}),
                          nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), raw(hidden), &size, raw(plain),
                        static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), raw(hidden) + size, &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag.data()) != 1)
    std::abort();
  return nonce + hidden + tag;
}

caf::expected<std::string> unseal(std::string_view key, std::string_view sealed) {
  const auto errors = quiet_errors{};
  auto plain = opened(key, sealed);
  if (!plain)
    return make_error(errc::storage_broken, "sealed key: was not made with this secret");
  return std::move(*plain);
}

} // namespace trunkline
