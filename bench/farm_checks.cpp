#include "bench/farm_checks.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <optional>

namespace trunkline::bench {

namespace {

constexpr std::size_t problems_max = 20;

std::vector<unsigned char> unbase64(std::string_view text) {
  auto bytes = std::vector<unsigned char>(text.size() / 4 * 3 + 3);
  const auto* letters = reinterpret_cast<const unsigned char*>(text.data());
  const auto written = EVP_DecodeBlock(bytes.data(), letters, static_cast<int>(text.size()));
  const auto padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(written < padding ? 0 : static_cast<std::size_t>(written - padding));
  return bytes;
}

/// Returns what stands in quotes after NAME= in a Signature header.
std::string_view field_of(std::string_view header, std::string_view name) {
  for (auto at = header.find(name); at != std::string_view::npos; at = header.find(name, at + 1)) {
    const auto begin = at + name.size() + 2;
    if ((at != 0 && header[at - 1] != ',' && header[at - 1] != ' ') || begin > header.size() ||
        header.substr(at + name.size(), 2) != "=\"")
      continue;
    return header.substr(begin, header.find('"', begin) - begin);
  }
  return {};
}

/// What was signed; nothing when the list of headers lacks one that must be in it.
std::optional<std::string> signed_text(const farm_request& request, std::string_view names) {
  auto text = std::string{};
  auto needed = 0;
  while (!names.empty()) {
    const auto name = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    needed += name == "(request-target)" || name == "host" || name == "date" || name == "digest";
    text.append(text.empty() ? "" : "\n").append(name).append(": ");
    if (name == "(request-target)")
      text.append("post ").append(request.target);
    else
      text.append(header_of(request, name));
  }
  if (needed != 4)
    return {};
  return text;
}

bool verifies(EVP_PKEY* key, std::string_view text, const std::vector<unsigned char>& signature) {
  auto* context = EVP_MD_CTX_new();
  const auto good =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context, signature.data(), signature.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

} // namespace

bool farm_checks::learn(std::string_view key_id, std::string_view pem) {
  auto* source = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  auto* key = PEM_read_bio_PUBKEY(source, nullptr, nullptr, nullptr);
  BIO_free(source);
  if (!key)
    return false;
  keys_[std::string{key_id}].reset(key);
  return true;
}

body_hash farm_checks::check(const farm_request& request) {
  auto hash = body_hash{};
  SHA256(reinterpret_cast<const unsigned char*>(request.body.data()), request.body.size(),
         hash.data());
  ++counts_.bodies;
  constexpr auto prefix = std::string_view{"SHA-256="};
  unsigned char text[48];
  EVP_EncodeBlock(text, hash.data(), static_cast<int>(hash.size()));
  const auto expected = std::string_view{reinterpret_cast<const char*>(text), 44};
  if (!request.digest.starts_with(prefix) || request.digest.substr(prefix.size()) != expected) {
    ++counts_.digests_wrong;
    report("digest", request);
  }
  if (sample_ && counts_.bodies % sample_ == 0)
    check_signature(request);
  return hash;
}

void farm_checks::check_signature(const farm_request& request) {
  const auto key = keys_.find(std::string{field_of(request.signature, "keyId")});
  if (key == keys_.end()) {
    ++counts_.keys_unknown;
    return;
  }
  ++counts_.signatures;
  const auto text = signed_text(request, field_of(request.signature, "headers"));
  const auto signature = unbase64(field_of(request.signature, "signature"));
  if (text && verifies(key->second.get(), *text, signature))
    return;
  ++counts_.signatures_wrong;
  report(text ? "signature" : "signed headers", request);
}

void farm_checks::report(std::string_view what, const farm_request& request) {
  if (problems_.size() < problems_max)
    problems_.push_back(std::string{what} + ": " + std::string{request.target} + " " +
                        std::string{request.head.substr(0, 600)});
}

} // namespace trunkline::bench
