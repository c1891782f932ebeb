#include "protocol/http_signature.hpp"

#include "protocol/crypto.hpp"
#include "protocol/http_date.hpp"
#include "tests/kit/signed_message.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

TEST_CASE("our draft-cavage headers are those that Mastodon sends", "[http_signature]") {
  const auto prepared = prepare_signature({.method = "POST",
                                           .url = "https://Remote.Example:443/inbox?a=b#c",
                                           .body = "{}",
                                           .has_body = true,
                                           .key_id = "https://local.example/users/vera#main-key",
                                           .at = now + 900ms},
                                          signature_scheme::unknown);
  CHECK(prepared.scheme == signature_scheme::cavage);
  CHECK(prepared.base == "(request-target): post /inbox?a=b\n"
                         "host: remote.example\n"
                         "date: Wed, 25 Nov 2026 17:19:00 GMT\n"
                         "digest: SHA-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
  CHECK(add_signature(prepared, "raw") ==
        headers{{"Date", "Wed, 25 Nov 2026 17:19:00 GMT"},
                {"Digest", "SHA-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="},
                {"Signature", "keyId=\"https://local.example/users/vera#main-key\","
                              "algorithm=\"rsa-sha256\","
                              "headers=\"(request-target) host date digest\","
                              "signature=\"cmF3\""}});
}

TEST_CASE("A03: the digest of a body", "[http_signature][A03]") {
  const auto right = to_base64(sha256(note));
  const auto wrong = to_base64(sha256("another"));
  const auto long_right = to_base64(sha512(note));
  const auto long_wrong = to_base64(sha512("another"));
  const auto digests = std::vector<std::pair<std::string, int>>{
      {"SHA-256=" + right, 202},
      {"sha-256=" + right, 202},
      {"SHA-512=" + long_wrong + ",SHA-256=" + right, 202},
      {"SHA-256=" + right + ", unixsum=30637", 202},
      {"SHA-256=" + wrong, 401},
      {"SHA-256=" + wrong + ",SHA-256=" + right, 401},
      {"SHA-256=" + right + ",SHA-256=" + wrong, 401},
      {"SHA-512=" + long_right, 401},
      {"SHA-256=*" + right.substr(1), 401},
      {"SHA-256=" + right.substr(0, 43), 401},
      {"SHA-256=" + to_base64("too short"), 401},
      {"SHA-256=", 401},
      {"SHA-256", 401},
      {"SHA-256 " + right, 401},
      {"MD5=" + to_base64("0123456789abcdef"), 401},
      {right, 401},
      {",,", 401},
  };
  for (const auto& [digest, status] : digests) {
    CAPTURE(digest);
    auto request = message{};
    request.field("Date") = to_http_date(now);
    request.field("Digest") = digest;
    CHECK(status_of(cavage(request)) == status);
  }
  auto request = cavage({});
  request.drop("Digest");
  CHECK(status_of(request) == 401);
}

TEST_CASE("A04: a signature over too little is refused", "[http_signature][A04]") {
  for (const auto* names : {"(request-target) host date", "host date digest",
                            "(request-target) date digest", "(request-target) host digest",
                            "digest", "date", "(request-target) host date content-type"})
    CHECK(status_of(cavage({}, {.names = names})) == 401);
  for (const auto* names : {"(request-target) date", "host date", "(request-target) host", "date"})
    CHECK(status_of(cavage(get_message(), {.names = names})) == 401);
  auto request = cavage({}, {.names = "(request-target) host date"});
  request.field("Digest") = "SHA-256=" + to_base64(sha256(note));
  CHECK(status_of(request) == 401);
  request = cavage({.body = "", .has_body = false}, {.names = "(request-target) host date"});
  CHECK(status_of(request) == 401);
  request = cavage({});
  auto& signature = request.field("Signature");
  signature.erase(signature.find("headers="),
                  signature.find("signature=") - signature.find("headers="));
  CHECK(status_of(request) == 401);
  // Signed as if it were there, and empty.
  CHECK(status_of(cavage({}, {.names = "(request-target) host date digest x-missing"})) == 401);
}

TEST_CASE("A05: a date that cannot be read, or is not there, is refused", "[http_signature][A05]") {
  for (const auto* date :
       {"", "now", "2026-11-25T17:19:00Z", "Wednesday, 25-Nov-26 17:19:00 GMT",
        "Wed Nov 25 17:19:00 2026", "Wed, 25 Nov 2026 17:19:00 +0000",
        "Wed, 32 Nov 2026 17:19:00 GMT", "Wed, 25 Nov 2026 24:19:00 GMT", "1795627140",
        "Wed, 25 Nov 2026 17:19:00 GMT, Wed, 25 Nov 2026 17:19:00 GMT"}) {
    CAPTURE(date);
    auto request = message{};
    request.field("Date") = date;
    CHECK(status_of(cavage(request)) == 401);
  }
  auto request = cavage({});
  request.drop("Date");
  CHECK(status_of(request) == 401);
  request = cavage({});
  request.fields.emplace_back("Date", request.field("Date"));
  CHECK(status_of(request) == 401);
}

TEST_CASE("A05: a date that is not signed changes nothing", "[http_signature][A05]") {
  auto request = message{};
  request.field("Date") = "Thu, 01 Jan 1970 00:00:00 GMT";
  CHECK(status_of(cavage(request, {.names = "(request-target) host (created) digest",
                                   .algorithm = "hs2019",
                                   .created = seconds_text()})) == 202);
  request.field("Date") = to_http_date(now);
  CHECK(status_of(cavage(request, {.names = "(request-target) host (created) digest",
                                   .algorithm = "hs2019",
                                   .created = seconds_text(-2h)})) == 401);
  CHECK(status_of(cavage(request, {.names = "(request-target) host digest",
                                   .algorithm = "hs2019",
                                   .created = seconds_text()})) == 401);
}

TEST_CASE("A06: lives of signatures", "[http_signature][A06]") {
  const auto names = std::string{"(request-target) host (created) (expires) digest"};
  const auto lives = std::vector<std::pair<std::chrono::seconds, int>>{
      {-1s, 401}, {-2h, 401}, {0s, 202}, {5min, 202}, {12h, 202}, {12h + 1s, 401}, {720h, 401}};
  for (const auto& [life, status] : lives) {
    CAPTURE(life.count());
    CHECK(status_of(cavage({}, {.names = names,
                                .algorithm = "hs2019",
                                .created = seconds_text(),
                                .expires = seconds_text(life)})) == status);
    CHECK(status_of(rfc9421({}, three, usual_parameters() + ";expires=" + seconds_text(life))) ==
          status);
    // Not signed, it can only make things worse.
    CHECK(status_of(cavage({}, {.expires = seconds_text(life)})) == status);
  }
  CHECK(status_of(cavage({}, {.names = names,
                              .algorithm = "hs2019",
                              .created = seconds_text(-30min),
                              .expires = seconds_text(-40min)})) == 401);
  CHECK(status_of(cavage({}, {.created = seconds_text(2h)})) == 401);
  const auto between = [&](std::chrono::seconds created, std::chrono::seconds expires) {
    return status_of(cavage({}, {.names = names,
                                 .algorithm = "hs2019",
                                 .created = seconds_text(created),
                                 .expires = seconds_text(expires)}));
  };
  CHECK(between(-30min, 10min) == 202);
  CHECK(between(-30min, -10min) == 401);
  CHECK(between(30min, 10min) == 401);
}

TEST_CASE("A06: times that are none are refused", "[http_signature][A06]") {
  const auto names = std::string{"(request-target) host (created) digest"};
  for (const auto* created : {"-1", "1e9", "99999999999999", "99999999999999999999", "0"}) {
    CAPTURE(created);
    CHECK(status_of(cavage({}, {.names = names, .algorithm = "hs2019", .created = created})) >=
          400);
    CHECK(status_of(rfc9421(
              {}, three, ";created=" + std::string{created} + ";keyid=\"" + key_id + "\"")) >= 400);
    CHECK(status_of(cavage({}, {.expires = created})) >= 400);
    CHECK(status_of(rfc9421({}, three, usual_parameters() + ";expires=" + created)) >= 400);
  }
  CHECK(status_of(cavage({}, {.names = names, .algorithm = "hs2019"})) == 401);
  CHECK(status_of(cavage({}, {.names = "(request-target) host date (expires) digest",
                              .algorithm = "hs2019"})) == 401);
  // rsa-sha256 is older than the times inside.
  CHECK(status_of(cavage({}, {.names = names, .created = seconds_text()})) == 401);
  CHECK(status_of(cavage({}, {.names = "(request-target) host date (expires) digest",
                              .expires = seconds_text(60s)})) == 401);
}

TEST_CASE("A07: only a GET may be signed without its query, and only where that is allowed",
          "[http_signature][A07]") {
  const auto words = cavage_words{.names = "(request-target) host date", .target = "/users/vera"};
  const auto request = cavage(get_message("/users/vera?page=1"), words);
  CHECK(status_of(request) == 202);
  CHECK(status_of(request, {.allow_missing_query = false}) == 401);
  auto other = request;
  other.target = "/users/walter?page=1";
  CHECK(status_of(other) == 401);
  CHECK(status_of(cavage({.target = inbox + "?page=1"}, {.target = inbox})) == 401);
  CHECK(status_of(rfc9421(get_message("/a?b"), R"("@method" "@authority" "@path")")) == 401);
  const auto whole = read_signature(cavage(get_message(), {.names = words.names}).view(), {}, now);
  REQUIRE(whole);
  CHECK(whole->base_without_query.empty());
}

TEST_CASE("parameters of draft-cavage that cannot be read are refused", "[http_signature][A23]") {
  const auto right = message{cavage({})}.field("Signature");
  for (const auto& text :
       {std::string{}, std::string{","}, std::string{"keyId"}, std::string{"keyId="},
        std::string{"keyId=\""}, std::string{"keyId=\"a\\"}, right + ",", right + ",keyId=\"b\"",
        right + ",=\"b\"", right + " x=\"y\"", right + ",x=y", right + ",x=\"",
        "Signature " + right, right.substr(0, right.size() - 1)}) {
    CAPTURE(text);
    auto request = cavage({});
    request.field("Signature") = text;
    CHECK(status_of(request) == 400);
  }
}

TEST_CASE("lines of one header are signed as one", "[http_signature]") {
  auto request = message{};
  request.field("Date") = to_http_date(now);
  request.field("X-List") = "a, b";
  request = cavage(request, {.names = "(request-target) host date digest x-list"});
  request.field("X-List") = "a";
  request.fields.emplace_back("x-list", "b");
  CHECK(status_of(request) == 202);
  request.fields.emplace_back("x-list", "");
  CHECK(status_of(request) == 401);
}

TEST_CASE("draft-cavage-12 C.3: a signature of the draft is true", "[http_signature][vectors]") {
  auto request =
      message{.target = "/foo?param=value&pet=dog",
              .authority = "example.com",
              .fields = {{"Host", "example.com"},
                         {"Date", "Sun, 05 Jan 2014 21:31:40 GMT"},
                         {"Content-Type", "application/json"},
                         {"Digest", "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="},
                         {"Content-Length", "18"}},
              .body = R"({"hello": "world"})"};
  request.field("Signature") =
      "keyId=\"Test\",algorithm=\"rsa-sha256\","
      "headers=\"(request-target) host date content-type digest content-length\","
      "signature=\"vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs"
      "8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFu"
      "kWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE=\"";
  const auto at = parse_http_date("Sun, 05 Jan 2014 21:31:40 GMT");
  REQUIRE(at);
  const auto claim = read_signature(request.view(), {}, *at);
  REQUIRE(claim);
  CHECK(claim->key_id == "Test");
  // The draft's key has 1,024 bits, so that `public_key` has no use for it.
  const auto der = from_base64("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3"
                               "6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6"
                               "Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw"
                               "oYi+1hqp1fIekaxsyQIDAQAB");
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  auto* key = d2i_PUBKEY(nullptr, &bytes, static_cast<long>(der.size()));
  REQUIRE(key);
  auto* context = EVP_MD_CTX_new();
  CHECK(EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1);
  CHECK(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(claim->signature.data()),
                         claim->signature.size(),
                         reinterpret_cast<const unsigned char*>(claim->base.data()),
                         claim->base.size()) == 1);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
}
