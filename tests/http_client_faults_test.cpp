#include "tests/kit/client_fixture.hpp"
#include "tests/kit/net_fixture.hpp"
#include "tests/kit/peer_server.hpp"
#include "tests/kit/stub_dns.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

void answer_all(peer_connection& peer) {
  while (!peer.read_request().empty() && peer.send(answer("x"))) {
  }
}

sockaddr_in address_of(const char* ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip, &address.sin_addr);
  return address;
}

/// A port where nobody answers: either it refuses, or it drops what would connect.
class dead_port {
public:
  enum class kind : std::uint8_t { refuses, drops };

  explicit dead_port(kind how, const char* ip = "127.0.0.1", std::uint16_t port = 0)
      : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    const int on = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto where = address_of(ip, port);
    socklen_t bytes = sizeof where;
    auto* address = reinterpret_cast<sockaddr*>(&where);
    if (::bind(socket_, address, bytes) != 0 || ::getsockname(socket_, address, &bytes) != 0)
      throw std::runtime_error{"the dead port cannot be bound"};
    port_ = ntohs(where.sin_port);
    if (how == kind::refuses)
      return;
    ::listen(socket_, 0); // its queue is full with one, and what comes after that is dropped
    for (auto& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(filler, address, bytes);
    }
    ::poll(nullptr, 0, 20);
  }
  dead_port(const dead_port&) = delete;
  dead_port& operator=(const dead_port&) = delete;
  ~dead_port() {
    ::close(socket_);
    for (const auto filler : fillers_)
      if (filler >= 0)
        ::close(filler);
  }

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

private:
  int socket_;
  std::uint16_t port_ = 0;
  std::array<int, 3> fillers_{-1, -1, -1};
};

/// A name server that hears and says nothing, or where none listens.
class dead_name_server {
public:
  explicit dead_name_server(bool listens) : socket_{::socket(AF_INET, SOCK_DGRAM, 0)} {
    auto where = address_of("127.0.0.1", 0);
    socklen_t bytes = sizeof where;
    auto* address = reinterpret_cast<sockaddr*>(&where);
    ::bind(socket_, address, bytes);
    ::getsockname(socket_, address, &bytes);
    port_ = ntohs(where.sin_port);
    if (!listens)
      ::close(std::exchange(socket_, -1));
  }
  dead_name_server(const dead_name_server&) = delete;
  dead_name_server& operator=(const dead_name_server&) = delete;
  ~dead_name_server() {
    if (socket_ >= 0)
      ::close(socket_);
  }

  std::string server() const { return "127.0.0.1:" + std::to_string(port_); }

private:
  int socket_;
  std::uint16_t port_ = 0;
};

} // namespace

TEST_CASE("F20: a status is an answer, whatever it says", "[client][F20]") {
  for (const auto status : {400, 401, 403, 404, 410, 429, 500, 501, 502, 503, 599}) {
    CAPTURE(status);
    peer_server peer{[status](peer_connection& connection) {
      while (!connection.read_request().empty() &&
             connection.send(answer("why", "Retry-After: 120\r\n", status))) {
      }
    }};
    auto client = start_client();
    for (auto i = 0; i < 2; ++i) {
      const auto outcome = post(*client, peer.url(), "b");
      REQUIRE(result_of(outcome) == std::to_string(status));
      CHECK(find_header(outcome.response()->headers, "retry-after") == "120");
    }
    CHECK(peer.accepted() == 1);
    CHECK(client->counters().failures == 0);
  }
}

TEST_CASE("F21: a port that refuses is told at once, one that drops at its limit",
          "[client][F21]") {
  auto options = client_options();
  options.connect_limit = 300ms;
  auto client = start_client(options);
  const dead_port closed{dead_port::kind::refuses};
  const auto refused = get(*client, closed.url());
  CHECK(result_of(refused) == "connect");
  CHECK(refused.failure()->reason == "Connection refused");
  CHECK(refused.timing.total < 200ms);
  const dead_port black_hole{dead_port::kind::drops};
  const auto dropped = get(*client, black_hole.url());
  CHECK(result_of(dropped) == "connect!");
  CHECK(dropped.timing.total >= 300ms);
  CHECK(dropped.timing.total < 2s);
  CHECK(!dropped.failure()->fully_written());
  CHECK(client->counters().open_connections == 0);
}

TEST_CASE("F21: a dead address costs the name's other ones little", "[client][F21]") {
  const auto kind = GENERATE(dead_port::kind::refuses, dead_port::kind::drops);
  stub_dns dns{[](const std::string&, int) -> dns_answer {
    return {.addresses = {"127.0.0.2", "127.0.0.1"}};
  }};
  peer_server peer{answer_all};
  const dead_port dead{kind, "127.0.0.2", peer.port()};
  auto options = client_options();
  options.connect_limit = 400ms;
  options.name_servers = {dns.server()};
  auto client = start_client(options);
  const auto outcome = get(*client, peer.url("/", "two.example"));
  CHECK(result_of(outcome) == "200");
  CHECK(outcome.timing.connect < 400ms);
}

TEST_CASE("F14 F21: a kept connection whose peer has gone silent is used once more at most",
          "[client][F14][F21]") {
  std::atomic<int> connections = 0;
  peer_server peer{[&](peer_connection& connection) {
    if (++connections > 1)
      return answer_all(connection);
    connection.read_request();
    connection.send(answer("x"));
    connection.wait_for_end(); // hears, and answers no more
  }};
  auto options = client_options();
  options.first_byte_limit = 200ms;
  auto client = start_client(options);
  CHECK(result_of(post(*client, peer.url(), "b")) == "200");
  CHECK(result_of(post(*client, peer.url(), "b")) == "first_byte!");
  CHECK(client->counters().open_connections == 0);
  CHECK(result_of(post(*client, peer.url(), "b")) == "200");
  CHECK(connections == 2);
}

