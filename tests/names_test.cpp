#include "protocol/errc.hpp"
#include "protocol/names.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace trunkline;

TEST_CASE("a local name has 1 to 30 ASCII letters, digits and underscores", "[names]") {
  CHECK(*check_local_name("Alice_1") == "alice_1");
  CHECK(*check_local_name(std::string(30, 'a')) == std::string(30, 'a'));
  for (const auto* bad : {"", "a b", "a.b", "a-b", "caf\xc3\xa9", "@alice", "a/b", "a\n",
                          "\xd0\xb0lice", "\xef\xbd\x81lice"})
    CHECK(code_of(check_local_name(bad).error()) == errc::invalid);
  CHECK_FALSE(check_local_name(std::string(31, 'a')));
  CHECK_FALSE(check_local_name(std::string("a\0b", 3)));
}

TEST_CASE("names of the server itself are refused in any case", "[names][A98]") {
  for (const auto* bad : {"admin", "Admin", "INBOX", "root", "users", "oauth", "actor",
                          "well_known", "postmaster", "trunkline"}) {
    CAPTURE(bad);
    CHECK_FALSE(check_local_name(bad));
  }
  CHECK_FALSE(check_local_name(".well-known"));
  CHECK(check_local_name("administrators"));
}

TEST_CASE("a host is named by lower-case A-labels", "[names]") {
  CHECK(*canonical_host("Example.ORG") == "example.org");
  CHECK(*canonical_host("b\xc3\xbc"
                        "cher.example") == "xn--bcher-kva.example");
  CHECK(*canonical_host("B\xc3\x9c"
                        "CHER.example") == "xn--bcher-kva.example");
  CHECK(*canonical_host("xn--bcher-kva.example") == "xn--bcher-kva.example");
  CHECK(*canonical_host("stra\xc3\x9f"
                        "e.example") == "xn--strae-oqa.example");
  CHECK(*canonical_host("localhost") == "localhost");
  CHECK(*canonical_host("127.0.0.1") == "127.0.0.1");
  CHECK(*canonical_host("[2001:DB8::1]") == "[2001:db8::1]");
}

TEST_CASE("what is no host name is refused", "[names][A59]") {
  for (const auto* bad : {"",     ".",    "example.org.", "example.org:443", "a..b",
                          ".a",   "-a.b", "a-.b",         "a_b.c",           "a b.c",
                          "a/b",  "a/.e", "http://a",     "user@a",          "a\r\nb",
                          "a%2e", "[::1", "[]",           "[g::1]",          "\xff\xfe.example",
                          "a?b",  "a#b",  "a\\b"}) {
    CAPTURE(bad);
    CHECK_FALSE(canonical_host(bad));
  }
  CHECK_FALSE(canonical_host(std::string("a\0.b", 4)));
  CHECK_FALSE(canonical_host(std::string(64, 'a') + ".example"));
  auto longest = std::string{};
  while (longest.size() < 254)
    longest += "abcdefg.";
  CHECK_FALSE(canonical_host(longest + "a"));
}

TEST_CASE("tags fold case and compatibility forms", "[names]") {
  CHECK(fold_tag("TrunkLine") == "trunkline");
  CHECK(fold_tag("\xc3\x84pfel") == "\xc3\xa4pfel");
  CHECK(fold_tag("\xef\xbc\xa1"
                 "bc") == "abc"); // full-width A
  CHECK(fold_tag("\xff") == "");
  CHECK(fold_tag(std::string(256, 'a')) == "");
}

TEST_CASE("the URLs of this server are those that other servers keep", "[names]") {
  const auto urls = urls_of("example.org");
  const auto id = post_id{112};
  CHECK(urls.actor("Alice") == "https://example.org/users/Alice");
  CHECK(urls.inbox("Alice") == "https://example.org/users/Alice/inbox");
  CHECK(urls.outbox("Alice") == "https://example.org/users/Alice/outbox");
  CHECK(urls.followers("Alice") == "https://example.org/users/Alice/followers");
  CHECK(urls.following("Alice") == "https://example.org/users/Alice/following");
  CHECK(urls.featured("Alice") == "https://example.org/users/Alice/collections/featured");
  CHECK(urls.main_key("Alice") == "https://example.org/users/Alice#main-key");
  CHECK(urls.shared_inbox() == "https://example.org/inbox");
  CHECK(urls.instance_actor() == "https://example.org/actor");
  CHECK(urls.post("Alice", id) == "https://example.org/users/Alice/statuses/112");
  CHECK(urls.activity("Alice", id) == "https://example.org/users/Alice/statuses/112/activity");
  CHECK(urls.update("Alice", id, 9) == "https://example.org/users/Alice/statuses/112#updates/9");
  CHECK(urls.remove("Alice", id) == "https://example.org/users/Alice/statuses/112#delete");
  CHECK(urls.other("Alice", "follow", 9) == "https://example.org/users/Alice#follow/9");
  CHECK(urls.profile_page("Alice") == "https://example.org/@Alice");
  CHECK(urls.post_page("Alice", id) == "https://example.org/@Alice/112");
  CHECK(urls.tag_page("trunkline") == "https://example.org/tags/trunkline");
}
