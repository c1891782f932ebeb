#include "net/pem_files.hpp"

#include "protocol/errc.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trunkline {

namespace {

/// A descriptor that is closed with it.
class open_file {
public:
  explicit open_file(const std::string& path)
      // Non-blocking: a FIFO in its place must not stop the start.
      : descriptor_{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)} {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  int get() const { return descriptor_; }

private:
  int descriptor_;
};

struct bio_free {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using owned_bio = std::unique_ptr<BIO, bio_free>;

caf::error unreadable(const pem_file& file, int failure) {
  return make_error(errc::config_invalid, file.words() + " cannot be read (" +
                                              std::generic_category().message(failure) +
                                              "); check the path and who may read it");
}

caf::expected<std::string> read_text(const pem_file& file, bool is_secret) {
  if (file.path.empty())
    return make_error(errc::config_invalid, file.role + ": no file is named");
  const open_file open{file.path};
  struct stat facts = {};
  if (open.get() < 0 || ::fstat(open.get(), &facts) != 0)
    return unreadable(file, errno);
  if (!S_ISREG(facts.st_mode))
    return make_error(errc::config_invalid, file.words() + " is no regular file");
  if (is_secret && (facts.st_mode & 077) != 0)
    return make_error(errc::insecure,
                      file.words() + " can be read by others; chmod 600 " + file.path);
  std::string text;
  std::array<char, 4'096> part;
  while (text.size() <= file.bytes_max) {
    const auto got = ::read(open.get(), part.data(), part.size());
    if (got < 0)
      return unreadable(file, errno);
    if (got == 0)
      return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return make_error(errc::config_invalid,
                    file.words() + " is longer than " + std::to_string(file.bytes_max) + " bytes");
}

/// Answers OpenSSL's question for a passphrase, which would else go to the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

bool is_end_of_file() {
  const auto last = ERR_peek_last_error();
  return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

template <class Owned, class Read>
caf::expected<std::vector<Owned>> read_all(const pem_file& file, const char* what, Read read) {
  auto text = read_text(file, false);
  if (!text)
    return std::move(text.error());
  const owned_bio bio{BIO_new_mem_buf(text->data(), static_cast<int>(text->size()))};
  std::vector<Owned> all;
  ERR_clear_error();
  while (auto* next = read(bio.get(), nullptr, no_passphrase, nullptr))
    all.emplace_back(next);
  const auto ended_well = is_end_of_file();
  ERR_clear_error();
  if (all.empty() || !ended_well)
    return make_error(errc::config_invalid, file.words() + " holds " +
                                                (all.empty() ? "no " : "a broken ") + what +
                                                " in PEM form; make it with make-certificates.sh");
  return all;
}

} // namespace

void openssl_free::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

void openssl_free::operator()(x509_st* certificate) const {
  X509_free(certificate);
}

void openssl_free::operator()(X509_crl_st* list) const {
  X509_CRL_free(list);
}

caf::expected<std::vector<owned_certificate>> read_certificates(const pem_file& file) {
  return read_all<owned_certificate>(file, "certificate", PEM_read_bio_X509);
}

caf::expected<owned_key> read_private_key(const pem_file& file) {
  auto text = read_text(file, true);
  if (!text)
    return std::move(text.error());
  const owned_bio bio{BIO_new_mem_buf(text->data(), static_cast<int>(text->size()))};
  owned_key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
  ERR_clear_error();
  OPENSSL_cleanse(text->data(), text->size());
  if (!key)
    return make_error(errc::config_invalid,
                      file.words() + " holds no private key in PEM form, or one with a passphrase, "
                                     "which a node cannot be asked for");
  return key;
}

caf::expected<std::vector<owned_revocations>> read_revocations(const pem_file& file) {
  return read_all<owned_revocations>(file, "list of revoked certificates", PEM_read_bio_X509_CRL);
}

} // namespace trunkline
