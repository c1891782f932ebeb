#include "net/http_server.hpp"
#include "tests/kit/net_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <future>
#include <vector>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

constexpr auto plain_get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

std::chrono::milliseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

/// Returns one more than the limit of a body in chunks of 1,000 bytes.
std::string chunked_body(std::size_t bytes) {
  std::string body;
  for (; bytes > 0; bytes -= std::min<std::size_t>(bytes, 1000)) {
    const auto size = std::min<std::size_t>(bytes, 1000);
    body += (size == 1000 ? "3e8" : "1");
    body += "\r\n" + std::string(size, 'a') + "\r\n";
  }
  return body + "0\r\n\r\n";
}

} // namespace

TEST_CASE("A80: a body past the limit is answered 413 before it is parsed", "[http][A80]") {
  echo_server server{{.body_bytes_max = 100'000}};
  SECTION("by its Content-Length, with no byte of it sent") {
    const auto answer =
        exchange(server.port(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n");
    CHECK(status_of(answer) == 413);
    CHECK(body_of(answer) == R"({"error":"Request body too large"})");
  }
  SECTION("by its Content-Length, also when it asks first") {
    const auto answer =
        exchange(server.port(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n"
                                "Expect: 100-continue\r\n\r\n");
    CHECK(status_of(answer) == 413);
  }
  SECTION("by its chunks") {
    const auto answer =
        exchange(server.port(), "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                    chunked_body(100'001));
    CHECK(status_of(answer) == 413);
  }
  CHECK(server.counters().requests == 0);
  CHECK(server.counters().bad_requests == 1);
}

TEST_CASE("A80: a client that sends all of a refused body still reads the answer", "[http][A80]") {
  echo_server server;
  const auto answer =
      exchange(server.port(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n" +
                                  std::string(1048577, 'a'));
  CHECK(status_of(answer) == 413);
}

TEST_CASE("A80: a body of just the limit passes", "[http][A80]") {
  echo_server server{{.body_bytes_max = 100'000}};
  raw_client client{server.port()};
  REQUIRE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" +
                      std::string(100'000, 'a')));
  CHECK(status_of(client.read_answer()) == 200);
  REQUIRE(client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                      chunked_body(100'000)));
  CHECK(status_of(client.read_answer()) == 200);
}

TEST_CASE("bodies of all connections together have a limit", "[http]") {
  echo_server server{{.body_bytes_max = 100'000, .bodies_bytes_max = 150'000}};
  raw_client first{server.port()};
  raw_client second{server.port()};
  const auto head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
  REQUIRE(first.send(head + std::string(99'999, 'a')));
  REQUIRE(second.send(head + std::string(99'999, 'a')));
  // Whichever comes last is refused; the other one completes.
  const auto one_refused = eventually([&] { return server.counters().bad_requests == 1; });
  REQUIRE(one_refused);
  first.send("a");
  second.send("a");
  const auto statuses =
      std::vector<int>{status_of(first.read_answer()), status_of(second.read_answer())};
  CHECK(std::ranges::count(statuses, 200) == 1);
  CHECK(std::ranges::count(statuses, 503) == 1);
  raw_client third{server.port()};
  REQUIRE(third.send(head + std::string(100'000, 'a')));
  CHECK(status_of(third.read_answer()) == 200);
}

TEST_CASE("A124: each way of being slow ends at its limit", "[http][A124]") {
  const http_server_options options{.header_limit = 150ms,
                                    .body_limit = 150ms,
                                    .answer_limit = 150ms,
                                    .write_limit = 150ms,
                                    .idle_limit = 150ms,
                                    .linger_limit = 100ms};
  std::vector<http_reply> held;
  echo_server server{options, [&](http_request request, http_reply reply) {
                       if (request.path == "/hold")
                         held.push_back(std::move(reply));
                       else
                         reply({200, std::string(request.path == "/big" ? 64 << 20 : 2, 'x')});
                     }};
  raw_client client{server.port()};
  const auto begin = std::chrono::steady_clock::now();
  SECTION("a connection that sends nothing is closed without an answer") {
    CHECK(client.read_all() == "");
    CHECK(server.counters().timeouts == 1);
  }
  SECTION("a head that stops is answered 408") {
    client.send("GET / HTTP/1.1\r\nHost:");
    CHECK(status_of(client.read_all()) == 408);
    CHECK(server.counters().timeouts == 1);
  }
  SECTION("a head that drips is answered 408: its limit runs from the connect") {
    std::string answer;
    client.send("GET / HTTP/1.1\r\n");
    while (answer.empty() && since(begin) < 3s) {
      client.send("A: b\r\n");
      answer = client.read_all(20ms);
    }
    CHECK(status_of(answer) == 408);
    CHECK(since(begin) < 1s);
  }
  SECTION("a body that drips is answered 408") {
    std::string answer;
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    while (answer.empty() && since(begin) < 3s) {
      client.send("a");
      answer = client.read_all(20ms);
    }
    CHECK(status_of(answer) == 408);
    CHECK(since(begin) < 1s);
  }
  SECTION("an answer that is not read is cut") {
    client.shrink_receive_buffer();
    client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(eventually([&] { return server.counters().timeouts == 1; }));
    CHECK(eventually([&] { return server.counters().open_connections == 0; }));
    CHECK(client.read_all().size() < (64U << 20));
  }
  SECTION("a handler that never answers is answered 503 for") {
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(status_of(client.read_all()) == 503);
    held.front()({200, "too late"});
  }
  SECTION("a kept connection that asks nothing more is closed in peace") {
    client.send(plain_get);
    CHECK(status_of(client.read_answer()) == 200);
    CHECK(client.read_all() == "");
    CHECK(server.counters().timeouts == 0);
  }
  SECTION("a second request that stops is answered 408") {
    client.send(plain_get);
    CHECK(status_of(client.read_answer()) == 200);
    client.send("GET / HT");
    CHECK(status_of(client.read_all()) == 408);
  }
  CHECK(client.closed());
  CHECK(since(begin) < 4s);
  CHECK(eventually([&] { return server.counters().open_connections == 0; }));
}

TEST_CASE("A124: 1,000 slow clients do not slow a healthy one", "[http][A124]") {
  http_server_options options{.threads = 2, .header_limit = 6s, .body_limit = 6s};
  echo_server server{options};
  std::vector<raw_client> slow;
  for (int i = 0; i < 1000; ++i) {
    slow.emplace_back(server.port());
    REQUIRE(slow.back().connected());
    if (i % 3 == 0)
      slow.back().send("GET / HTTP/1.1\r\nHost: x\r\nA: ");
    if (i % 3 == 1)
      slow.back().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\na");
  }
  REQUIRE(eventually([&] { return server.counters().open_connections == 1000; }));
  raw_client healthy{server.port()};
  std::vector<std::chrono::milliseconds> took;
  for (int i = 0; i < 200; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(healthy.send(plain_get));
    REQUIRE(status_of(healthy.read_answer()) == 200);
    took.push_back(since(begin));
  }
  std::ranges::sort(took);
  CHECK(took[198] < 500ms);
  CHECK(eventually([&] { return server.counters().open_connections <= 1; }, 20s));
  CHECK(server.counters().timeouts == 1000);
}

TEST_CASE("connections past the limit are told so and closed, and there is room again later",
          "[http]") {
  echo_server server{{.connections_max = 3}};
  std::vector<raw_client> open;
  for (int i = 0; i < 3; ++i) {
    open.emplace_back(server.port());
    open.back().send(plain_get);
    CHECK(status_of(open.back().read_answer()) == 200);
  }
  const auto refused = exchange(server.port(), "");
  CHECK(status_of(refused) == 503);
  CHECK(header_of(refused, "Retry-After") == "5");
  CHECK(body_of(refused) == R"({"error":"Too many connections"})");
  CHECK(server.counters().refused_connections == 1);
  open.pop_back();
  REQUIRE(eventually([&] { return server.counters().open_connections == 2; }));
  raw_client again{server.port()};
  again.send(plain_get);
  CHECK(status_of(again.read_answer()) == 200);
}

TEST_CASE("one address has a limit of its own, trusted proxies have not", "[http]") {
  const auto trusted = GENERATE(false, true);
  http_server_options options{.connections_per_peer_max = 2};
  if (trusted)
    options.trusted_proxies = {"127.0.0.1"};
  echo_server server{options};
  std::vector<raw_client> open;
  for (int i = 0; i < 3; ++i) {
    open.emplace_back(server.port());
    open.back().send(plain_get);
    CHECK(status_of(open.back().read_answer()) == (i == 2 && !trusted ? 503 : 200));
  }
  open.clear();
  REQUIRE(eventually([&] { return server.counters().open_connections == 0; }));
  raw_client again{server.port()};
  again.send(plain_get);
  CHECK(status_of(again.read_answer()) == 200);
}

TEST_CASE("F28: a drain refuses newcomers, answers what is in flight and closes idle connections",
          "[http][F28]") {
  std::promise<http_reply> held;
  http_server_options options{.threads = 2, .linger_limit = 200ms};
  echo_server server{options, [&](http_request request, http_reply reply) {
                       if (request.path == "/hold")
                         held.set_value(std::move(reply));
                       else
                         reply({200, "quick"});
                     }};
  raw_client idle{server.port()};
  idle.send(plain_get);
  REQUIRE(status_of(idle.read_answer()) == 200);
  raw_client busy{server.port()};
  busy.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto reply = held.get_future().get();

  auto drained = std::async(std::launch::async, [&] { return server->drain(5s); });
  CHECK(idle.read_all() == "");
  CHECK(idle.closed());
  CHECK(eventually([&] { return !raw_client{server.port()}.connected(); }));
  CHECK(drained.wait_for(0s) == std::future_status::timeout);
  reply({200, "kept"});
  const auto answer = busy.read_answer();
  CHECK(body_of(answer) == "kept");
  CHECK(header_of(answer, "Connection") == "close");
  CHECK(busy.read_all() == "");
  CHECK(drained.get());
}

TEST_CASE("F28: a drain gives up at its limit and says so", "[http][F28]") {
  std::promise<http_reply> held;
  echo_server server{{}, [&](http_request, http_reply reply) { held.set_value(std::move(reply)); }};
  raw_client busy{server.port()};
  busy.send(plain_get);
  const auto reply = held.get_future().get();
  CHECK(!server->drain(50ms));
  server.stop();
  CHECK(busy.read_all() == "");
  CHECK(busy.closed());
}

TEST_CASE("F28: what was sent before the listener closes is answered", "[http][F28]") {
  for (int round = 0; round < 20; ++round) {
    echo_server server{{.linger_limit = 20ms}};
    std::vector<raw_client> clients;
    for (int i = 0; i < 20; ++i) {
      clients.emplace_back(server.port());
      REQUIRE(clients.back().send(plain_get));
    }
    REQUIRE(server->drain(5s));
    for (auto& client : clients)
      CHECK(status_of(client.read_answer()) == 200);
  }
}

TEST_CASE("several servers live side by side and each stops alone", "[http]") {
  echo_server first;
  auto second = std::make_unique<echo_server>();
  raw_client of_first{first.port()};
  raw_client of_second{second->port()};
  of_first.send(plain_get);
  of_second.send(plain_get);
  CHECK(status_of(of_first.read_answer()) == 200);
  CHECK(status_of(of_second.read_answer()) == 200);
  second.reset();
  CHECK(of_second.read_all() == "");
  of_first.send(plain_get);
  CHECK(status_of(of_first.read_answer()) == 200);
}
