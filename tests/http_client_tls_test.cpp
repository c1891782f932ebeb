#include "tests/kit/client_fixture.hpp"
#include "tests/kit/net_fixture.hpp"
#include "tests/kit/peer_server.hpp"
#include "tests/kit/stub_dns.hpp"
#include "tests/kit/test_authority.hpp"

#include <openssl/ssl.h>

#include <array>

#include <sys/socket.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

http_client_options trusting(const test_authority& authority) {
  auto options = client_options();
  options.ca_file = authority.ca_file();
  return options;
}

peer_server::script answering_once(std::string bytes) {
  return [bytes = std::move(bytes)](peer_connection& peer) {
    peer.read_request();
    peer.send(bytes);
  };
}

/// Every name is 127.0.0.1.
dns_answer here(const std::string&, int) {
  return {.addresses = {"127.0.0.1"}};
}

/// What a peer in the clear was sent, all connections together.
class eavesdropper {
public:
  peer_server::script script(std::string reply, std::atomic<bool>& heard) {
    return [this, reply = std::move(reply), &heard](peer_connection& peer) {
      std::array<char, 4'096> room;
      const auto got = ::recv(peer.descriptor(), room.data(), room.size(), 0);
      {
        const std::lock_guard lock{mutex_};
        text_.append(room.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      }
      heard = true;
      if (reply.empty())
        return peer.wait_for_end();
      peer.send(reply);
    };
  }

  std::string text() const {
    const std::lock_guard lock{mutex_};
    return text_;
  }

private:
  mutable std::mutex mutex_;
  std::string text_;
};

} // namespace

TEST_CASE("a certificate that names the host is trusted", "[client][tls]") {
  test_authority authority;
  stub_dns dns{here};
  const auto [names, host] = GENERATE(table<std::string, std::string>({
      {"IP:127.0.0.1", "127.0.0.1"},
      {"DNS:peer.example", "peer.example"},
      {"DNS:other.example,DNS:peer.example", "peer.example"},
      {"DNS:*.example.net", "peer.example.net"},
  }));
  CAPTURE(names, host);
  peer_server peer{answering_once(answer("x")), "127.0.0.1", 0, authority.issue({.names = names})};
  auto options = trusting(authority);
  options.name_servers = {dns.server()};
  auto client = start_client(options);
  const auto outcome = get(*client, peer.url("/", host));
  CHECK(result_of(outcome) == "200");
  CHECK(outcome.timing.tls > 0us);
}

