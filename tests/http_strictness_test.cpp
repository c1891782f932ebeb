#include "net/http_server.hpp"
#include "tests/kit/net_fixture.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::string_view_literals;

namespace {

struct wire_case {
  std::string_view name;
  std::string bytes;
  int status = 400;
};

std::string get(std::string_view headers) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + std::string{headers} + "\r\n";
}

/// A POST, with a second request behind its body: if that one is answered, it was smuggled.
std::string post(std::string_view headers, std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string{headers} + "\r\n" + std::string{body} +
         "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
}

/// Sends each case on a connection of its own: it is answered with its status and {"error":...},
/// the connection is closed, and nothing reaches the handler.
void check_refused(const std::vector<wire_case>& cases) {
  echo_server server;
  for (const auto& [name, bytes, status] : cases) {
    CAPTURE(name);
    raw_client client{server.port()};
    client.send(bytes);
    const auto answer = client.read_answer();
    CHECK(status_of(answer) == status);
    CHECK(header_of(answer, "Connection") == "close");
    CHECK(body_of(answer).starts_with(R"({"error":")"));
    CHECK(client.read_all() == "");
    CHECK(client.closed());
  }
  CHECK(server.counters().requests == 0);
  CHECK(server.counters().bad_requests == cases.size());
}

/// Sends each case on a connection of its own and expects the handler to get it.
void check_accepted(const std::vector<wire_case>& cases) {
  echo_server server;
  for (const auto& one : cases) {
    CAPTURE(one.name);
    raw_client client{server.port()};
    REQUIRE(client.send(one.bytes));
    CHECK(status_of(client.read_answer()) == 200);
  }
}

} // namespace

