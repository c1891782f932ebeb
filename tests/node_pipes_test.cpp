// Who may open a pipe, and whom a node opens one to.

#include "net/node_pipes.hpp"
#include "tests/kit/pipe_node.hpp"
#include "tests/kit/raw_client.hpp"
#include "tests/kit/raw_tls.hpp"
#include "tests/kit/test_authority.hpp"

#include <catch2/catch.hpp>

#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>
#include <tuple>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

using std::string;

time_point now_and(std::chrono::seconds more) {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) + more;
}

/// Why a node "n1" with these files does not start.
string refusal_of(const node_pipe_files& files, errc code = errc::config_invalid) {
  auto options = pipe_options("n1", files);
  options.opened = [](opened_pipe) {};
  const auto started = node_pipes::start(std::move(options));
  REQUIRE(!started);
  CHECK(code_of(started.error()) == code);
  return context_of(started.error());
}

bool has_all(const string& text, const std::vector<string>& parts) {
  UNSCOPED_INFO(text);
  return std::ranges::all_of(parts,
                             [&](const string& part) { return text.find(part) != string::npos; });
}

/// Opens a pipe from one to the other: whoever was refused before keeps nobody out.
void check_still_open(test_authority& authority, pipe_node& node) {
  pipe_node good{pipe_options(authority, "good")};
  good.dial(node);
  const auto mine = good.take();
  const auto theirs = node.take();
  mine.write("hello");
  CHECK(theirs.read(5) == "hello");
}

} // namespace

TEST_CASE("A130: files that prove nothing stop the start, and are named", "[pipes][A130]") {
  test_authority authority;
  test_authority stranger{"stranger"};
  const auto own = authority.issue({.names = "DNS:n1"});
  const auto good = files_of(authority, own);
  temporary_folder folder;
  const auto garbage = folder.path + "/garbage.pem";
  std::ofstream{garbage} << "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n";
  const auto with = [&](auto change) {
    auto files = good;
    change(files);
    return files;
  };
  const auto issued = [&](const certificate_wish& wish) {
    return files_of(authority, authority.issue(wish));
  };

  CHECK(has_all(refusal_of(with([](auto& f) { f.certificate = "/none.pem"; })),
                {"certificate: /none.pem", "cannot be read", "No such file"}));
  CHECK(has_all(refusal_of(with([](auto& f) { f.certificate = ""; })), {"certificate: no file"}));
  CHECK(has_all(refusal_of(with([](auto& f) { f.certificate = "/tmp"; })), {"/tmp", "regular"}));
  CHECK(has_all(refusal_of(with([&](auto& f) { f.certificate = garbage; })), {garbage, "no cert"}));
  CHECK(has_all(refusal_of(with([](auto& f) { f.key = "/none.key"; })), {"key: /none.key"}));
  CHECK(has_all(refusal_of(with([&](auto& f) { f.key = garbage; }), errc::insecure),
                {garbage, "chmod 600"}));
  CHECK(has_all(refusal_of(with([&](auto& f) { f.key = stranger.issue().key; })),
                {"key: ", "does not belong to the certificate", own.certificate}));
  CHECK(has_all(refusal_of(with([](auto& f) { f.authority = "/none.pem"; })),
                {"authority: /none.pem"}));
  CHECK(has_all(refusal_of(with([&](auto& f) { f.authority = stranger.ca_file(); })),
                {own.certificate, "not issued by the cluster's CA", stranger.ca_file()}));
  CHECK(has_all(refusal_of(with([&](auto& f) { f.authority = own.certificate; })),
                {own.certificate, "no CA's"}));
  CHECK(has_all(refusal_of(issued({.names = "DNS:n1", .valid_from = -600, .valid_until = -60})),
                {"certificate: ", "has expired on"}));
  CHECK(has_all(refusal_of(issued({.names = "DNS:n1", .valid_from = 600})),
                {"certificate: ", "not valid before", "clock"}));
  CHECK(has_all(refusal_of(issued({.names = "DNS:n2,DNS:n1"})),
                {"not for the node n1", "n2, n1", "first"}));
  CHECK(has_all(refusal_of(issued({.names = "IP:127.0.0.1"})), {"DNS names are none"}));
  for (const auto* half : {"serverAuth", "clientAuth"})
    CHECK(has_all(refusal_of(issued({.names = "DNS:n1", .purposes = half})), {"both sides"}));
  std::filesystem::permissions(own.key, std::filesystem::perms{0640});
  CHECK(has_all(refusal_of(good, errc::insecure), {own.key, "read by others", "chmod 600"}));
}

