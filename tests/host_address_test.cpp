#include "protocol/errc.hpp"
#include "protocol/host_address.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

using namespace trunkline;

namespace {

constexpr auto strict = url_rules{};
constexpr auto testing = url_rules{.allow_http = true};

std::string key_of(std::string_view text, url_rules rules = strict) {
  const auto url = parse_remote_url(text, rules);
  return url ? to_key(url->host) : "refused: " + context_of(url.error());
}

bool is_refused(std::string_view text, url_rules rules = testing) {
  const auto url = parse_remote_url(text, rules);
  return !url && code_of(url.error()) == errc::invalid;
}

} // namespace

TEST_CASE("a URL is read into origin and target", "[host_address]") {
  const auto url = parse_remote_url("https://Example.ORG:8443/users/a?b=c&d[]=e#main-key", strict);
  REQUIRE(url);
  CHECK(url->host == host_address{.scheme = "https", .name = "example.org", .port = 8443});
  CHECK(url->target == "/users/a?b=c&d%5B%5D=e");
  CHECK(url->text == "https://Example.ORG:8443/users/a?b=c&d[]=e#main-key");
}

TEST_CASE("a target begins with a slash and is ASCII", "[host_address]") {
  CHECK(parse_remote_url("https://a.example", strict)->target == "/");
  CHECK(parse_remote_url("https://a.example?x", strict)->target == "/?x");
  CHECK(parse_remote_url("https://a.example#x/y", strict)->target == "/");
  CHECK(parse_remote_url("https://a.example/caf\xc3\xa9|x", strict)->target == "/caf%C3%A9%7Cx");
  CHECK(parse_remote_url("https://a.example//b//c", strict)->target == "//b//c");
}

TEST_CASE("one origin has one key", "[host_address]") {
  const auto key = std::string{"https://example.org:443"};
  for (const auto* text : {"https://example.org", "HTTPS://EXAMPLE.org/", "https://example.org:443",
                           "https://example.org#fragment"})
    CHECK(key_of(text) == key);
  CHECK(key_of("https://b\xc3\xbc"
               "cher.example/") == "https://xn--bcher-kva.example:443");
  CHECK(key_of("https://XN--BCHER-KVA.example/") == "https://xn--bcher-kva.example:443");
  CHECK(key_of("https://[2001:DB8:0:0::1]/") == "https://[2001:db8::1]:443");
  CHECK(key_of("https://[::ffff:192.0.2.1]/") == key_of("https://[::FFFF:c000:201]/"));
  CHECK(key_of("https://192.0.2.1/") == "https://192.0.2.1:443");
  CHECK(key_of("http://example.org/", testing) == "http://example.org:80");
  CHECK(key_of("http://127.0.0.1:9002/inbox", testing) == "http://127.0.0.1:9002");
}

TEST_CASE("A63: a host in another spelling is refused", "[host_address][A63]") {
  for (const std::string host : {"2130706531",
                                 "0x7f.0.0.99",
                                 "0177.0.0.99",
                                 "127.99",
                                 "127.0.99",
                                 "0x7f000063",
                                 "127.0.0.099",
                                 "127.0.0.256",
                                 "1.2.3.4.5",
                                 "127.0.0.99.",
                                 "example.org.",
                                 "example.0x7f",
                                 "example.1",
                                 "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.99",
                                 "example.org\xe3\x80\x82",
                                 "%31",
                                 "127.0.0.%31",
                                 "[::1",
                                 "[::1]x",
                                 "[fe80::1%25eth0]",
                                 "[v1.x]",
                                 "[1::2::3]",
                                 "[]",
                                 "",
                                 "a_b.example",
                                 "-a.example",
                                 "a..b"}) {
    CAPTURE(host);
    CHECK(is_refused("https://" + host + "/"));
    CHECK(is_refused("https://" + host + ":8443/"));
    CHECK_FALSE(parse_host_name(host, "https"));
  }
}

