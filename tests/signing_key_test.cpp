#include "protocol/signing_key.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>

#include <chrono>

using namespace trunkline;

namespace {

/// RFC 9421 B.1.1: PKCS #1.
constexpr auto pkcs1_pem = std::string_view{R"(-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAhAKYdtoeoy8zcAcR874L8cnZxKzAGwd7v36APp7Pv6Q2jdsPBRrw
WEBnez6d0UDKDwGbc6nxfEXAy5mbhgajzrw3MOEt8uA5txSKobBpKDeBLOsdJKFq
MGmXCQvEG7YemcxDTRPxAleIAgYYRjTSd/QBwVW9OwNFhekro3RtlinV0a75jfZg
kne/YiktSvLG34lw2zqXBDTC5NHROUqGTlML4PlNZS5Ri2U4aCNx2rUPRcKIlE0P
uKxI4T+HIaFpv8+rdV6eUgOrB2xeI1dSFFn/nnv5OoZJEIB+VmuKn3DCUcCZSFlQ
PSXSfBDiUGhwOw76WuSSsf1D4b/vLoJ10wIDAQAB
-----END RSA PUBLIC KEY-----
)"};

constexpr auto ec_pem = std::string_view{R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----
)"};

constexpr auto ed25519_pem = std::string_view{R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
)"};

const private_key& own_key() {
  static const auto key = private_key::generate();
  return key;
}

public_key public_half(const private_key& key) {
  auto half = public_key::parse(key.public_pem());
  REQUIRE(half);
  return *half;
}

std::string in_pem(std::string_view der, const std::string& label = "PUBLIC KEY") {
  return "-----BEGIN " + label + "-----\n" + to_base64(der) + "\n-----END " + label + "-----\n";
}

/// Makes a public key of any modulus and exponent, sound or not.
std::string public_pem_of(int modulus_bits, const std::string& exponent, bool odd = true) {
  auto* modulus = BN_new();
  REQUIRE(BN_rand(modulus, modulus_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1);
  if (!odd)
    BN_sub_word(modulus, 1);
  BIGNUM* power = nullptr;
  REQUIRE(BN_dec2bn(&power, exponent.c_str()) > 0);
  auto* build = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, power);
  auto* params = OSSL_PARAM_BLD_to_param(build);
  auto* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  REQUIRE(EVP_PKEY_fromdata_init(context) == 1);
  REQUIRE(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
  unsigned char* bytes = nullptr;
  const auto size = i2d_PUBKEY(key, &bytes);
  REQUIRE(size > 0);
  auto der = std::string(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(build);
  BN_free(power);
  BN_free(modulus);
  return in_pem(der);
}

/// A key that may do nothing but RSASSA-PSS: another algorithm by its name.
std::string pss_only_pem() {
  auto* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr);
  EVP_PKEY* key = nullptr;
  REQUIRE(EVP_PKEY_keygen_init(context) == 1);
  REQUIRE(EVP_PKEY_generate(context, &key) == 1);
  unsigned char* bytes = nullptr;
  const auto size = i2d_PUBKEY(key, &bytes);
  REQUIRE(size > 0);
  const auto der = std::string(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  return in_pem(der);
}

} // namespace

TEST_CASE("what a key signs, its public half verifies, and nothing else", "[signing_key]") {
  const auto half = public_half(own_key());
  const auto signature = own_key().sign("a message");
  CHECK(signature.size() == 256);
  CHECK(half.verifies("a message", signature));
  CHECK(!half.verifies("a massage", signature));
  CHECK(!half.verifies("a message", ""));
  CHECK(!half.verifies("a message", signature.substr(1)));
  CHECK(!half.verifies("a message", signature + '\0'));
  CHECK(!half.verifies("", signature));
  CHECK(!half.verifies_pss("a message", signature));
  for (std::size_t at = 0; at < signature.size(); at += 17) {
    auto altered = signature;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    CHECK(!half.verifies("a message", altered));
  }
  CHECK(!public_half(private_key::generate()).verifies("a message", signature));
  CHECK(!public_key{}.verifies("a message", signature));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a private key survives its text form", "[signing_key]") {
  const auto pem = own_key().to_pem();
  CHECK(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto again = private_key::parse(pem);
  REQUIRE(again);
  CHECK(again->to_pem() == pem);
  CHECK(again->public_pem() == own_key().public_pem());
  CHECK(again->sign("text") == own_key().sign("text"));
}

TEST_CASE("public keys are read in both of their text forms, loosely wrapped", "[signing_key]") {
  CHECK(public_key::parse(pkcs1_pem));
  const auto pem = own_key().public_pem();
  CHECK(public_key::parse(pem));
  CHECK(public_key::parse("\r\n  " + pem + "\n\n"));
  auto windows = std::string{};
  auto one_line = std::string{};
  for (const auto letter : pem) {
    windows += letter == '\n' ? "\r\n" : std::string(1, letter);
    if (letter != '\n')
      one_line += letter;
  }
  CHECK(public_key::parse(windows));
  CHECK(public_key::parse(one_line));
}

TEST_CASE("A18: keys that are weak, costly, of another kind or secret are refused",
          "[signing_key][A18]") {
  const auto pem = own_key().public_pem();
  const auto refused = std::vector<std::pair<std::string, std::string>>{
      {"RSA-512", public_pem_of(512, "65537")},
      {"RSA-2047", public_pem_of(2047, "65537")},
      {"RSA-8193", public_pem_of(8193, "65537")},
      {"RSA-32768", public_pem_of(32'768, "65537")},
      {"exponent 1", public_pem_of(2048, "1")},
      {"exponent 2", public_pem_of(2048, "2")},
      {"even exponent", public_pem_of(2048, "65536")},
      {"exponent past 2^32", public_pem_of(2048, "4294967297")},
      {"exponent of 2,000 bits", public_pem_of(2048, "1" + std::string(600, '0') + "1")},
      {"even modulus", public_pem_of(2048, "65537", false)},
      {"RSASSA-PSS alone", pss_only_pem()},
      {"elliptic curve", std::string{ec_pem}},
      {"ed25519", std::string{ed25519_pem}},
      {"nothing", ""},
      {"white space", " \n"},
      {"garbage", "MIIBCgKCAQEAhAKY"},
      {"garbage in PEM", in_pem("garbage")},
      {"empty PEM", in_pem("")},
      {"a private key", own_key().to_pem()},
      {"a private key called public", in_pem(from_base64("MAA="))},
      {"a private key behind", pem + own_key().to_pem()},
      {"a private key before", own_key().to_pem() + pem},
      {"two keys", pem + pem},
      {"cut", pem.substr(0, pem.size() / 2)},
      {"foot of another kind", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----"},
      {"head alone", "-----BEGIN PUBLIC KEY-----"},
      {"huge", "-----BEGIN PUBLIC KEY-----" + std::string(1 << 20, 'A')},
      {"NUL", std::string(40, '\0')},
  };
  for (const auto& [name, text] : refused) {
    CAPTURE(name);
    const auto key = public_key::parse(text);
    REQUIRE(!key);
    CHECK(code_of(key.error()) == errc::invalid);
    CHECK(context_of(key.error()).find("BEGIN") == std::string::npos);
  }
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("A18: the largest key that is taken verifies fast", "[signing_key][A18]") {
  for (const auto bits : {2048, 4096, 8192})
    for (const auto* exponent : {"3", "65537", "4294967295"}) {
      CAPTURE(bits, exponent);
      const auto key = public_key::parse(public_pem_of(bits, exponent));
      REQUIRE(key);
      const auto size = static_cast<std::size_t>(bits / 8);
      const auto begin = std::chrono::steady_clock::now();
      CHECK(!key->verifies("message", std::string(size, '\1')));
      CHECK(!key->verifies_pss("message", std::string(size, '\1')));
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds{100});
    }
}

TEST_CASE("private keys are refused in every form but PKCS #8 of RSA", "[signing_key]") {
  const auto pem = own_key().to_pem();
  const auto refused = std::vector<std::string>{
      "",
      own_key().public_pem(),
      std::string{pkcs1_pem},
      pem.substr(0, pem.size() / 2),
      pem + pem,
      in_pem("garbage", "PRIVATE KEY"),
      // ed25519 of RFC 9421 B.1.4
      in_pem(from_base64("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"),
             "PRIVATE KEY"),
  };
  for (const auto& text : refused) {
    CAPTURE(text);
    const auto key = private_key::parse(text);
    REQUIRE(!key);
    CHECK(code_of(key.error()) == errc::invalid);
  }
}

TEST_CASE("what is sealed opens with its key alone", "[signing_key][seal]") {
  const auto key = std::string(32, 'k');
  for (const auto* plain : {"", "x", "a private key"}) {
    const auto sealed = seal(key, plain);
    CHECK(sealed.size() == std::string_view{plain}.size() + 28);
    const auto opened = unseal(key, sealed);
    REQUIRE(opened);
    CHECK(*opened == plain);
    CHECK(seal(key, plain) != sealed);
    CHECK(!unseal(std::string(32, 'l'), sealed));
    CHECK(!unseal(std::string(31, 'k'), sealed));
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      auto altered = sealed;
      altered[at] = static_cast<char>(altered[at] ^ 0x40);
      const auto refused = unseal(key, altered);
      REQUIRE(!refused);
      CHECK(code_of(refused.error()) == errc::storage_broken);
      CHECK(!unseal(key, sealed.substr(0, at)));
    }
  }
}
