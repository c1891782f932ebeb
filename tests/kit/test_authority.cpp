#include "tests/kit/test_authority.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>

#include <sys/stat.h>

namespace trunkline::kit {

namespace {

struct subject {
  const char* name;
  long serial;
  long valid_from;
  long valid_until;
};

X509* draft(EVP_PKEY* key, const subject& of) {
  auto* made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), of.serial);
  X509_gmtime_adj(X509_getm_notBefore(made), of.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(made), of.valid_until);
  X509_set_pubkey(made, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(of.name), -1, -1, 0);
  return made;
}

void extend(X509* certificate, int kind, const char* value) {
  auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void write(const std::string& path, X509* certificate) {
  auto* out = std::fopen(path.c_str(), "w");
  PEM_write_X509(out, certificate);
  std::fclose(out);
}

void write(const std::string& path, EVP_PKEY* key) {
  auto* out = std::fopen(path.c_str(), "w");
  ::fchmod(::fileno(out), 0600);
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
}

} // namespace

test_authority::test_authority(const char* name)
    : key_{EVP_EC_gen("P-256")},
      certificate_{
          draft(key_, {.name = name, .serial = 1, .valid_from = -7'200, .valid_until = 7'200})} {
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  extend(certificate_, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(certificate_, key_, EVP_sha256());
  write(ca_file(), certificate_);
}

test_authority::~test_authority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

tls_files test_authority::issue(const certificate_wish& wish) {
  auto* pair = EVP_EC_gen("P-256");
  auto* made = draft(pair, {.name = "test peer",
                            .serial = ++issued_ + 1,
                            .valid_from = wish.valid_from,
                            .valid_until = wish.valid_until});
  const auto* issuer = wish.signs_itself ? made : certificate_;
  X509_set_issuer_name(made, X509_get_subject_name(issuer));
  extend(made, NID_subject_alt_name, wish.names.c_str());
  if (!wish.purposes.empty())
    extend(made, NID_ext_key_usage, wish.purposes.c_str());
  X509_sign(made, wish.signs_itself ? pair : key_, EVP_sha256());
  const auto begin = folder_.path + "/" + std::to_string(issued_);
  auto files = tls_files{.certificate = begin + ".pem", .key = begin + ".key"};
  write(files.certificate, made);
  write(files.key, pair);
  X509_free(made);
  EVP_PKEY_free(pair);
  return files;
}

std::string test_authority::revoke(const std::vector<tls_files>& revoked, long valid_until) {
  auto* list = X509_CRL_new();
  X509_CRL_set_version(list, 1);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_));
  auto* at = X509_gmtime_adj(nullptr, -3'600);
  X509_CRL_set1_lastUpdate(list, at);
  for (const auto& files : revoked) {
    auto* in = std::fopen(files.certificate.c_str(), "r");
    auto* certificate = PEM_read_X509(in, nullptr, nullptr, nullptr);
    std::fclose(in);
    auto* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate));
    X509_REVOKED_set_revocationDate(entry, at);
    X509_CRL_add0_revoked(list, entry);
    X509_free(certificate);
  }
  X509_gmtime_adj(at, valid_until);
  X509_CRL_set1_nextUpdate(list, at);
  ASN1_TIME_free(at);
  X509_CRL_sort(list);
  X509_CRL_sign(list, key_, EVP_sha256());
  const auto path = folder_.path + "/revoked" + std::to_string(++issued_) + ".pem";
  auto* out = std::fopen(path.c_str(), "w");
  PEM_write_X509_CRL(out, list);
  std::fclose(out);
  X509_CRL_free(list);
  return path;
}

} // namespace trunkline::kit