TEST_CASE("F21: a reset ends the request in its phase, and is not sent again", "[client][F21]") {
  const auto reset_after = [](std::string bytes) {
    return [bytes = std::move(bytes)](peer_connection& peer) {
      peer.read_request();
      peer.send(bytes);
      peer.reset_at_end();
      peer.pause(20); // what was sent is read before the reset overtakes it
    };
  };
  const auto [play, expected] = GENERATE_COPY(table<peer_server::script, std::string>({
      {reset_after(""), "first_byte"},
      {reset_after("HTTP/1.1 200 OK\r\nA: "), "first_byte"},
      {reset_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), "body"},
      {reset_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), "body"},
      {reset_after("HTTP/1.1 200 OK\r\n\r\nuntil the end"), "body"},
  }));
  peer_server peer{play};
  auto client = start_client();
  CHECK(result_of(post(*client, peer.url(), "b")) == expected);
  CHECK(peer.accepted() == 1);
  CHECK(client->counters().open_connections == 0);
}

TEST_CASE("F21: a reset in the middle of a large request ends it", "[client][F21]") {
  peer_server peer{[](peer_connection& connection) {
    connection.pause(50);
    connection.reset_at_end();
  }};
  auto client = start_client();
  const auto outcome = post(*client, peer.url(), std::string(32 << 20, 'a'));
  CHECK(result_of(outcome) == "write");
  CHECK(!outcome.failure()->fully_written());
  CHECK(peer.accepted() == 1);
}

TEST_CASE("F21: all phases together end at the limit of the whole", "[client][F21]") {
  stub_dns dns{[](const std::string&, int) -> dns_answer {
    ::poll(nullptr, 0, 60);
    return {.addresses = {"127.0.0.1"}};
  }};
  peer_server peer{[](peer_connection& connection) {
    connection.read_request();
    connection.pause(150);
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
    while (connection.pause(20) && connection.send("a")) {
    }
  }};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.first_byte_limit = 350ms;
  options.total_limit = 400ms;
  auto client = start_client(options);
  const auto outcome = get(*client, peer.url("/", "slow.example"));
  CHECK(result_of(outcome) == "body!");
  CHECK(outcome.timing.total >= 400ms);
  CHECK(outcome.timing.total < 1s);
}

TEST_CASE("F25: without a name server that answers, names fail in time", "[client][F25]") {
  const auto listens = GENERATE(true, false);
  CAPTURE(listens);
  const dead_name_server dead{listens};
  peer_server peer{answer_all};
  auto options = client_options();
  options.name_servers = {dead.server()};
  options.name_limit = 500ms;
  auto client = start_client(options);
  const auto outcome = get(*client, peer.url("/", "any.example"));
  CHECK(result_of(outcome).starts_with("name"));
  CHECK(!outcome.failure()->name_unknown); // which would say that the host is gone
  CHECK(outcome.timing.total < 1s);
  CHECK(result_of(get(*client, peer.url())) == "200"); // an address needs none
  CHECK(peer.accepted() == 1);
}

TEST_CASE("F25: the second name server stands in for the first", "[client][F25]") {
  const auto listens = GENERATE(true, false);
  CAPTURE(listens);
  const dead_name_server dead{listens};
  stub_dns dns{[](const std::string&, int) -> dns_answer { return {.addresses = {"127.0.0.1"}}; }};
  peer_server peer{answer_all};
  auto options = client_options();
  options.name_servers = {dead.server(), dns.server()};
  options.name_limit = 2s;
  auto client = start_client(options);
  CHECK(result_of(get(*client, peer.url("/", "any.example"))) == "200");
}

TEST_CASE("F25: a name that hangs delays no other", "[client][F25]") {
  stub_dns dns{[](const std::string& name, int) -> dns_answer {
    return {.addresses = {"127.0.0.1"}, .silent = name.starts_with("hangs")};
  }};
  peer_server peer{answer_all};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.name_limit = 2s;
  auto client = start_client(options);
  std::vector<std::future<exchange_outcome>> stuck;
  for (auto i = 0; i < 50; ++i)
    stuck.push_back(
        begin_exchange(*client, {.url = peer.url("/", "hangs" + std::to_string(i) + ".example")}));
  const auto outcome = get(*client, peer.url("/", "good.example"));
  CHECK(result_of(outcome) == "200");
  CHECK(outcome.timing.total < 500ms);
  for (auto& one : stuck)
    CHECK(result_of(one.get()) == "name!");
}

TEST_CASE("F25: a late answer is one while the limit lasts, and a silence is remembered",
          "[client][F25]") {
  stub_dns dns{[](const std::string& name, int) -> dns_answer {
    if (name == "late.example")
      ::poll(nullptr, 0, 150);
    return {.addresses = {"127.0.0.1"}, .silent = name == "silent.example"};
  }};
  peer_server peer{answer_all};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.name_limit = 1s;
  auto client = start_client(options);
  CHECK(result_of(get(*client, peer.url("/", "late.example"))) == "200");
  CHECK(result_of(get(*client, peer.url("/", "silent.example"))) == "name!");
  const auto asked = dns.asked("silent.example");
  CHECK(asked >= 1);
  CHECK(result_of(get(*client, peer.url("/", "silent.example"))) == "name!");
  CHECK(dns.asked("silent.example") == asked);
}
