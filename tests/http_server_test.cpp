#include "net/http_server.hpp"
#include "protocol/errc.hpp"
#include "tests/kit/net_fixture.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

TEST_CASE("a request reaches the handler as it was sent and its answer comes back", "[http]") {
  echo_server server;
  raw_client client{server.port()};
  REQUIRE(client.send("POST /a%20b?c=d%26 HTTP/1.1\r\nHost: x\r\nX-Mine: 7\r\n"
                      "Content-Length: 3\r\n\r\nabc"));
  const auto answer = client.read_answer();
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer) == "POST /a%20b c=d%26 abc");
  CHECK(header_of(answer, "Content-Length") == "22");
  CHECK(header_of(answer, "Content-Type") == "application/json; charset=utf-8");
  CHECK(header_of(answer, "Date").ends_with(" GMT"));
  CHECK(header_of(answer, "Connection") == "keep-alive");
  CHECK(server.last().header("x-mine") == "7");
  CHECK(server.last().peer == "127.0.0.1");
  CHECK(!server.last().over_unix_socket);
}

TEST_CASE("a connection is kept and pipelined requests are answered in order", "[http]") {
  echo_server server;
  raw_client client{server.port()};
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  REQUIRE(client.send(requests));
  for (int i = 0; i < 100; ++i)
    CHECK(body_of(client.read_answer()) == "GET /" + std::to_string(i) + "  ");
  CHECK(server.counters().accepted == 1);
  CHECK(server.counters().requests == 100);
}

TEST_CASE("HTTP/1.0 closes unless asked to keep, and needs no Host", "[http]") {
  echo_server server;
  raw_client once{server.port()};
  REQUIRE(once.send("GET / HTTP/1.0\r\n\r\n"));
  CHECK(header_of(once.read_answer(), "Connection") == "close");
  CHECK(once.read_all() == "");
  CHECK(once.closed());
  raw_client kept{server.port()};
  for (int i = 0; i < 2; ++i) {
    REQUIRE(kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    CHECK(header_of(kept.read_answer(), "Connection") == "keep-alive");
  }
}

TEST_CASE("HEAD gets the headers of GET without its body", "[http]") {
  echo_server server;
  raw_client client{server.port()};
  for (int i = 0; i < 2; ++i) {
    REQUIRE(client.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n"));
    const auto answer = client.read_answer(true);
    CHECK(status_of(answer) == 200);
    CHECK(header_of(answer, "Content-Length") == "9");
    CHECK(body_of(answer) == "");
  }
}

TEST_CASE("an answer of 204 has neither body nor length", "[http]") {
  echo_server server{{}, [](http_request, http_reply reply) { reply({204, "ignored"}); }};
  raw_client client{server.port()};
  REQUIRE(client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const auto answer = client.read_all();
  CHECK(status_of(answer) == 204);
  CHECK(header_of(answer, "Content-Length") == "");
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("a chunked body arrives decoded", "[http]") {
  echo_server server;
  raw_client client{server.port()};
  REQUIRE(client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3;ext=1\r\nabc\r\n"));
  REQUIRE(client.send("2\r\nde\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(body_of(client.read_answer()) == "POST /  abcde");
  CHECK(body_of(client.read_answer()) == "GET /next  ");
}

TEST_CASE("Expect: 100-continue is answered before the body is sent", "[http]") {
  echo_server server;
  raw_client client{server.port()};
  REQUIRE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                      "Expect: 100-continue\r\n\r\n"));
  CHECK(status_of(client.read_answer()) == 100);
  REQUIRE(client.send("ok"));
  CHECK(body_of(client.read_answer()) == "POST /  ok");
}

TEST_CASE("a reply may be given from another thread, and after the server is gone", "[http]") {
  std::promise<http_reply> held;
  std::atomic<int> seen = 0;
  auto server = std::make_unique<echo_server>(
      http_server_options{}, [&](http_request request, http_reply reply) {
        if (++seen == 1)
          std::thread{[reply, path = request.path] { reply({200, path}); }}.detach();
        else
          held.set_value(reply);
      });
  raw_client client{server->port()};
  REQUIRE(client.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(body_of(client.read_answer()) == "/one");
  REQUIRE(client.send("GET /two HTTP/1.1\r\nHost: x\r\n\r\n"));
  auto reply = held.get_future().get();
  server.reset();
  reply({200, "too late"});
  CHECK(client.read_all() == "");
  CHECK(client.closed());
}

TEST_CASE("a reply that is dropped answers 500", "[http]") {
  echo_server server{{}, [](http_request, http_reply) {}};
  raw_client client{server.port()};
  REQUIRE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(status_of(client.read_answer()) == 500);
}

TEST_CASE("A70: a header with a line break does not leave the server", "[http]") {
  echo_server server{
      {}, [](http_request, http_reply reply) {
        reply({200, "x", "text/plain", {{"Location", "/a\r\nSet-Cookie: b"}, {"X-Good", "1"}}});
      }};
  raw_client client{server.port()};
  REQUIRE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  const auto answer = client.read_answer();
  CHECK(answer.find("Set-Cookie") == std::string::npos);
  CHECK(header_of(answer, "X-Good") == "1");
}

TEST_CASE("a unix socket has mode 0600, tells the peer's user, and replaces a stale file",
          "[http]") {
  const temporary_folder folder;
  const auto path = folder.path + "/http.sock";
  for (int round = 0; round < 2; ++round) {
    http_server_options options;
    options.unix_sockets = {path};
    options.threads = 2;
    echo_server server{options};
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    raw_client client{path};
    REQUIRE(client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"));
    CHECK(status_of(client.read_answer()) == 200);
    CHECK(server.last().peer_uid == ::getuid());
    CHECK(server.last().peer == "");
    CHECK(server.last().over_unix_socket);

    auto second = http_server::start(options, [](http_request, http_reply) {});
    REQUIRE(!second);
    CHECK(code_of(second.error()) == errc::unavailable);
    CHECK(context_of(second.error()).find(path) != std::string::npos);
    if (round == 0)
      ::link(path.c_str(), (path + ".kept").c_str()); // `stop` removes the file: make a stale one
    else
      continue;
    server.stop();
    ::rename((path + ".kept").c_str(), path.c_str());
  }
  struct stat gone {};
  CHECK(::stat(path.c_str(), &gone) != 0);
}

TEST_CASE("a port that is taken is an error that names it, also with SO_REUSEPORT", "[http]") {
  echo_server server;
  http_server_options options;
  options.tcp = {{"127.0.0.1", server.port()}};
  auto second = http_server::start(options, [](http_request, http_reply) {});
  REQUIRE(!second);
  CHECK(code_of(second.error()) == errc::unavailable);
  CHECK(context_of(second.error()).find(std::to_string(server.port())) != std::string::npos);
}

TEST_CASE("options that are wrong are refused by name", "[http]") {
  const auto refused = [](http_server_options options) {
    auto server = http_server::start(std::move(options), [](http_request, http_reply) {});
    REQUIRE(!server);
    CHECK(code_of(server.error()) == errc::config_invalid);
    return context_of(server.error());
  };
  CHECK(refused({.tcp = {{"localhost", 0}}}).find("localhost") != std::string::npos);
  CHECK(refused({.trusted_proxies = {"10.0.0.0/33"}}).find("10.0.0.0/33") != std::string::npos);
  CHECK(refused({.threads = 0}).find("threads") != std::string::npos);
  CHECK(refused({.tls_certificate_file = "/none/cert", .tls_key_file = "/none/key"})
            .find("/none/cert") != std::string::npos);
}