TEST_CASE("F45: a list of revoked certificates counts only if it can", "[pipes][F45]") {
  test_authority authority;
  test_authority stranger{"stranger"};
  const auto own = authority.issue({.names = "DNS:n1"});
  auto files = files_of(authority, own);
  const auto with = [&](const string& revoked) {
    files.revoked = revoked;
    return files;
  };
  CHECK(has_all(refusal_of(with("/none.pem")), {"revoked: /none.pem", "cannot be read"}));
  CHECK(has_all(refusal_of(with(own.certificate)), {"revoked: ", "no list of revoked"}));
  CHECK(has_all(refusal_of(with(authority.revoke({}, -60))), {"revoked: ", "has expired on"}));
  CHECK(has_all(refusal_of(with(stranger.revoke({}))), {"revoked: ", "was not made by"}));
  CHECK(has_all(refusal_of(with(authority.revoke({own}))), {own.certificate, "was revoked"}));
  pipe_node node{pipe_options("n1", with(authority.revoke({authority.issue()})))};
  CHECK(node->port() != 0);
}

TEST_CASE("an address to listen on must be one", "[pipes]") {
  test_authority authority;
  for (const auto* listen : {"", "127.0.0.1", "n1:70000", ":1", "::1:1", "localhost:0"}) {
    CAPTURE(listen);
    auto options = pipe_options(authority, "n1");
    options.listen = listen;
    options.opened = [](opened_pipe) {};
    const auto started = node_pipes::start(std::move(options));
    REQUIRE(!started);
    CHECK(code_of(started.error()) == errc::config_invalid);
    CHECK(has_all(context_of(started.error()), {"listen: "}));
  }
  pipe_node first{pipe_options(authority, "n1")};
  auto options = pipe_options(authority, "n2");
  options.listen = first.address();
  options.opened = [](opened_pipe) {};
  const auto second = node_pipes::start(std::move(options));
  REQUIRE(!second);
  CHECK(code_of(second.error()) == errc::unavailable);
}

