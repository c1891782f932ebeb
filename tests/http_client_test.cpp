#include "net/body_coding.hpp"
#include "protocol/errc.hpp"
#include "tests/kit/client_fixture.hpp"
#include "tests/kit/net_fixture.hpp"
#include "tests/kit/peer_server.hpp"
#include "tests/kit/stub_dns.hpp"

#include <zlib.h>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

constexpr auto trap = "127.0.0.99";

peer_server::script answering(std::string bytes) {
  return [bytes = std::move(bytes)](peer_connection& peer) {
    while (!peer.read_request().empty() && peer.send(bytes)) {
    }
  };
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

} // namespace

TEST_CASE("a request is answered, and its connection used again", "[client]") {
  std::string seen;
  std::mutex mutex;
  peer_server peer{[&](peer_connection& connection) {
    for (;;) {
      const auto request = connection.read_request();
      if (request.empty())
        return;
      const std::lock_guard lock{mutex};
      seen = request;
      connection.send(answer("hello", "X-A: b\r\n"));
    }
  }};
  auto client = start_client();
  for (auto i = 0; i < 3; ++i) {
    const auto outcome = fetch(*client, {.method = http_method::post,
                                         .url = peer.url("/inbox?a=b"),
                                         .headers = {{"Accept", "x/y"}},
                                         .body = std::make_shared<const std::string>("body")});
    REQUIRE(result_of(outcome) == "200");
    CHECK(outcome.response()->body == "hello");
    CHECK(find_header(outcome.response()->headers, "x-a") == "b");
  }
  const std::lock_guard lock{mutex};
  CHECK(seen == "POST /inbox?a=b HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(peer.port()) +
                    "\r\nUser-Agent: Trunkline\r\nAccept-Encoding: gzip\r\nContent-Length: 4\r\n"
                    "Accept: x/y\r\n\r\nbody");
  CHECK(peer.accepted() == 1);
  CHECK(client->counters().reused == 2);
}

TEST_CASE("bodies of every framing are read", "[client]") {
  const auto [bytes, status, body] = GENERATE(table<std::string, std::string, std::string>({
      {answer("x"), "200", "x"},
      {"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=f\r\nde\r\n0\r\n\r\n",
       "200", "abcde"},
      {"HTTP/1.1 200 X\r\n\r\nuntil the end", "200", "until the end"},
      {"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n" + answer("x"), "200", "x"},
      {"HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n", "202", ""},
      {"HTTP/1.1 204 X\r\n\r\n", "204", ""},
      {answer(gzip("zipped"), "Content-Encoding: gzip\r\n"), "200", "zipped"},
  }));
  CAPTURE(bytes);
  peer_server peer{[text = bytes](peer_connection& connection) {
    connection.read_request();
    connection.send(text);
  }};
  auto client = start_client();
  const auto outcome = get(*client, peer.url());
  REQUIRE(result_of(outcome) == status);
  CHECK(outcome.response()->body == body);
}

