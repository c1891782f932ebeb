#include "protocol/crypto.hpp"
#include "protocol/oauth.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("an app may register web addresses, custom schemes and the out-of-band address",
          "[oauth][A101]") {
  for (const auto* uri : {"https://client.example/callback", "http://127.0.0.1:8080/",
                          "https://a.example?x=1", "tusky://oauth", "com.example.app:/oauth",
                          "urn:ietf:wg:oauth:2.0:oob", "https://client.example:8443/a/b?c=d&e=f"})
    CHECK_FALSE(check_redirect_uri(uri));
}

TEST_CASE("a redirect address that could run or mislead is refused", "[oauth][A101]") {
  for (const auto* uri : {"",
                          "/callback",
                          "//evil.example/",
                          "client.example",
                          "https:",
                          "https://",
                          "https:///x",
                          "https:evil.example",
                          "javascript:alert(1)",
                          "JavaScript:alert(1)",
                          "data:text/html,<script>",
                          "vbscript:x",
                          "file:///etc/passwd",
                          "blob:https://a.example/1",
                          "https://a.example/#token",
                          "https://a.example/#",
                          "https://good.example@evil.example/",
                          "https://a.example/ b",
                          "https://a.example/\nb",
                          "https://a.example/\\b",
                          " https://a.b/",
                          "https://a.example/\x7f",
                          "https://a.example/\xc3\xa9",
                          "1https://a.example"}) {
    INFO(uri);
    const auto failure = check_redirect_uri(uri);
    REQUIRE(failure);
    CHECK(code_of(failure) == errc::invalid);
  }
  CHECK(check_redirect_uri("https://a.example/" + std::string(2'000, 'a')));
}

TEST_CASE("only S256 challenges are accepted", "[oauth][A103]") {
  const auto challenge = to_base64url(sha256("a"));
  CHECK_FALSE(check_challenge("", ""));
  CHECK_FALSE(check_challenge(challenge, "S256"));
  CHECK(check_challenge(challenge, "plain"));
  CHECK(check_challenge(challenge, ""));
  CHECK(check_challenge("", "S256"));
  CHECK(check_challenge("short", "S256"));
  CHECK(check_challenge(std::string(42, 'a') + "!", "S256"));
}

TEST_CASE("a verifier fits its challenge alone", "[oauth][A103]") {
  const auto verifier = random_secret();
  const auto challenge = to_base64url(sha256(verifier));
  CHECK(verifier_fits(challenge, verifier));
  CHECK_FALSE(verifier_fits(challenge, ""));
  CHECK_FALSE(verifier_fits(challenge, random_secret()));
  CHECK_FALSE(verifier_fits(challenge, challenge));
  CHECK(verifier_fits("", ""));
  CHECK_FALSE(verifier_fits("", verifier));
  const auto tiny = std::string(42, 'a');
  CHECK_FALSE(verifier_fits(to_base64url(sha256(tiny)), tiny));
  // The example of RFC 7636, appendix B.
  CHECK(verifier_fits("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
}

TEST_CASE("parameters are appended encoded", "[oauth]") {
  CHECK(add_parameter("https://a.example/cb", "code", "x y&z") ==
        "https://a.example/cb?code=x%20y%26z");
  CHECK(add_parameter("app:/cb?a=1", "state", "\xc3\xa9#") == "app:/cb?a=1&state=%C3%A9%23");
}
