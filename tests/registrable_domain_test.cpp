#include "protocol/registrable_domain.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("A75: names below one registered domain are of one owner", "[registrable_domain][A75]") {
  CHECK(registrable_domain("example.com") == "example.com");
  CHECK(registrable_domain("a.b.example.com") == "example.com");
  CHECK(registrable_domain("a.b.example.co.uk") == "example.co.uk");
  CHECK(registrable_domain("a.xn--bcher-kva.de") == "xn--bcher-kva.de");
}

TEST_CASE("names below a suffix that everybody may use have owners of their own",
          "[registrable_domain]") {
  CHECK(registrable_domain("one.github.io") == "one.github.io");
  CHECK(registrable_domain("two.github.io") == "two.github.io");
}

TEST_CASE("a name without a registered domain is its own", "[registrable_domain]") {
  CHECK(registrable_domain("com") == "com");
  CHECK(registrable_domain("co.uk") == "co.uk");
  CHECK(registrable_domain("localhost") == "localhost");
  CHECK(registrable_domain("host.unlisted-suffix") == "host.unlisted-suffix");
  CHECK(registrable_domain("").empty());
}

TEST_CASE("addresses are of one owner by network", "[registrable_domain]") {
  CHECK(registrable_domain("192.0.2.77") == "192.0.2.0/24");
  CHECK(registrable_domain("[2001:db8:1:2::3]") == "2001:db8:1::/48");
}
