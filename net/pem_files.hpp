/// INTERNAL to net: reads certificates, keys and lists of revoked certificates from PEM files.
///
/// Every failure is `errc::config_invalid` (`errc::insecure` for a key that others can read) and
/// names what the file is for, the file, and what to do. Blocking; any thread.
#pragma once

#include <caf/expected.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;
struct X509_crl_st;

namespace trunkline {

struct openssl_free {
  void operator()(evp_pkey_st* key) const;
  void operator()(x509_st* certificate) const;
  void operator()(X509_crl_st* list) const;
};

using owned_key = std::unique_ptr<evp_pkey_st, openssl_free>;
using owned_certificate = std::unique_ptr<x509_st, openssl_free>;
using owned_revocations = std::unique_ptr<X509_crl_st, openssl_free>;

/// A file and what it is for, as its setting is called: "certificate", "key".
struct pem_file {
  std::string role;
  std::string path;
  std::size_t bytes_max = 0;

  /// How an error about it begins.
  std::string words() const { return role + ": " + path; }
};

/// Returns at least one certificate, in the order of the file.
caf::expected<std::vector<owned_certificate>> read_certificates(const pem_file& file);

/// Returns the private key of a file that its owner alone may read.
caf::expected<owned_key> read_private_key(const pem_file& file);

/// Returns at least one list, in the order of the file.
caf::expected<std::vector<owned_revocations>> read_revocations(const pem_file& file);

} // namespace trunkline