TEST_CASE("F26: a certificate that proves nothing gets no request", "[client][tls][F26]") {
  test_authority authority;
  test_authority stranger{"stranger"};
  test_authority namesake;
  stub_dns dns{here};
  struct row {
    std::string what;
    tls_files files;
    std::string host;
    std::string reason;
  };
  const auto rows = std::vector<row>{
      {"expired", authority.issue({.valid_from = -7'200, .valid_until = -60}), "127.0.0.1",
       "certificate has expired"},
      {"not yet valid", authority.issue({.valid_from = 600, .valid_until = 1'200}), "127.0.0.1",
       "certificate is not yet valid"},
      {"self-signed", authority.issue({.signs_itself = true}), "127.0.0.1",
       "self-signed certificate"},
      {"unknown authority", stranger.issue(), "127.0.0.1",
       "unable to get local issuer certificate"},
      {"an authority of the same name", namesake.issue(), "127.0.0.1",
       "certificate signature failure"},
      {"another address", authority.issue({.names = "IP:127.0.0.2"}), "127.0.0.1",
       "IP address mismatch"},
      {"a name for an address", authority.issue({.names = "DNS:127.0.0.1"}), "127.0.0.1",
       "IP address mismatch"},
      {"another name", authority.issue({.names = "DNS:other.example"}), "peer.example",
       "hostname mismatch"},
      {"the parent's name", authority.issue({.names = "DNS:example"}), "peer.example",
       "hostname mismatch"},
      {"a star too high", authority.issue({.names = "DNS:*.example.net"}), "a.b.example.net",
       "hostname mismatch"},
      {"half a star", authority.issue({.names = "DNS:p*.example.net"}), "peer.example.net",
       "hostname mismatch"},
  };
  for (const auto& [what, files, host, reason] : rows) {
    CAPTURE(what);
    std::atomic<int> served = 0;
    peer_server peer{[&](peer_connection&) { ++served; }, "127.0.0.1", 0, files};
    auto options = trusting(authority);
    options.name_servers = {dns.server()};
    auto client = start_client(options);
    const auto outcome = post(*client, peer.url("/inbox", host), "activity");
    CHECK(result_of(outcome) == "tls");
    REQUIRE(outcome.failure());
    CHECK(outcome.failure()->reason.find(reason) != std::string::npos);
    CHECK(!outcome.failure()->fully_written());
    CHECK(served == 0);
    CHECK(peer.accepted() == 1); // and is not asked again in the clear
    CHECK(client->counters().open_connections == 0);
  }
}

TEST_CASE("F26: the system's authorities do not vouch for a stranger", "[client][tls][F26]") {
  test_authority authority;
  peer_server peer{answering_once(answer("x")), "127.0.0.1", 0, authority.issue()};
  auto client = start_client();
  CHECK(result_of(get(*client, peer.url())) == "tls");
}

TEST_CASE("F26: old versions and empty ciphers are no TLS", "[client][tls][F26]") {
  test_authority authority;
  auto files = authority.issue();
  const auto [version, ciphers] = GENERATE(table<int, std::string>({
      {TLS1_VERSION, ""},
      {TLS1_1_VERSION, ""},
      {TLS1_2_VERSION, "eNULL"},
      {TLS1_2_VERSION, "aNULL"},
  }));
  CAPTURE(version, ciphers);
  files.version_max = version;
  files.ciphers = ciphers;
  std::atomic<int> served = 0;
  peer_server peer{[&](peer_connection&) { ++served; }, "127.0.0.1", 0, files};
  auto client = start_client(trusting(authority));
  CHECK(result_of(post(*client, peer.url(), "activity")) == "tls");
  CHECK(served == 0);
  CHECK(peer.accepted() == 1);
}

TEST_CASE("F26: a peer in the clear learns nothing of the request", "[client][tls][F26]") {
  const std::string reply = GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "\x15\x03\x03",
                                     "\x16\x03\x03\x40", "garbage, and much of it");
  CAPTURE(reply);
  eavesdropper ear;
  std::atomic<bool> heard = false;
  peer_server peer{ear.script(reply, heard)};
  auto client = start_client();
  const auto url = "https://127.0.0.1:" + std::to_string(peer.port()) + "/secret-inbox";
  CHECK(result_of(post(*client, url, "activity")) == "tls");
  CHECK(eventually([&] { return heard.load(); }));
  CHECK(ear.text().size() > 100); // the greeting
  CHECK(ear.text().find("secret") == std::string::npos);
  CHECK(ear.text().find("activity") == std::string::npos);
  CHECK(peer.accepted() == 1);
}

TEST_CASE("F21 F26: a handshake that hangs ends at its limit", "[client][tls][F21][F26]") {
  const auto play = GENERATE(
      as<peer_server::script>{}, [](peer_connection& peer) { peer.wait_for_end(); },
      [](peer_connection& peer) {
        peer.send("\x16\x03\x03\x40");
        while (peer.pause(20) && peer.send("a")) {
        }
      });
  peer_server peer{play};
  auto options = client_options();
  options.tls_limit = 200ms;
  auto client = start_client(options);
  const auto outcome = get(*client, "https://127.0.0.1:" + std::to_string(peer.port()) + "/");
  CHECK(result_of(outcome) == "tls!");
  CHECK(outcome.timing.total >= 200ms);
  CHECK(outcome.timing.total < 2s);
  CHECK(client->counters().open_connections == 0);
}

TEST_CASE("a host's session is resumed, and no other host's", "[client][tls]") {
  test_authority authority;
  stub_dns dns{here};
  auto files = authority.issue({.names = "IP:127.0.0.1,DNS:peer.example"});
  files.version_max = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  CAPTURE(files.version_max);
  peer_server peer{answering_once(answer("x", "Connection: close\r\n")), "127.0.0.1", 0, files};
  auto options = trusting(authority);
  options.name_servers = {dns.server()};
  auto client = start_client(options);
  for (const auto resumed : {0U, 1U, 2U}) {
    CHECK(result_of(get(*client, peer.url())) == "200");
    CHECK(client->counters().resumed == resumed);
  }
  CHECK(result_of(get(*client, peer.url("/", "peer.example"))) == "200");
  CHECK(client->counters().resumed == 2);
  CHECK(peer.accepted() == 4);
}

TEST_CASE("a connection of TLS is kept and used again", "[client][tls]") {
  test_authority authority;
  peer_server peer{[](peer_connection& connection) {
                     while (!connection.read_request().empty() && connection.send(answer("x"))) {
                     }
                   },
                   "127.0.0.1", 0, authority.issue()};
  auto client = start_client(trusting(authority));
  for (auto i = 0; i < 3; ++i)
    CHECK(result_of(post(*client, peer.url(), std::string(100'000, 'a'))) == "200");
  CHECK(peer.accepted() == 1);
  CHECK(client->counters().reused == 2);
}

TEST_CASE("F26: an answer that TLS did not end in good order is broken", "[client][tls][F26]") {
  test_authority authority;
  const auto cut_after = [](std::string bytes) {
    return [bytes = std::move(bytes)](peer_connection& peer) {
      peer.read_request();
      peer.send(bytes);
      peer.cut();
    };
  };
  const auto reset_after = [](std::string bytes) {
    return [bytes = std::move(bytes)](peer_connection& peer) {
      peer.read_request();
      peer.send(bytes);
      peer.reset_at_end();
      peer.pause(20); // or the reset would overtake them
    };
  };
  const auto until_end = std::string{"HTTP/1.1 200 OK\r\n\r\npart"};
  const auto cut_in_record = [](peer_connection& peer) {
    peer.read_request();
    const std::string_view half{"\x17\x03\x03\x40\x00half", 9};
    ::send(peer.descriptor(), half.data(), half.size(), MSG_NOSIGNAL);
    peer.cut();
  };
  const auto [what, play, expected] =
      GENERATE_COPY(table<std::string, peer_server::script, std::string>({
          {"a goodbye ends a body without length", answering_once(until_end), "200"},
          {"a cut does not", cut_after(until_end), "body"},
          {"less than the length", cut_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
           "body"},
          {"half a header", cut_after("HTTP/1.1 200 OK\r\nA: "), "first_byte"},
          {"a cut for an answer", cut_after(""), "first_byte"},
          {"a goodbye for an answer", answering_once(""), "first_byte"},
          {"a reset in the body", reset_after(until_end), "body"},
          {"a reset for an answer", reset_after(""), "first_byte"},
          {"half a record", cut_in_record, "first_byte"},
      }));
  CAPTURE(what);
  peer_server peer{play, "127.0.0.1", 0, authority.issue()};
  auto client = start_client(trusting(authority));
  CHECK(result_of(post(*client, peer.url(), "b")) == expected);
  CHECK(client->counters().open_connections == 0);
  CHECK(peer.accepted() == 1); // a POST is not sent twice
}

TEST_CASE("F26: no second handshake on a connection", "[client][tls][F26]") {
  test_authority authority;
  auto files = authority.issue();
  files.version_max = TLS1_2_VERSION;
  std::promise<bool> agrees;
  peer_server peer{[&](peer_connection& connection) {
                     connection.read_request();
                     agrees.set_value(connection.shake_again());
                   },
                   "127.0.0.1", 0, files};
  auto options = trusting(authority);
  options.first_byte_limit = 500ms;
  auto client = start_client(options);
  CHECK(result_of(get(*client, peer.url())).starts_with("first_byte"));
  CHECK(!agrees.get_future().get());
}