TEST_CASE("A67: ports of other services are refused", "[host_address][A67]") {
  for (const auto port : {-1,   0,    1,    21,   22,   25,   53,    79,    81,   442,  444,
                          1023, 1433, 1521, 2049, 2375, 3306, 3389,  5432,  5672, 6000, 6063,
                          6379, 6665, 6669, 6697, 9042, 9200, 11211, 27017, 65536}) {
    CAPTURE(port);
    CHECK(is_refused_port(port));
    CHECK(is_refused("https://a.example:" + std::to_string(port) + "/"));
    CHECK_FALSE(parse_host_name("a.example:" + std::to_string(port), "https"));
  }
  for (const auto port : {80, 443, 1024, 3000, 4000, 5000, 6064, 8000, 8080, 8443, 9002, 9003, 9004,
                          32'768, 50'123, 65'535})
    CHECK_FALSE(is_refused_port(port));
}

TEST_CASE("a port has one spelling", "[host_address]") {
  for (const auto* port :
       {"", "0443", "+443", "-443", " 443", "443 ", "99999", "4294967739", "0x1bb", "443:443", "a"})
    CHECK(is_refused(std::string{"https://a.example:"} + port + "/"));
}

TEST_CASE("A70: what a request line cannot carry is refused", "[host_address][A70]") {
  for (const std::string text : {"https://user@a.example/",
                                 "https://user:pw@a.example/",
                                 "https://@a.example/",
                                 "https://a.example@b.example/",
                                 "https://a.example/a b",
                                 "https://a.example/a\tb",
                                 "https://a.example/a\r\nHost: b",
                                 "https://a.example\\@b.example/",
                                 "https://a.example/\\",
                                 "https://a.example/%zz",
                                 "https://a.example/%",
                                 "https://a.example%0d%0a/",
                                 "https://a.example/\x7f",
                                 " https://a.example/",
                                 "https://a.example/ ",
                                 "https:/a.example/",
                                 "https:a.example",
                                 "//a.example/",
                                 "/a",
                                 "",
                                 "https://",
                                 "https:///a",
                                 "a.example",
                                 "javascript:alert(1)",
                                 "javascript://a.example/%0aalert(1)",
                                 "data:text/html,x",
                                 "ftp://a.example/",
                                 "file:///etc/passwd",
                                 "gopher://a.example/",
                                 "https://a.example[/"}) {
    CAPTURE(text);
    CHECK(is_refused(text));
  }
  CHECK(is_refused(std::string("https://a.example/\0", 19)));
  CHECK(is_refused(std::string("https://a\0.example/", 19)));
  // Encoded it stays encoded: no line ends there.
  CHECK(parse_remote_url("https://a.example/%0d%0aHost:b", strict)->target == "/%0d%0aHost:b");
}

TEST_CASE("A70: a URL has at most 2,048 bytes", "[host_address][A70]") {
  const auto prefix = std::string{"https://a.example/"};
  CHECK_FALSE(is_refused(prefix + std::string(url_bytes_max - prefix.size(), 'a')));
  CHECK(is_refused(prefix + std::string(url_bytes_max - prefix.size() + 1, 'a')));
  CHECK(is_refused(prefix + std::string(65'536, 'a')));
}

TEST_CASE("http is refused outside the test mode", "[host_address]") {
  CHECK(is_refused("http://a.example/", strict));
  CHECK_FALSE(is_refused("http://a.example/", testing));
}

TEST_CASE("a host's name is read as it is written", "[host_address]") {
  for (const std::string scheme : {"https", "http"})
    for (const std::string name : {"example.org", "example.org:8443", "[::1]", "[2001:db8::1]:8443",
                                   "127.0.0.1:9002", "xn--bcher-kva.example"}) {
      CAPTURE(scheme, name);
      const auto host = parse_host_name(name, scheme);
      REQUIRE(host);
      CHECK(to_name(*host) == name);
      CHECK(key_of(scheme + "://" + name + "/", testing) == to_key(*host));
    }
  CHECK(to_name(*parse_host_name("Example.org:443", "https")) == "example.org");
  CHECK(to_name(*parse_host_name("example.org:443", "http")) == "example.org:443");
}

TEST_CASE("A59: what is no name does not become another's", "[host_address][A59]") {
  for (const auto* text : {"v.example/", "v.example/.e", "v.example#", "v.example?", "a@v.example",
                           "v.example:", "https://v.example", "v.example ", ""})
    CHECK_FALSE(parse_host_name(text, "https"));
  CHECK_FALSE(parse_host_name("v.example", "ftp"));
  CHECK(to_name(*parse_host_name("V.Example", "https")) == "v.example");
}

TEST_CASE("an origin is scheme, host and port", "[host_address]") {
  CHECK(is_same_origin("https://A.example/1", "https://a.example:443/2#x", strict));
  CHECK_FALSE(is_same_origin("https://a.example/", "https://a.example:8443/", strict));
  CHECK_FALSE(is_same_origin("https://a.example/", "http://a.example/", testing));
  CHECK_FALSE(is_same_origin("https://a.example:8443/", "http://a.example:8443/", testing));
  CHECK_FALSE(is_same_origin("https://a.example/", "https://b.a.example/", strict));
  CHECK_FALSE(is_same_origin("", "", strict));
  CHECK_FALSE(is_same_origin("nonsense", "nonsense", strict));
}

TEST_CASE("hosts can be keys", "[host_address]") {
  const auto one = host_address{.scheme = "https", .name = "a.example", .port = 443};
  auto other = one;
  CHECK(std::hash<host_address>{}(one) == std::hash<host_address>{}(other));
  other.port = 8443;
  CHECK(std::set{one, other}.size() == 2);
}
