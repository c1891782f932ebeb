#include "net/tls_client.hpp"

#include "protocol/errc.hpp"
#include "protocol/ip_address.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string_view>

namespace trunkline {

namespace {

constexpr unsigned char protocols[] = "\x08http/1.1";

/// Where an SSL points to the key of its host.
int key_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

std::string_view without_brackets(std::string_view name) {
  return name.starts_with('[') ? name.substr(1, name.size() - 2) : name;
}

/// Says whom the certificate must name.
bool expect_host(SSL* ssl, const std::string& name) {
  const std::string bare{without_brackets(name)};
  if (parse_ip(bare))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), bare.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

} // namespace

caf::expected<std::unique_ptr<tls_client>> tls_client::make(const std::string& ca_file,
                                                            std::size_t sessions_max) {
  auto* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr)
    return make_error(errc::config_invalid, "ca_file: OpenSSL does not start");
  std::unique_ptr<tls_client> made{new tls_client{context, sessions_max}};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  SSL_CTX_set_app_data(context, made.get());
  const auto loaded = ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context)
                          : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
  if (loaded != 1)
    return make_error(errc::config_invalid, "ca_file: cannot be read: " + ca_file);
  return made;
}

tls_client::tls_client(ssl_ctx_st* context, std::size_t sessions_max)
    : context_{context}, sessions_max_{sessions_max} {}

tls_client::~tls_client() {
  for (const auto& kept : sessions_)
    SSL_SESSION_free(kept.session);
  SSL_CTX_free(context_);
}

ssl_st* tls_client::open(const host_address& host, const std::string& key, int descriptor) {
  auto* ssl = SSL_new(context_);
  if (ssl == nullptr)
    return nullptr;
  SSL_set_ex_data(ssl, key_index(), const_cast<std::string*>(&key));
  if (SSL_set_fd(ssl, descriptor) != 1 || !expect_host(ssl, host.name)) {
    SSL_free(ssl);
    return nullptr;
  }
  SSL_set_connect_state(ssl);
  resume(key, ssl);
  return ssl;
}

void tls_client::forget(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end())
    return;
  SSL_SESSION_free(found->second->session);
  sessions_.erase(found->second);
  by_key_.erase(found);
}

int tls_client::on_new_session(ssl_st* ssl, ssl_session_st* session) {
  const auto* key = static_cast<const std::string*>(SSL_get_ex_data(ssl, key_index()));
  static_cast<tls_client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->keep(*key, session);
  return 1; // the session is ours now
}

void tls_client::keep(const std::string& key, ssl_session_st* session) {
  forget(key);
  sessions_.push_front({key, session});
  by_key_.emplace(key, sessions_.begin());
  if (sessions_.size() > sessions_max_)
    forget(std::string{sessions_.back().key});
}

void tls_client::resume(const std::string& key, ssl_st* ssl) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end())
    return;
  SSL_set_session(ssl, found->second->session);
  // A ticket of TLS 1.3 is used once, or watchers could tell the connections of one client.
  if (SSL_SESSION_get_protocol_version(found->second->session) >= TLS1_3_VERSION)
    return forget(key);
  sessions_.splice(sessions_.begin(), sessions_, found->second);
}

std::string tls_failure_of(ssl_st* ssl) {
  if (const auto verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK)
    return X509_verify_cert_error_string(verdict);
  const auto* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "the connection was closed in the handshake";
}

} // namespace trunkline