TEST_CASE("A88: a body whose length two parsers could disagree on is refused", "[http][A88]") {
  check_refused({
      {"CL and TE", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"TE and CL", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"TE twice",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"TE chunked and identity",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")},
      {"TE xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {"TE chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"TE gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"TE chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"TE with a space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
      {"TE empty", post("Transfer-Encoding:\r\n", "0\r\n\r\n")},
      {"TE with a vertical tab", post("Transfer-Encoding: \x0b chunked\r\n", "0\r\n\r\n")},
      {"TE in HTTP/1.0",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /s HTTP/1.0\r\n\r\n"},
      {"two CL", post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab")},
      {"two equal CL", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a")},
      {"CL list", post("Content-Length: 1, 1\r\n", "a")},
      {"CL +5", post("Content-Length: +5\r\n", "abcde")},
      {"CL -1", post("Content-Length: -1\r\n", "")},
      {"CL 0x5", post("Content-Length: 0x5\r\n", "abcde")},
      {"CL 5 5", post("Content-Length: 5 5\r\n", "abcde")},
      {"CL empty", post("Content-Length:\r\n", "")},
      {"CL past 64 bits", post("Content-Length: 18446744073709551617\r\n", "a")},
      {"CL with a space before the colon", post("Content-Length : 1\r\n", "a")},
      {"chunk size past 64 bits",
       post("Transfer-Encoding: chunked\r\n", "10000000000000001\r\na\r\n0\r\n\r\n")},
      {"chunk size negative", post("Transfer-Encoding: chunked\r\n", "-1\r\na\r\n0\r\n\r\n")},
      {"chunk size 0x1", post("Transfer-Encoding: chunked\r\n", "0x1\r\na\r\n0\r\n\r\n")},
      {"chunk size with a space", post("Transfer-Encoding: chunked\r\n", " 1\r\na\r\n0\r\n\r\n")},
      {"chunk size empty", post("Transfer-Encoding: chunked\r\n", "\r\na\r\n0\r\n\r\n")},
      {"chunk longer than its size",
       post("Transfer-Encoding: chunked\r\n", "1\r\nabc\r\n0\r\n\r\n")},
      {"bare LF behind a chunk size", post("Transfer-Encoding: chunked\r\n", "1\na\r\n0\r\n\r\n")},
      {"bare LF behind a chunk", post("Transfer-Encoding: chunked\r\n", "1\r\na\n0\r\n\r\n")},
      {"bare LF in a chunk extension",
       post("Transfer-Encoding: chunked\r\n", "1;a\nb\r\na\r\n0\r\n\r\n")},
      {"bare CR in a chunk extension",
       post("Transfer-Encoding: chunked\r\n", "1;a\rb\r\na\r\n0\r\n\r\n")},
      {"bare LF behind the last chunk", post("Transfer-Encoding: chunked\r\n", "0\n\n")},
      {"NUL in a chunk extension",
       post("Transfer-Encoding: chunked\r\n", "1;a\0\r\na\r\n0\r\n\r\n"sv)},
      {"trailer", post("Transfer-Encoding: chunked\r\n", "0\r\nHost: y\r\n\r\n")},
      {"folded trailer", post("Transfer-Encoding: chunked\r\n", "0\r\nA: b\r\n c\r\n\r\n")},
      {"chunk header without end",
       post("Transfer-Encoding: chunked\r\n", "1;" + std::string(70'000, 'a'))},
      {"trailers without end",
       post("Transfer-Encoding: chunked\r\n", "0\r\nA: " + std::string(70'000, 'a'))},
  });
}

TEST_CASE("A88: well-formed bodies pass", "[http][A88]") {
  check_accepted({
      {"CL", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"},
      {"CL 0", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
      {"no body", "POST / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"chunked in upper case", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                "Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"},
      {"GET with a body", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"},
  });
}

TEST_CASE("A89: heads that are not what the grammar allows are refused", "[http][A89]") {
  const std::string many = [] {
    std::string headers;
    for (int i = 0; i < 1000; ++i)
      headers += "X-" + std::to_string(i) + ": 1\r\n";
    return headers;
  }();
  check_refused({
      {"bare LF everywhere", "GET / HTTP/1.1\nHost: x\n\n"},
      {"bare LF behind the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n"},
      {"bare LF in the headers", get("A: b\nC: d\r\n")},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: x\r\n\n"},
      {"bare CR in a value", get("A: b\rc\r\n")},
      {"CR CR LF", get("A: b\r\r\n")},
      {"NUL in a value", get("A: b\0c\r\n"sv)},
      {"NUL in a name", get("A\0: b\r\n"sv)},
      {"NUL in the target", std::string{"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"sv}},
      {"obs-fold", get("A: b\r\n c\r\n")},
      {"obs-fold with a tab", get("A: b\r\n\tc\r\n")},
      {"space before the first header", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"},
      {"space before the colon", get("A : b\r\n")},
      {"no colon", get("A\r\n")},
      {"no name", get(": b\r\n")},
      {"a name that is no token", get("A(b: c\r\n")},
      {"a control byte in a value", get("A: \x01\r\n")},
      {"DEL in a value", get("A: \x7f\r\n")},
      {"1,000 headers", get(many), 431},
      {"a 64 KiB line", get("A: " + std::string(65536, 'a') + "\r\n"), 431},
      {"64 KiB without an end", "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(65536, 'a'), 431},
      {"a long target", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"a target without an end", "GET /" + std::string(9000, 'a'), 414},
      {"absolute form of another host", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"absolute form of another port", "GET http://x:81/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"absolute form with a user", "GET http://a@x/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"another scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"authority form", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a target without a slash", "GET x HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"no target", "GET  HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a space behind the version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"},
      {"a tab for a space", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a byte above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"A90: a NUL escape in the path", "GET /media/a%00.png HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"A90: a broken escape in the path", "GET /%2 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"A90: an escape that is none", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a method that is no token", "G(T / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"HTTP/0.9", "GET /\r\n\r\n"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
      {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 505},
      {"http in lower case", "GET / http/1.1\r\nHost: x\r\n\r\n"},
      {"not HTTP", "\x16\x03\x01\x02\r\n\r\n"},
      {"an unknown expectation", get("Expect: the-unexpected\r\n"), 417},
  });
}

TEST_CASE("A89: a request has exactly one Host, made of a host's characters", "[http][A89]") {
  check_refused({
      {"none", "GET / HTTP/1.1\r\n\r\n"},
      {"two", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"},
      {"two in HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\nhost: y\r\n\r\n"},
      {"empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"},
      {"a user", "GET / HTTP/1.1\r\nHost: a@x\r\n\r\n"},
      {"a list", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n"},
      {"a backslash", "GET / HTTP/1.1\r\nHost: x\\y\r\n\r\n"},
  });
}

TEST_CASE("A89: what the grammar allows passes", "[http][A89]") {
  check_accepted({
      {"absolute form of the same host", "GET http://X/ HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"absolute form without a path", "GET http://x?a=b HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a tab around a value", get("A:\tb\t\r\n")},
      {"an empty value", get("A:\r\n")},
      {"a byte above ASCII in a value", get("A: \xc3\xa4\r\n")},
      {"a host with a port", "GET / HTTP/1.1\r\nHost: x:3000\r\n\r\n"},
      {"a host that is IPv6", "GET / HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n"},
      {"a method of its own", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"an empty line before the request", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"99 more headers", get([] {
         std::string headers;
         for (int i = 0; i < 99; ++i)
           headers += "X-" + std::to_string(i) + ": 1\r\n";
         return headers;
       }())},
  });
}

TEST_CASE("A89: a request is judged alike however its bytes are cut", "[http][A89]") {
  echo_server server;
  const std::string good = "POST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n0\r\n\r\n";
  const std::string bad = "GET / HTTP/1.1\r\nHost: x\r\nA: b\n\r\n\r\n";
  for (std::size_t cut = 1; cut < good.size(); ++cut) {
    CAPTURE(cut);
    raw_client client{server.port()};
    REQUIRE(client.send(good.substr(0, cut)));
    REQUIRE(client.send(good.substr(cut)));
    CHECK(body_of(client.read_answer()) == "POST /a b abc");
  }
  for (std::size_t cut = 1; cut < bad.size(); ++cut) {
    CAPTURE(cut);
    raw_client client{server.port()};
    client.send(bad.substr(0, cut));
    client.send(bad.substr(cut));
    CHECK(status_of(client.read_answer()) == 400);
  }
}
