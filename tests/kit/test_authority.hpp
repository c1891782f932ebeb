/// A certificate authority for tests, and the certificates that it signs, as files.
#pragma once

#include "tests/kit/net_fixture.hpp"
#include "tests/kit/peer_server.hpp"

#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace trunkline::kit {

/// What a certificate says.
struct certificate_wish {
  std::string names = "IP:127.0.0.1"; ///< As OpenSSL writes subjectAltName.
  long valid_from = -3'600;           ///< Seconds from now.
  long valid_until = 3'600;
  bool signs_itself = false; ///< Instead of the authority.
  std::string purposes;      ///< As OpenSSL writes extendedKeyUsage; "": any.
};

class test_authority {
public:
  explicit test_authority(const char* name = "test authority");
  test_authority(const test_authority&) = delete;
  test_authority& operator=(const test_authority&) = delete;
  ~test_authority();

  /// PEM; for `http_client_options::ca_file`.
  std::string ca_file() const { return folder_.path + "/ca.pem"; }

  /// The files live as long as the authority.
  tls_files issue(const certificate_wish& wish = {});

  /// Returns a new list (PEM) of what is revoked, valid until so many seconds from now.
  std::string revoke(const std::vector<tls_files>& revoked, long valid_until = 3'600);

private:
  temporary_folder folder_;
  evp_pkey_st* key_;
  x509_st* certificate_;
  int issued_ = 0;
};

} // namespace trunkline::kit
