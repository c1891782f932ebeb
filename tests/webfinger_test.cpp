#include "protocol/webfinger.hpp"

#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace trunkline;
using namespace std::string_literals;

namespace {

const auto self_link =
    R"({"rel": "self", "type": "application/activity+json", "href": "https://v.example/users/ann"})"s;

std::string answer_with(const std::string& links, const std::string& subject) {
  return R"({"subject": ")" + subject + R"(", "links": [)" + links + "]}";
}

caf::expected<webfinger_answer> read(const std::string& body) {
  return read_webfinger(body, "https", {});
}

std::string canonical(const std::string& text, std::string_view scheme = "https") {
  const auto address = parse_address_text(text, scheme);
  return address ? to_text(*address) : "refused";
}

} // namespace

TEST_CASE("an address is a name and a domain", "[webfinger]") {
  CHECK(canonical("ann@v.example") == "ann@v.example");
  CHECK(canonical("@ann@v.example") == "ann@v.example");
  CHECK(canonical("acct:ann@v.example") == "ann@v.example");
  CHECK(canonical("Ann.B-c_9@V.Example") == "Ann.B-c_9@v.example");
  CHECK(canonical("ann@127.0.0.1:4000", "http") == "ann@127.0.0.1:4000");
}

TEST_CASE("A59: no domain is taken for another one", "[webfinger][A59]") {
  for (const auto* text : {"ann@v.example/",
                           "ann@v.example/.e",
                           "ann@v.example#",
                           "ann@v.example?a",
                           "ann@v.example.",
                           "ann@v.example@e.example",
                           "ann@e.example\\@v.example",
                           "ann@ v.example",
                           "ann@v.example ",
                           "ann@",
                           "@v.example",
                           "ann",
                           "",
                           "@",
                           "@@",
                           "ann@v..example",
                           "ann@2130706531",
                           "ann@0x7f.1",
                           "ann@v.example:0",
                           "ann@v.example:22",
                           "ann@v.example:x",
                           "ann@v.example:",
                           "a b@v.example",
                           "ann&rel=x@v.example",
                           "ann%40@v.example",
                           ".ann@v.example",
                           "https://v.example/@ann",
                           "ann@v_example"}) {
    CAPTURE(text);
    CHECK(canonical(text) == "refused");
  }
  CHECK(canonical("ann@v.example:8443") == "ann@v.example:8443");
  CHECK(canonical("ann@V.EXAMPLE") == "ann@v.example");
  CHECK(canonical("ann@b\u00fccher.example") == "ann@xn--bcher-kva.example");
  const auto one = parse_address_text("ann@v.example:8443", "https");
  const auto other = parse_address_text("ann@v.example", "https");
  CHECK_FALSE(is_same_address(*one, *other));
}

TEST_CASE("names are the same in any case", "[webfinger]") {
  const auto one = parse_address_text("Ann@v.example", "https");
  const auto other = parse_address_text("aNN@V.example", "https");
  CHECK(is_same_address(*one, *other));
  CHECK_FALSE(is_same_address(*one, *parse_address_text("anna@v.example", "https")));
}

TEST_CASE("an account is asked for at its own domain", "[webfinger]") {
  CHECK(webfinger_url(*parse_address_text("ann@v.example", "https")) ==
        "https://v.example/.well-known/webfinger?resource=acct:ann@v.example");
  CHECK(webfinger_url(*parse_address_text("ann@127.0.0.1:4000", "http")) ==
        "http://127.0.0.1:4000/.well-known/webfinger?resource=acct:ann@127.0.0.1:4000");
}

TEST_CASE("an answer has a subject and a link to an actor", "[webfinger]") {
  const auto answer = read(answer_with(
      R"({"rel": "http://webfinger.net/rel/profile-page", "href": "https://v.example/@ann"},)" +
          self_link,
      "acct:Ann@V.example"));
  REQUIRE(answer);
  CHECK(to_text(answer->subject) == "Ann@v.example");
  CHECK(answer->selves == std::vector{"https://v.example/users/ann"s});
  CHECK(names_actor(*answer, "https://v.example/users/ann"));
  CHECK_FALSE(names_actor(*answer, "https://v.example/users/an"));
}

TEST_CASE("a name may be that of a person and of a group", "[webfinger]") {
  const auto answer = read(answer_with(self_link +
                                           R"(,{"rel": "self", "href": "https://v.example/c/ann",
               "type": "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\""})",
                                       "acct:ann@v.example"));
  REQUIRE(answer);
  CHECK(answer->selves.size() == 2);
  CHECK(names_actor(*answer, "https://v.example/c/ann"));
}

TEST_CASE("a link counts by its relation, its type and its address", "[webfinger][A68]") {
  for (const auto* link :
       {R"({"rel": "me", "type": "application/activity+json", "href": "https://v.example/a"})",
        R"({"rel": "self", "type": "text/html", "href": "https://v.example/a"})",
        R"({"rel": "self", "href": "https://v.example/a"})",
        R"({"rel": "self", "type": "application/activity+json"})",
        R"({"rel": "self", "type": "application/activity+json", "href": "http://v.example/a"})",
        R"({"rel": "self", "type": "application/activity+json", "href": "https://v.example:22/a"})",
        R"({"rel": "self", "type": "application/activity+json", "href": "file:///etc/passwd"})",
        R"({"rel": "self", "type": "application/activity+json", "href": "/users/ann"})",
        R"({"rel": "self", "type": "application/activity+json", "href": ["https://v.example/a"]})",
        "7", "null", "[]"}) {
    CAPTURE(link);
    const auto answer = read(answer_with(link, "acct:ann@v.example"));
    REQUIRE_FALSE(answer);
    CHECK(code_of(answer.error()) == errc::malformed);
  }
}

TEST_CASE("what is no answer is refused", "[webfinger]") {
  for (const auto& body :
       {""s, "[]"s, "{}"s, "<XRD/>"s, "null"s,
        answer_with(self_link, "https://v.example/users/ann"),
        answer_with(self_link, "ann@v.example"), answer_with(self_link, "acct:ann"),
        answer_with(self_link, ""), answer_with(self_link, "acct:ann@v.example/.e"),
        R"({"links": [)" + self_link + "]}", R"({"subject": 7, "links": [)" + self_link + "]}",
        R"({"subject": "acct:ann@v.example"})"s,
        R"({"subject": "acct:ann@v.example", "links": "self"})"s}) {
    CAPTURE(body);
    const auto answer = read(body);
    REQUIRE_FALSE(answer);
    CHECK(code_of(answer.error()) == errc::malformed);
  }
}

TEST_CASE("of many links few are looked at", "[webfinger]") {
  auto links = self_link;
  for (auto i = 0; i < 1000; ++i)
    links += "," + self_link;
  CHECK(read(answer_with(links, "acct:ann@v.example"))->selves.size() == webfinger_selves_max);
}