TEST_CASE("two nodes of one cluster open a pipe", "[pipes]") {
  test_authority authority;
  pipe_node one{pipe_options(authority, "n1")};
  auto options = pipe_options(authority, "n2");
  options.listen = "[::1]:0";
  const auto on_v6 = GENERATE(false, true);
  if (!on_v6)
    options.listen = "127.0.0.1:0";
  pipe_node two{options};
  one->dial("n2", (on_v6 ? "[::1]:" : "localhost:") + std::to_string(two->port()));
  const auto mine = one.take();
  const auto theirs = two.take();
  mine.write("ping");
  CHECK(theirs.read(4) == "ping");
  theirs.write("pong");
  CHECK(mine.read(4) == "pong");
  CHECK(one.notes() == std::vector<string>{"dialled n2"});
  CHECK(two.notes() == std::vector<string>{"accepted n1"});
  for (const auto& each : {mine.get(), theirs.get()}) {
    CHECK((::fcntl(each, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(each, F_GETFL) & O_NONBLOCK) != 0);
  }
}

TEST_CASE("A130: who proves no wanted name is not let in", "[pipes][A130][F45]") {
  test_authority authority;
  test_authority stranger{"stranger"};
  const auto outcast = authority.issue({.names = "DNS:n3"});
  auto options = pipe_options(authority, "n1");
  options.files.revoked = authority.revoke({outcast});
  options.may_enter = [](std::string_view peer) { return peer != "n4"; };
  pipe_node node{options};

  const auto expired = authority.issue({.names = "DNS:n2", .valid_until = -60});
  const auto early = authority.issue({.names = "DNS:n2", .valid_from = 600});
  struct row {
    string what;
    node_pipe_options dialler;
    std::chrono::seconds clock;
    string refused;
    string failed;
  };
  const auto from = [&](const tls_files& own, const string& name) {
    return pipe_options(name, files_of(authority, own));
  };
  auto foreign = pipe_options(stranger, "n2");
  const auto rows = std::vector<row>{
      {"expired", from(expired, "n2"), -600s, "has expired", "alert certificate expired"},
      {"early", from(early, "n2"), 900s, "is not yet valid", "alert bad certificate"},
      {"revoked", from(outcast, "n3"), 0s, "revoked", "alert certificate revoked"},
      {"unwanted", pipe_options(authority, "n4"), 0s, "the node n4 may not enter", "alert"},
      {"own name", pipe_options(authority, "n1"), 0s, "own name", "is this node itself"},
      {"foreign", foreign, 0s, "alert unknown ca", "unable to get local issuer"},
  };
  for (const auto& [what, wish, clock, refused, failed] : rows) {
    CAPTURE(what);
    auto dialler = wish;
    dialler.now = [clock = clock] { return now_and(clock); };
    const auto before = node.count("refused ");
    pipe_node other{dialler};
    other->dial("n1", node.address());
    CHECK(has_all(other.await("failed n1: "), {failed}));
    REQUIRE(eventually([&] { return node.count("refused 127.0.0.1: ") > before; }, long_enough));
    if (what != "own name") // whom the dialling side refuses first
      CHECK(has_all(node.notes().back(), {refused}));
    CHECK(other.notes().size() == 1);
  }
  CHECK(node.count("accepted") == 0);
  check_still_open(authority, node);
}

TEST_CASE("A130: raw TLS without the right certificate is refused", "[pipes][A130]") {
  test_authority authority;
  test_authority stranger{"stranger"};
  using row = std::tuple<string, tls_files, int, string>;
  const auto rows = std::vector<row>{
      {"none", {}, 0, "did not return a certificate"},
      {"foreign", stranger.issue({.names = "DNS:n2"}), 0, "unable to get local issuer"},
      {"self-signed", authority.issue({.names = "DNS:n2", .signs_itself = true}), 0, "self-signed"},
      {"own name", authority.issue({.names = "DNS:n1"}), 0, "own name"},
      {"no name", authority.issue(), 0, "names no node"},
      {"no node's name", authority.issue({.names = "DNS:N2"}), 0, "names no node"},
      {"a star", authority.issue({.names = "DNS:*"}), 0, "names no node"},
      {"for servers", authority.issue({.names = "DNS:n2", .purposes = "serverAuth"}), 0, "purpose"},
      {"TLS 1.2", authority.issue({.names = "DNS:n2"}), TLS1_2_VERSION, "unsupported protocol"},
  };
  for (const auto& [what, files, version, reason] : rows) {
    CAPTURE(what);
    pipe_node node{pipe_options(authority, "n1")};
    raw_tls peer{files, version};
    peer.dial(node->port());
    CHECK(peer.read(1).empty());
    CHECK(has_all(node.await("refused 127.0.0.1: "), {reason}));
    CHECK(node.count("accepted") == 0);
    check_still_open(authority, node);
  }
}

TEST_CASE("A130: what is no TLS is refused", "[pipes][A130]") {
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")};
  const auto bytes =
      GENERATE(as<string>{}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "garbage, a lot of it",
               string(100'000, '\xff'), string("\x16\x03\x01\xff\xff", 5) + string(70'000, 'x'));
  raw_client client{node->port()};
  client.send(bytes);
  client.read_all(long_enough);
  CHECK(client.closed());
  CHECK(node.await("refused 127.0.0.1: ") != "nothing");
  CHECK(node.count("accepted") == 0);
  check_still_open(authority, node);
}

TEST_CASE("no session can be resumed", "[pipes]") {
  test_authority authority;
  pipe_node node{pipe_options(authority, "n1")};
  raw_tls peer{authority.issue({.names = "DNS:n2"})};
  REQUIRE(peer.dial(node->port()));
  const auto theirs = node.take();
  theirs.write("x");
  CHECK(peer.read(2).size() == 2); // the welcome, and what was written: any ticket came before
  CHECK(!peer.has_session());
}

TEST_CASE("A130: a dial ends where the name is another", "[pipes][A130]") {
  test_authority authority;
  test_authority stranger{"stranger"};
  using row = std::tuple<string, tls_files, string>;
  const auto rows = std::vector<row>{
      {"another name", authority.issue({.names = "DNS:n3"}), "for the node n3, not for n2"},
      {"the second name", authority.issue({.names = "DNS:n3,DNS:n2"}), "for the node n3"},
      {"a star", authority.issue({.names = "DNS:*"}), "names no node"},
      {"no name", authority.issue(), "names no node"},
      {"foreign", stranger.issue({.names = "DNS:n2"}), "unable to get local issuer"},
      {"expired", authority.issue({.names = "DNS:n2", .valid_until = -60}), "has expired"},
  };
  for (const auto& [what, files, reason] : rows) {
    CAPTURE(what);
    pipe_node one{pipe_options(authority, "n1")};
    raw_tls peer{files};
    one->dial("n2", "127.0.0.1:" + std::to_string(peer.listen()));
    CHECK(!peer.accept());
    CHECK(has_all(one.await("failed n2: "), {reason}));
    CHECK(one.notes().size() == 1);
  }
}

TEST_CASE("a dial that finds nobody says so once", "[pipes]") {
  test_authority authority;
  pipe_node one{pipe_options(authority, "n1")};
  raw_tls closed{authority.issue({.names = "DNS:n2"})};
  const auto address = GENERATE(as<string>{}, "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x", "[::1:1",
                                "", "127.0.0.1:1", "no-such-name.invalid:1", "bad name:1");
  CAPTURE(address);
  one->dial("n2", address);
  CHECK(one.await("failed n2: ") != "nothing");
  CHECK(one.notes().size() == 1);
}

TEST_CASE("a peer of another version is refused in words", "[pipes]") {
  test_authority authority;
  pipe_node one{pipe_options(authority, "n1")};
  raw_tls peer{authority.issue({.names = "DNS:n2"})};
  one->dial("n2", "127.0.0.1:" + std::to_string(peer.listen()));
  REQUIRE(peer.accept());
  peer.send("\x02");
  CHECK(has_all(one.await("failed n2: "), {"another version"}));
}
