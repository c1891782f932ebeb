#include "net/http_server.hpp"
#include "protocol/errc.hpp"
#include "tests/kit/net_fixture.hpp"

#include <catch2/catch.hpp>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <fstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

/// A key and a self-signed certificate for "localhost", as files.
struct own_certificate {
  own_certificate() : certificate{folder.path + "/cert.pem"}, key{folder.path + "/key.pem"} {
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, pair);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_sign(made, pair, EVP_sha256());
    FILE* out = std::fopen(certificate.c_str(), "w");
    PEM_write_X509(out, made);
    std::fclose(out);
    out = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(out, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(made);
    EVP_PKEY_free(pair);
  }

  temporary_folder folder;
  std::string certificate;
  std::string key;
};

/// A blocking TLS client that trusts anybody.
class tls_client {
public:
  tls_client(std::uint16_t port, int version) : context_{SSL_CTX_new(TLS_client_method())} {
    SSL_CTX_set_security_level(context_, 0); // or the old versions could not even be offered
    SSL_CTX_set_min_proto_version(context_, version);
    SSL_CTX_set_max_proto_version(context_, version);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{5, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_);
  }
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;
  ~tls_client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(socket_);
  }

  bool offer(std::string_view protocols) {
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    return shake();
  }

  bool shake() { return SSL_connect(ssl_) == 1; }

  void send(std::string_view bytes) {
    SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
  }

  /// Reads until `bytes` have come or the peer says goodbye.
  std::string read(std::size_t bytes) {
    std::string text;
    std::array<char, 16384> part;
    while (text.size() < bytes) {
      const auto n = SSL_read(ssl_, part.data(), static_cast<int>(part.size()));
      if (n <= 0)
        break;
      text.append(part.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

  bool said_goodbye() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  int socket_ = -1;
};

http_server_options tls_options(const own_certificate& own) {
  return {.tls_certificate_file = own.certificate, .tls_key_file = own.key};
}

} // namespace

TEST_CASE("TLS 1.2 and 1.3 are served, older ones are not", "[http][tls]") {
  const own_certificate own;
  echo_server server{tls_options(own)};
  for (const auto version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    tls_client client{server.port(), version};
    REQUIRE(client.shake());
    for (int i = 0; i < 3; ++i) {
      client.send("POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
      CHECK(client.read(1).ends_with("POST /t  abc"));
    }
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(status_of(client.read(100'000)) == 200);
    CHECK(client.said_goodbye());
  }
  for (const auto version : {TLS1_VERSION, TLS1_1_VERSION}) {
    CAPTURE(version);
    tls_client client{server.port(), version};
    CHECK(!client.shake());
  }
}

TEST_CASE("requests that share one TLS record are all answered", "[http][tls]") {
  const own_certificate own;
  echo_server server{tls_options(own)};
  tls_client client{server.port(), TLS1_3_VERSION};
  REQUIRE(client.shake());
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(requests);
  std::string all;
  while (all.find("GET /19  ") == std::string::npos) {
    const auto part = client.read(1);
    REQUIRE(!part.empty());
    all += part;
  }
  CHECK(server.counters().requests == 20);
}

TEST_CASE("a client that offers protocols must offer HTTP/1.1", "[http][tls]") {
  using namespace std::string_view_literals;
  const own_certificate own;
  echo_server server{tls_options(own)};
  tls_client good{server.port(), TLS1_3_VERSION};
  CHECK(good.offer("\x02h2\x08http/1.1"sv));
  tls_client bad{server.port(), TLS1_3_VERSION};
  CHECK(!bad.offer("\x02h2"sv));
}

TEST_CASE("a TLS handshake that stalls ends at its limit", "[http][tls][A124]") {
  const own_certificate own;
  auto options = tls_options(own);
  options.handshake_limit = 100ms;
  echo_server server{options};
  raw_client silent{server.port()};
  CHECK(silent.read_all() == "");
  CHECK(silent.closed());
  CHECK(server.counters().timeouts == 1);
  raw_client plain{server.port()};
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  plain.read_all();
  CHECK(plain.closed());
  CHECK(server.counters().requests == 0);
}

TEST_CASE("a TLS client that stops in a request is answered 408, an idle one sent goodbye",
          "[http][tls][A124]") {
  const own_certificate own;
  auto options = tls_options(own);
  options.header_limit = 200ms;
  options.idle_limit = 200ms;
  echo_server server{options};
  tls_client slow{server.port(), TLS1_3_VERSION};
  REQUIRE(slow.shake());
  slow.send("GET / HT");
  CHECK(status_of(slow.read(100'000)) == 408);
  tls_client idle{server.port(), TLS1_3_VERSION};
  REQUIRE(idle.shake());
  idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(status_of(idle.read(100'000)) == 200);
  CHECK(idle.said_goodbye());
  CHECK(server.counters().timeouts == 1);
}

TEST_CASE("certificate and key files that cannot be used are refused by name", "[http][tls]") {
  const own_certificate own;
  const own_certificate other;
  const auto garbage = own.folder.path + "/garbage.pem";
  std::ofstream{garbage} << "no certificate";
  const auto refused = [](const std::string& certificate, const std::string& key) {
    auto server = http_server::start(
        {.tcp = {{"127.0.0.1", 0}}, .tls_certificate_file = certificate, .tls_key_file = key},
        [](http_request, http_reply) {});
    REQUIRE(!server);
    CHECK(code_of(server.error()) == errc::config_invalid);
    return context_of(server.error());
  };
  CHECK(refused(garbage, own.key).find(garbage) != std::string::npos);
  CHECK(refused(own.certificate, garbage).find(garbage) != std::string::npos);
  CHECK(refused(own.certificate, "/none.pem").find("/none.pem") != std::string::npos);
  CHECK(refused(own.certificate, other.key).find(other.key) != std::string::npos);
  CHECK(refused(own.certificate, "").find("go together") != std::string::npos);
}
