#include "tests/kit/test_authority.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>

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
  extend(certificate_, NID_key_usage, "critical,keyCertSign");
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
  X509_sign(made, wish.signs_itself ? pair : key_, EVP_sha256());
  const auto begin = folder_.path + "/" + std::to_string(issued_);
  auto files = tls_files{.certificate = begin + ".pem", .key = begin + ".key"};
  write(files.certificate, made);
  write(files.key, pair);
  X509_free(made);
  EVP_PKEY_free(pair);
  return files;
}

} // namespace trunkline::kit
