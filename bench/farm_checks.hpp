/// Whether deliveries are signed as every server of the field would check them: the digest of every
/// body, the draft-cavage signature of a sample. On OpenSSL itself, not on the code under test.
#pragma once

#include "bench/farm_request.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace trunkline::bench {

using body_hash = std::array<unsigned char, 32>;

class farm_checks {
public:
  struct counts {
    std::uint64_t bodies = 0;
    std::uint64_t digests_wrong = 0;
    std::uint64_t signatures = 0;
    std::uint64_t signatures_wrong = 0;
    std::uint64_t keys_unknown = 0; ///< Not checked: nobody taught the key.
  };

  /// Checks the signature of every `sample`-th delivery; 0: of none.
  explicit farm_checks(std::uint64_t sample) : sample_{sample} {}

  /// Learns the public key of `key_id`; false when `pem` holds none.
  bool learn(std::string_view key_id, std::string_view pem);

  /// Checks one delivery and returns the SHA-256 of its body.
  body_hash check(const farm_request& request);

  void reset() { counts_ = {}; }
  const counts& counted() const { return counts_; }
  const std::vector<std::string>& problems() const { return problems_; }

private:
  struct free_key {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };

  void check_signature(const farm_request& request);
  void report(std::string_view what, const farm_request& request);

  std::uint64_t sample_;
  counts counts_;
  std::unordered_map<std::string, std::unique_ptr<EVP_PKEY, free_key>> keys_;
  std::vector<std::string> problems_; ///< The first `problems_max`.
};

} // namespace trunkline::bench
