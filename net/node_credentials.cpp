#include "net/node_credentials.hpp"

#include "net/pem_files.hpp"
#include "protocol/errc.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>
#include <vector>

namespace trunkline {

namespace {

constexpr std::size_t node_name_max = 63;

struct context_free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using owned_context = std::unique_ptr<SSL_CTX, context_free>;

struct names_free {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct check_free {
  void operator()(X509_STORE_CTX* check) const { X509_STORE_CTX_free(check); }
};
using owned_check = std::unique_ptr<X509_STORE_CTX, check_free>;

struct stack_free {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_free(chain); }
};

struct lists_free {
  void operator()(STACK_OF(X509_CRL) * lists) const { sk_X509_CRL_pop_free(lists, X509_CRL_free); }
};

/// The files of a node, read but not believed yet.
struct node_papers {
  pem_file certificate;
  pem_file key;
  pem_file authority;
  pem_file revoked;
  std::vector<owned_certificate> chain;
  owned_key secret;
  std::vector<owned_certificate> authorities;
  std::vector<owned_revocations> revocations;
};

/// Where an SSL points to who judges its peer's name.
int judge_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

std::time_t seconds_of(time_point at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

time_point time_of(const ASN1_TIME* at) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(at, &parts) != 1)
    return time_point::min();
  return time_point{std::chrono::seconds{::timegm(&parts)}};
}

caf::error refuse(const std::string& words) {
  return make_error(errc::config_invalid, words);
}

// --- names ---

bool is_node_name(std::string_view name) {
  return !name.empty() && name.size() <= node_name_max && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<std::string> dns_names_of(const X509* certificate) {
  std::vector<std::string> all;
  const std::unique_ptr<GENERAL_NAMES, names_free> names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int at = 0; at < sk_GENERAL_NAME_num(names.get()); ++at) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), at);
    if (name->type != GEN_DNS)
      continue;
    const auto* text = ASN1_STRING_get0_data(name->d.dNSName);
    all.emplace_back(reinterpret_cast<const char*>(text),
                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return all;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

caf::error check_name(const node_papers& papers, const std::string& name) {
  const auto* own = papers.chain.front().get();
  if (node_name_of(papers.chain.front().get()) == name)
    return caf::none;
  return refuse(papers.certificate.words() + " is not for the node " + name +
                ": its DNS names are " + listed(dns_names_of(own)) +
                ", and the first one counts; make one with make-certificates.sh");
}

// --- what a certificate is judged by ---

/// An authority without a list of its own has revoked nothing. One whose list cannot be applied
/// (to a part of its certificates, say) is not pardoned.
bool is_want_of_list(X509_STORE_CTX* check) {
  if (X509_STORE_CTX_get_error(check) != X509_V_ERR_UNABLE_TO_GET_CRL)
    return false;
  const std::unique_ptr<STACK_OF(X509_CRL), lists_free> lists{X509_STORE_CTX_get1_crls(
      check, X509_get_issuer_name(X509_STORE_CTX_get_current_cert(check)))};
  if (sk_X509_CRL_num(lists.get()) > 0)
    return false;
  X509_STORE_CTX_set_error(check, X509_V_OK);
  return true;
}

int judge_chain(int accepted, X509_STORE_CTX* check) {
  return accepted == 1 || is_want_of_list(check) ? 1 : 0;
}

int judge_peer(int accepted, X509_STORE_CTX* check) {
  if (accepted != 1)
    return is_want_of_list(check) ? 1 : 0;
  if (X509_STORE_CTX_get_error_depth(check) != 0)
    return 1;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* judge = static_cast<const name_judge*>(SSL_get_ex_data(ssl, judge_index()));
  if ((*judge)(node_name_of(X509_STORE_CTX_get_current_cert(check))))
    return 1;
  X509_STORE_CTX_set_error(check, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

caf::error check_list(const node_papers& papers, X509_CRL* list, time_point now) {
  const auto words = papers.revoked.words();
  auto at = seconds_of(now);
  const auto issuer = std::ranges::find_if(papers.authorities, [&](const auto& authority) {
    auto* key = X509_get0_pubkey(authority.get());
    return X509_NAME_cmp(X509_get_subject_name(authority.get()), X509_CRL_get_issuer(list)) == 0 &&
           key != nullptr && X509_CRL_verify(list, key) == 1;
  });
  ERR_clear_error();
  if (issuer == papers.authorities.end())
    return refuse(words + " was not made by the cluster's CA in " + papers.authority.path);
  const auto* until = X509_CRL_get0_nextUpdate(list);
  if (until != nullptr && X509_cmp_time(until, &at) <= 0)
    return refuse(words + " has expired on " + to_iso8601(time_of(until)) +
                  "; make it anew with make-certificates.sh --revoke");
  if (X509_cmp_time(X509_CRL_get0_lastUpdate(list), &at) > 0)
    return refuse(words + " is not valid yet; check the clock");
  return caf::none;
}

caf::error fill_store(X509_STORE* store, const node_papers& papers, time_point now) {
  for (const auto& authority : papers.authorities) {
    if (X509_check_ca(authority.get()) != 1)
      return refuse(papers.authority.words() + " holds a certificate that is no CA's; name the "
                                               "file of the CA itself");
    X509_STORE_add_cert(store, authority.get());
  }
  for (const auto& list : papers.revocations) {
    if (auto failure = check_list(papers, list.get(), now))
      return failure;
    X509_STORE_add_crl(store, list.get());
  }
  // A cluster's CA may itself be signed by one that signs for others as well: those do not count.
  auto flags = static_cast<unsigned long>(X509_V_FLAG_PARTIAL_CHAIN);
  if (!papers.revocations.empty())
    flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  X509_STORE_set_flags(store, flags);
  X509_STORE_set_verify_cb(store, judge_chain);
  return caf::none;
}

// --- the own certificate ---

time_point end_of(const STACK_OF(X509) * chain) {
  auto end = time_point::max();
  for (int at = 0; at < sk_X509_num(chain); ++at)
    end = std::min(end, time_of(X509_get0_notAfter(sk_X509_value(chain, at))));
  return end;
}

struct chain_question {
  X509* leaf;
  STACK_OF(X509) * between; ///< What leads to an authority.
  const char* purpose;      ///< "ssl_client" or "ssl_server".
  time_point now;
};

owned_check begin_check(X509_STORE* store, const chain_question& question) {
  owned_check check{X509_STORE_CTX_new()};
  if (!check || X509_STORE_CTX_init(check.get(), store, question.leaf, question.between) != 1)
    return nullptr;
  X509_STORE_CTX_set_default(check.get(), question.purpose);
  X509_STORE_CTX_set_time(check.get(), 0, seconds_of(question.now));
  return check;
}

caf::error explain(const node_papers& papers, X509_STORE_CTX* check) {
  const auto fault = X509_STORE_CTX_get_error(check);
  const auto* at = X509_STORE_CTX_get_current_cert(check);
  const auto is_own = X509_STORE_CTX_get_error_depth(check) == 0;
  const auto words = is_own ? papers.certificate.words() : papers.authority.words();
  if (fault == X509_V_ERR_CERT_HAS_EXPIRED)
    return refuse(words + " has expired on " + to_iso8601(time_of(X509_get0_notAfter(at))) +
                  "; make a new one with make-certificates.sh");
  if (fault == X509_V_ERR_CERT_NOT_YET_VALID)
    return refuse(words + " is not valid before " + to_iso8601(time_of(X509_get0_notBefore(at))) +
                  "; check the clock");
  if (fault == X509_V_ERR_CERT_REVOKED)
    return refuse(words + " was revoked; make a new one with make-certificates.sh");
  return refuse(papers.certificate.words() + " was not issued by the cluster's CA in " +
                papers.authority.path + " for both sides of a connection (" +
                X509_verify_cert_error_string(fault) + "); make one with make-certificates.sh");
}

/// Returns when the own chain ends, if other nodes accept it today on either side.
caf::expected<time_point> check_own(X509_STORE* store, const node_papers& papers, time_point now) {
  const std::unique_ptr<STACK_OF(X509), stack_free> between{sk_X509_new_null()};
  for (std::size_t at = 1; at < papers.chain.size(); ++at)
    sk_X509_push(between.get(), papers.chain[at].get());
  auto end = time_point::max();
  for (const auto* purpose : {"ssl_client", "ssl_server"}) {
    const auto check =
        begin_check(store, {papers.chain.front().get(), between.get(), purpose, now});
    if (!check)
      return refuse(papers.certificate.words() + ": no memory to check it");
    if (X509_verify_cert(check.get()) != 1)
      return explain(papers, check.get());
    end = std::min(end, end_of(X509_STORE_CTX_get0_chain(check.get())));
  }
  ERR_clear_error();
  return end;
}

// --- all together ---

caf::expected<node_papers> read_papers(const node_pipe_files& files, std::size_t bytes_max) {
  node_papers papers{.certificate = {"certificate", files.certificate, bytes_max},
                     .key = {"key", files.key, bytes_max},
                     .authority = {"authority", files.authority, bytes_max},
                     .revoked = {"revoked", files.revoked, bytes_max}};
  auto chain = read_certificates(papers.certificate);
  if (!chain)
    return std::move(chain.error());
  auto secret = read_private_key(papers.key);
  if (!secret)
    return std::move(secret.error());
  auto authorities = read_certificates(papers.authority);
  if (!authorities)
    return std::move(authorities.error());
  papers.chain = std::move(*chain);
  papers.secret = std::move(*secret);
  papers.authorities = std::move(*authorities);
  if (files.revoked.empty())
    return papers;
  auto revocations = read_revocations(papers.revoked);
  if (!revocations)
    return std::move(revocations.error());
  papers.revocations = std::move(*revocations);
  return papers;
}

owned_context make_context() {
  owned_context context{SSL_CTX_new(TLS_method())};
  if (!context)
    return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS |
                                      SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge_peer);
  return context;
}

bool carry_own(SSL_CTX* context, const node_papers& papers) {
  if (SSL_CTX_use_certificate(context, papers.chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, papers.secret.get()) != 1)
    return false;
  for (std::size_t at = 1; at < papers.chain.size(); ++at)
    if (SSL_CTX_add1_chain_cert(context, papers.chain[at].get()) != 1)
      return false;
  return true;
}

} // namespace

caf::expected<std::shared_ptr<const node_credentials>>
node_credentials::read(const node_pipe_files& files, const std::string& name,
                       std::size_t file_bytes_max, time_point now) {
  const auto papers = read_papers(files, file_bytes_max);
  if (!papers)
    return papers.error();
  ERR_clear_error();
  if (X509_check_private_key(papers->chain.front().get(), papers->secret.get()) != 1) {
    ERR_clear_error();
    return refuse(papers->key.words() + " does not belong to the certificate " + files.certificate +
                  "; take the pair that was made together");
  }
  if (auto failure = check_name(*papers, name))
    return failure;
  auto context = make_context();
  if (!context || !carry_own(context.get(), *papers)) {
    ERR_clear_error();
    return refuse(papers->certificate.words() + " cannot be used: OpenSSL does not take it");
  }
  auto* store = SSL_CTX_get_cert_store(context.get());
  if (auto failure = fill_store(store, *papers, now))
    return failure;
  const auto end = check_own(store, *papers, now);
  if (!end)
    return end.error();
  return std::shared_ptr<const node_credentials>{new node_credentials{context.release(), *end}};
}

node_credentials::~node_credentials() {
  SSL_CTX_free(context_);
}

ssl_st* node_credentials::open(pipe_side side, const name_judge& judge, time_point now) const {
  auto* ssl = SSL_new(context_);
  if (ssl == nullptr)
    return nullptr;
  SSL_set_ex_data(ssl, judge_index(), const_cast<name_judge*>(&judge));
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), seconds_of(now));
  if (side == pipe_side::dials)
    SSL_set_connect_state(ssl);
  else
    SSL_set_accept_state(ssl);
  return ssl;
}

std::optional<std::string> node_credentials::find_fault(ssl_st* ssl, time_point now) const {
  const auto check = begin_check(SSL_CTX_get_cert_store(context_),
                                 {SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl),
                                  SSL_is_server(ssl) == 1 ? "ssl_client" : "ssl_server", now});
  if (!check)
    return "no memory to check the peer's certificate";
  const auto accepted = X509_verify_cert(check.get()) == 1;
  ERR_clear_error();
  if (accepted)
    return std::nullopt;
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
}

std::optional<std::string> node_name_of(x509_st* certificate) {
  const auto names = dns_names_of(certificate);
  if (names.empty() || !is_node_name(names.front()))
    return std::nullopt;
  return names.front();
}

time_point peer_valid_until(ssl_st* ssl) {
  return end_of(SSL_get0_verified_chain(ssl));
}

} // namespace trunkline
