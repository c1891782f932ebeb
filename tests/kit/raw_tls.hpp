/// A blocking side of a TLS connection with the certificates a test likes, which judges nobody.
#pragma once

#include "tests/kit/peer_server.hpp"

#include <cstdint>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace trunkline::kit {

class raw_tls {
public:
  /// Without a certificate of its own where `own` names none.
  explicit raw_tls(const tls_files& own = {}, int version_max = 0);
  raw_tls(const raw_tls&) = delete;
  raw_tls& operator=(const raw_tls&) = delete;
  ~raw_tls();

  /// Dials 127.0.0.1:`port` and begins the handshake, with `early` right behind its end; tells
  /// whether this side has finished.
  bool dial(std::uint16_t port, std::string_view early = {});

  /// The two parts of `dial`.
  bool connect(std::uint16_t port);
  bool shake_hands(std::string_view early = {});

  /// Listens on a port of 127.0.0.1, which it returns.
  std::uint16_t listen();

  /// Accepts one connection and shakes hands.
  bool accept();

  bool send(std::string_view bytes);

  /// Reads `bytes`, less when the other side has ended.
  std::string read(std::size_t bytes);

  /// Ends the connection without a goodbye.
  void cut();

  /// Tells whether the other side gave what a next connection could resume.
  bool has_session() const;

private:
  ssl_ctx_st* context_;
  ssl_st* ssl_ = nullptr;
  int socket_ = -1;
  int listener_ = -1;
};

} // namespace trunkline::kit
