#include "protocol/address_rules.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

namespace {

bool is_allowed(std::string_view text, const std::vector<std::string>& prefixes = {}) {
  const auto ip = parse_ip(text);
  REQUIRE(ip);
  const auto allowed = parse_allowed_prefixes(prefixes);
  REQUIRE(allowed);
  return is_allowed_address(*ip, *allowed);
}

} // namespace

TEST_CASE("A61: the first and last IPv4 address of each special range is refused", "[A61]") {
  for (const auto* text :
       {"0.0.0.0",         "0.255.255.255",  "10.0.0.0",       "10.255.255.255",  "100.64.0.0",
        "100.127.255.255", "127.0.0.1",      "127.0.0.99",     "127.255.255.255", "169.254.0.0",
        "169.254.169.254", "172.16.0.0",     "172.31.255.255", "192.0.0.0",       "192.0.0.255",
        "192.0.2.1",       "192.88.99.1",    "192.168.0.0",    "192.168.255.255", "198.18.0.0",
        "198.19.255.255",  "198.51.100.7",   "203.0.113.255",  "224.0.0.1",       "239.255.255.255",
        "240.0.0.1",       "255.255.255.255"}) {
    CAPTURE(text);
    CHECK(!is_allowed(text));
  }
}

TEST_CASE("the neighbours of the special IPv4 ranges are allowed", "[A61]") {
  for (const auto* text :
       {"1.0.0.0",        "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",    "126.255.255.255", "128.0.0.0",       "169.253.255.255",
        "169.255.0.0",    "172.15.255.255",  "172.32.0.0",      "191.255.255.255",
        "192.0.1.0",      "192.0.3.0",       "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0",      "198.51.99.255",   "203.0.112.255",
        "203.0.114.0",    "223.255.255.255", "8.8.8.8"}) {
    CAPTURE(text);
    CHECK(is_allowed(text));
  }
}

TEST_CASE("A62: IPv6 addresses of no host of the public Internet are refused", "[A62]") {
  for (const auto* text : {"::",
                           "::1",
                           "::ffff:127.0.0.99",
                           "::ffff:10.0.0.1",
                           "::127.0.0.99",
                           "::10.0.0.1",
                           "64:ff9b::7f00:63",
                           "64:ff9b::808:808",
                           "64:ff9b:1::1",
                           "100::1",
                           "2002:7f00:63::1",
                           "2002::1",
                           "2001::1",
                           "2001:0:ffff::1",
                           "2001:1ff:ffff::",
                           "2001:db8::1",
                           "2001:db8:ffff::1",
                           "3fff::1",
                           "3fff:fff:ffff::1",
                           "4000::1",
                           "8000::1",
                           "fc00::1",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "ff0e::1"}) {
    CAPTURE(text);
    CHECK(!is_allowed(text));
  }
  for (const auto* text :
       {"2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111",
        "3ffe::1", "3fff:1000::1", "::ffff:8.8.8.8", "::8.8.8.8"}) {
    CAPTURE(text);
    CHECK(is_allowed(text));
  }
}

TEST_CASE("an allowed prefix opens what is in it and nothing else", "[A61][A62]") {
  const std::vector<std::string> allowed{"10.1.0.0/16", "127.0.0.1", "fd00:1::/32", "::1"};
  for (const auto* text : {"10.1.0.0", "10.1.255.255", "127.0.0.1", "::ffff:10.1.2.3", "::10.1.2.3",
                           "fd00:1:ffff::1", "::1"}) {
    CAPTURE(text);
    CHECK(is_allowed(text, allowed));
  }
  for (const auto* text : {"10.0.255.255", "10.2.0.0", "127.0.0.2", "127.0.0.99", "::2",
                           "fd00:2::1", "::ffff:10.2.0.0"}) {
    CAPTURE(text);
    CHECK(!is_allowed(text, allowed));
  }
}

TEST_CASE("a prefix that is none is refused by its text", "[A61]") {
  for (const std::string text : {"", "10.0.0.0/33", "10.0.0.0/", "host", "::1/129", "[::1]"}) {
    CAPTURE(text);
    const auto parsed = parse_allowed_prefixes({"10.0.0.0/8", text});
    REQUIRE(!parsed);
    CHECK(code_of(parsed.error()) == errc::config_invalid);
    CHECK(context_of(parsed.error()) == "allowed_addresses: no prefix: " + text);
  }
}

TEST_CASE("A63: only four decimal numbers are an IPv4 address", "[A63]") {
  for (const auto* text :
       {"2130706531", "0x7f.0.0.99", "0177.0.0.99", "127.99", "127.0.0.99.", "0x7f000063",
        "127.0.0.099", " 127.0.0.99", "127.0.0.99%1", "fe80::1%lo", "[::1]"}) {
    CAPTURE(text);
    CHECK(!parse_ip(text));
  }
}
