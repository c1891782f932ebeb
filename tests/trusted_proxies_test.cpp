#include "net/trusted_proxies.hpp"
#include "protocol/errc.hpp"
#include "tests/kit/net_fixture.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace trunkline::kit;

namespace {

trusted_proxies trust(const std::vector<std::string>& prefixes) {
  auto proxies = trusted_proxies::parse(prefixes);
  REQUIRE(proxies);
  return *proxies;
}

} // namespace

TEST_CASE("a prefix covers its addresses and no others", "[proxies]") {
  const auto proxies = trust({"10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "::1", "0.0.0.0/32"});
  for (const auto* inside : {"10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8::1",
                             "2001:db8:7fff::", "::1", "::ffff:10.1.2.3", "0.0.0.0"}) {
    CAPTURE(inside);
    CHECK(proxies.covers(*parse_ip(inside)));
  }
  for (const auto* outside : {"9.255.255.255", "11.0.0.0", "192.0.2.6", "2001:db8:8000::", "::2",
                              "::", "127.0.0.1", "::a00:1"}) {
    CAPTURE(outside);
    CHECK(!proxies.covers(*parse_ip(outside)));
  }
  CHECK(!trust({}).covers(*parse_ip("127.0.0.1")));
  CHECK(trust({"0.0.0.0/0"}).covers(*parse_ip("8.8.8.8")));
  CHECK(!trust({"0.0.0.0/0"}).covers(*parse_ip("2001:db8::1")));
}

TEST_CASE("a prefix that is none is refused by name", "[proxies]") {
  for (const auto* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "host",
                           "10.0.0", "::1/129", "[::1]", "10.0.0.0/8 "}) {
    CAPTURE(text);
    const auto proxies = trusted_proxies::parse({"127.0.0.1", text});
    REQUIRE(!proxies);
    CHECK(code_of(proxies.error()) == errc::config_invalid);
    CHECK(context_of(proxies.error()).find(text) != std::string::npos);
  }
}

TEST_CASE("X-Forwarded-For counts as far as the chain is of our own proxies", "[proxies]") {
  const auto proxies = trust({"10.0.0.0/8", "fd00::/8"});
  struct {
    const char* peer;
    const char* chain;
    const char* client;
  } const cases[] = {
      {"10.0.0.1", "", "10.0.0.1"},
      {"10.0.0.1", "203.0.113.9", "203.0.113.9"},
      {"10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"},
      {"10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"},
      {"10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"},
      {"10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"},
      {"10.0.0.1", "203.0.113.9:4711", "203.0.113.9"},
      {"10.0.0.1", "[2001:db8::1]:80", "2001:db8::1"},
      {"10.0.0.1", "2001:db8::1", "2001:db8::1"},
      {"fd00::1", "203.0.113.9", "203.0.113.9"},
      {"10.0.0.1", " , ", "10.0.0.1"},
      {"203.0.113.1", "1.1.1.1", "203.0.113.1"},
      {"127.0.0.1", "1.1.1.1", "127.0.0.1"},
  };
  for (const auto& [peer, chain, client] : cases) {
    CAPTURE(peer, chain);
    CHECK(to_text(proxies.client_of(*parse_ip(peer), chain)) == client);
  }
}

TEST_CASE("A127: the server believes X-Forwarded-For of configured proxies only", "[http][A127]") {
  const auto trusted = GENERATE(false, true);
  http_server_options options;
  if (trusted)
    options.trusted_proxies = {"127.0.0.0/8"};
  echo_server server{options};
  raw_client client{server.port()};
  REQUIRE(client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\n"
                      "x-forwarded-for: 203.0.113.9\r\nForwarded: for=2.2.2.2\r\n"
                      "Client-IP: 3.3.3.3\r\nX-Real-IP: 4.4.4.4\r\n\r\n"));
  REQUIRE(status_of(client.read_answer()) == 200);
  CHECK(server.last().peer == (trusted ? "203.0.113.9" : "127.0.0.1"));
}