TEST_CASE("A61 A62 A63 A67 A69 A70: what may not be dialled is refused without a connect",
          "[client][A61][A62][A63][A67][A69][A70]") {
  peer_server listener{answering(answer("x")), trap};
  auto options = client_options();
  options.own_hosts = {"own.example", "127.0.0.1:8080"};
  options.total_limit = 2s;
  auto client = start_client(options);
  const auto port = ":" + std::to_string(listener.port()) + "/";
  for (const std::string host : {"127.0.0.99",
                                 "0.0.0.0",
                                 "10.0.0.1",
                                 "169.254.169.254",
                                 "100.64.0.1",
                                 "192.0.0.1",
                                 "198.18.0.1",
                                 "224.0.0.1",
                                 "240.0.0.1",
                                 "255.255.255.255",
                                 "[::1]",
                                 "[::]",
                                 "[::ffff:127.0.0.99]",
                                 "[::127.0.0.99]",
                                 "[64:ff9b::7f00:63]",
                                 "[64:ff9b:1::1]",
                                 "[2002:7f00:63::1]",
                                 "[2001::1]",
                                 "[fc00::1]",
                                 "[fe80::1]",
                                 "[3fff::1]",
                                 "[ff02::1]",
                                 "[fe80::1%25lo]",
                                 "2130706531",
                                 "0x7f.0.0.99",
                                 "0177.0.0.99",
                                 "127.99",
                                 "127.0.0.99.",
                                 "own.example",
                                 "user@127.0.0.1",
                                 "127.0.0.1\t",
                                 "127.0.0.1\\",
                                 "a\r\nb",
                                 "%0d%0a"}) {
    CAPTURE(host);
    CHECK(result_of(get(*client, "http://" + host + port)) == "refused");
  }
  for (const std::string url :
       {"http://127.0.0.1:22/", "http://127.0.0.1:25/", "http://127.0.0.1:5432/",
        "http://127.0.0.1:6379/", "http://127.0.0.1:8080/", "ftp://127.0.0.1/",
        "file:///etc/passwd", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y"})
    CHECK(result_of(get(*client, url)) == "refused");
  CHECK(result_of(get(*client, "http://127.0.0.1/" + std::string(65'536, 'a'))) == "refused");
  CHECK(client->counters().connections == 0);
  const auto strict = start_client({.allow_http = true});
  for (const std::string host : {"localhost", "127.0.0.1", "127.0.0.99", "[::1]"})
    CHECK(result_of(get(*strict, "http://" + host + port)) == "refused");
  CHECK(strict->counters().connections == 0);
  CHECK(listener.accepted() == 0);
}

TEST_CASE("A70: a header that would begin another one is refused", "[client][A70]") {
  peer_server peer{answering(answer("x"))};
  auto client = start_client();
  for (const auto& header : http_headers{{"A", "b\r\nC: d"},
                                         {"A", "b\nc"},
                                         {"A", std::string("b\0c", 3)},
                                         {"A\r\nB", "c"},
                                         {"A:", "b"},
                                         {"", "b"},
                                         {"Host", "other"},
                                         {"content-length", "1"},
                                         {"Transfer-Encoding", "chunked"}})
    CHECK(result_of(fetch(*client, {.url = peer.url(), .headers = {header}})) == "refused");
  CHECK(peer.accepted() == 0);
}

TEST_CASE("A64: only the checked address is connected to", "[client][A64]") {
  stub_dns dns{[](const std::string& name, int before) -> dns_answer {
    if (name == "rebinds.example")
      return {.addresses = {before == 0 ? "127.0.0.1" : trap}, .ttl = 0};
    if (name == "mixed.example")
      return {.addresses = {trap, "127.0.0.1"}};
    return {.addresses = {trap, "::1", "10.0.0.1"}};
  }};
  peer_server peer{[](peer_connection& connection) {
    connection.read_request();
    connection.send(answer("x", "Connection: close\r\n"));
  }};
  peer_server listener{answering(answer("x")), trap, peer.port()};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.name_kept_min = 0s;
  auto client = start_client(options);
  CHECK(result_of(get(*client, peer.url("/", "rebinds.example"))) == "200");
  CHECK(result_of(get(*client, peer.url("/", "rebinds.example"))) == "refused");
  CHECK(result_of(get(*client, peer.url("/", "mixed.example"))) == "200");
  CHECK(result_of(get(*client, peer.url("/", "bad.example"))) == "refused");
  CHECK(listener.accepted() == 0);
  CHECK(peer.accepted() == 2);
}

TEST_CASE("A65 A66: a redirect is an answer and is not followed", "[client][A65][A66]") {
  peer_server listener{answering(answer("x")), trap};
  for (const auto status : {301, 302, 303, 307, 308}) {
    peer_server peer{
        answering(answer("", "Location: " + listener.url("/", trap) + "\r\n", status))};
    auto client = start_client();
    CHECK(result_of(get(*client, peer.url())) == std::to_string(status));
    CHECK(result_of(post(*client, peer.url(), "b")) == std::to_string(status));
    CHECK(client->counters().connections == 1);
  }
  CHECK(listener.accepted() == 0);
}

TEST_CASE("F21: each way to hang ends at the limit of its phase", "[client][F21]") {
  const auto drip = [](std::string begin) {
    return [begin](peer_connection& peer) {
      peer.read_request();
      peer.send(begin);
      while (peer.pause(20) && peer.send("a")) {
      }
    };
  };
  const auto [play, body_bytes, expected] =
      GENERATE_COPY(table<peer_server::script, std::size_t, std::string>({
          {[](peer_connection& peer) { peer.wait_for_end(); }, 1, "first_byte!"},
          {[](peer_connection& peer) { peer.pause(10'000); }, 32 << 20, "write!"},
          {drip("HTTP/1.1 200 OK\r\nA: "), 1, "first_byte!"},
          {drip("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"), 1, "body!"},
          {drip("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1"), 1, "body!"},
      }));
  peer_server peer{play};
  auto options = client_options();
  options.first_byte_limit = 200ms;
  options.total_limit = 400ms;
  auto client = start_client(options);
  CHECK(result_of(post(*client, peer.url(), std::string(body_bytes, 'a'))) == expected);
  CHECK(client->counters().open_connections == 0);
}

TEST_CASE("F21: a host that hangs holds 16 connections and no other host", "[client][F21]") {
  peer_server stalled{[](peer_connection& peer) { peer.wait_for_end(); }};
  peer_server healthy{answering(answer("x"))};
  auto client = start_client();
  std::vector<std::future<exchange_outcome>> stuck;
  for (auto i = 0; i < 40; ++i)
    stuck.push_back(begin_exchange(*client, {.url = stalled.url()}));
  CHECK(eventually([&] { return stalled.accepted() == 16; }));
  CHECK(result_of(get(*client, healthy.url())) == "200");
  CHECK(client->counters().in_flight == 40);
  CHECK(client->counters().open_connections == 17); // and the healthy one, kept
  client->stop();
  for (auto& one : stuck)
    CHECK(one.get().failure() != nullptr);
}

TEST_CASE("F22 A71: what is huge, endless or garbage is ended early", "[client][F22][A71]") {
  const auto endless = [](std::string begin, std::string part) {
    return [=](peer_connection& peer) {
      peer.read_request();
      peer.send(begin);
      while (peer.send(part)) {
      }
    };
  };
  const auto ok = std::string{"HTTP/1.1 200 OK\r\n"};
  const auto bomb = gzip(std::string(64 << 20, 'a'));
  const auto [play, expected] = GENERATE_COPY(table<peer_server::script, std::string>({
      {endless(ok + "Content-Length: 10000000000\r\n\r\n", std::string(4096, 'a')), "body"},
      {endless(ok + "\r\n", std::string(4096, 'a')), "body"},
      {endless(ok + "Transfer-Encoding: chunked\r\n\r\n", "4\r\naaaa\r\n"), "body"},
      {endless(ok + "Transfer-Encoding: chunked\r\n\r\n", "1;aaaaaaaaaaaa"), "body"},
      {endless(ok, "A: " + std::string(1000, 'a') + "\r\n"), "first_byte"},
      {endless("", "garbage "), "first_byte"},
      {endless("HTTP/9.9 abc\r\n\r\n", "x"), "first_byte"},
      {endless("", "HTTP/1.1 100 Continue\r\n\r\n"), "first_byte"},
      {answering(answer(bomb, "Content-Encoding: gzip\r\n")), "body"},
      {answering(answer(gzip(gzip("x")), "Content-Encoding: gzip, gzip\r\n")), "body"},
      {answering(answer("x", "Content-Encoding: br\r\n")), "body"},
      {answering(answer("x", "Content-Encoding: zstd\r\n")), "body"},
      {answering(answer("x", "Content-Length: 2\r\n")), "first_byte"},
      {answering(answer("x", "Transfer-Encoding: chunked\r\n")), "first_byte"},
      {[](peer_connection& peer) {
         peer.read_request();
         peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
       },
       "body"},
  }));
  peer_server peer{play};
  auto client = start_client();
  CHECK(result_of(get(*client, peer.url())) == expected);
}

TEST_CASE("A71: a body is inflated up to its limit", "[client][A71]") {
  CHECK(decode_body("gzip", gzip(std::string(1000, 'a')), 1000) == std::string(1000, 'a'));
  CHECK(code_of(decode_body("gzip", gzip(std::string(1001, 'a')), 1000).error()) ==
        errc::too_large);
  CHECK(code_of(decode_body("gzip", gzip("a").substr(0, 10), 1000).error()) == errc::malformed);
  CHECK(code_of(decode_body("gzip", gzip("a") + "b", 1000).error()) == errc::malformed);
  CHECK(code_of(decode_body("gzip, gzip", gzip("a"), 1000).error()) == errc::invalid);
}

TEST_CASE("F25: each failure of names is told and remembered", "[client][F25]") {
  stub_dns dns{[](const std::string& name, int) -> dns_answer {
    if (name == "servfail.example")
      return {.code = 2};
    if (name == "unknown.example")
      return {.code = 3};
    if (name == "silent.example")
      return {.silent = true};
    if (name == "swapped.example")
      return {.addresses = {trap}, .swapped = true};
    if (name == "many.example")
      return {.addresses = std::vector<std::string>(1000, "127.0.0.1")};
    if (name == "short.example")
      return {.addresses = {"127.0.0.1"}, .ttl = 0};
    return {};
  }};
  peer_server peer{answering(answer("x"))};
  auto options = client_options();
  options.name_servers = {dns.server()};
  options.name_limit = 500ms;
  auto client = start_client(options);
  const auto look = [&](const char* name) { return get(*client, peer.url("/", name)); };
  CHECK(result_of(look("servfail.example")) == "name");
  const auto unknown = look("unknown.example");
  CHECK(result_of(unknown) == "name");
  CHECK(unknown.failure()->name_unknown);
  CHECK(result_of(look("empty.example")) == "name");
  CHECK(result_of(look("silent.example")) == "name!");
  CHECK(result_of(look("many.example")) == "200");
  CHECK(result_of(look("short.example")) == "200");
  for (const auto* name : {"servfail.example", "unknown.example", "empty.example"}) {
    const auto before = dns.asked(name);
    CHECK(result_of(look(name)) == "name");
    CHECK(dns.asked(name) == before);
  }
  CHECK(result_of(look("swapped.example")) == "refused");
}

TEST_CASE("requests for one name share a look-up", "[client][F25]") {
  stub_dns dns{[](const std::string&, int) -> dns_answer { return {.addresses = {"127.0.0.1"}}; }};
  peer_server peer{answering(answer("x"))};
  auto options = client_options();
  options.name_servers = {dns.server()};
  auto client = start_client(options);
  std::vector<std::future<exchange_outcome>> all;
  for (auto i = 0; i < 10; ++i)
    all.push_back(begin_exchange(*client, {.url = peer.url("/", "one.example")}));
  for (auto& one : all)
    CHECK(result_of(one.get()) == "200");
  CHECK(dns.asked("one.example") == 1);
  CHECK(client->counters().lookups == 1);
}

TEST_CASE("a kept connection that was closed costs a GET nothing, a POST is not doubled",
          "[client]") {
  std::atomic<int> posts = 0;
  peer_server peer{[&](peer_connection& connection) {
    connection.read_request();
    connection.send(answer("x"));
    // The second request is read and dropped: it may have been acted on.
    if (connection.read_request().starts_with("POST"))
      ++posts;
  }};
  auto client = start_client();
  CHECK(result_of(get(*client, peer.url())) == "200");
  CHECK(result_of(get(*client, peer.url())) == "200");
  CHECK(client->counters().retries == 1);
  CHECK(result_of(post(*client, peer.url(), "b")) == "first_byte");
  CHECK(posts == 1);
}

TEST_CASE("a stopped client refuses, and ends what is under way", "[client]") {
  peer_server peer{[](peer_connection& connection) { connection.wait_for_end(); }};
  auto client = start_client();
  auto stuck = begin_exchange(*client, {.url = peer.url()});
  const auto waits = eventually([&] { return peer.accepted() == 1; });
  CHECK(waits);
  client->stop();
  CHECK(stuck.get().failure() != nullptr);
  CHECK(result_of(get(*client, peer.url())) == "refused");
}
