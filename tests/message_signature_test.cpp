#include "protocol/http_signature.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"
#include "tests/kit/signed_message.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

TEST_CASE("our RFC 9421 headers cover what its readers ask for", "[http_signature]") {
  const auto prepared = prepare_signature({.method = "POST",
                                           .url = "https://remote.example:8443/inbox",
                                           .has_body = true,
                                           .body_sha256 = sha256("{}"),
                                           .key_id = "https://local.example/users/vera#main-key",
                                           .at = now},
                                          signature_scheme::rfc9421);
  const auto input = std::string{R"(("@method" "@target-uri" "content-digest");created=1795627140;)"
                                 R"(keyid="https://local.example/users/vera#main-key";)"
                                 R"(alg="rsa-v1_5-sha256")"};
  CHECK(prepared.base ==
        "\"@method\": POST\n"
        "\"@target-uri\": https://remote.example:8443/inbox\n"
        "\"content-digest\": sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:\n"
        "\"@signature-params\": " +
            input);
  CHECK(add_signature(prepared, "raw") ==
        headers{{"Content-Digest", "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"},
                {"Signature-Input", "sig1=" + input},
                {"Signature", "sig1=:cmF3:"}});
}

TEST_CASE("the port that the scheme has anyway is no part of @authority", "[http_signature]") {
  auto request = rfc9421({}, R"("@method" "@authority" "@target-uri" "content-digest")");
  request.authority = "local.example:443";
  request.field("Host") = "Local.Example:443";
  CHECK(status_of(request) == 202);
  request.authority = request.field("Host") = "local.example:8443";
  CHECK(status_of(request) == 401);
}

TEST_CASE("A03: the content digest of a body", "[http_signature][A03]") {
  const auto right = "sha-256=:" + to_base64(sha256(note)) + ":";
  const auto wrong = "sha-256=:" + to_base64(sha256("another")) + ":";
  const auto long_right = "sha-512=:" + to_base64(sha512(note)) + ":";
  const auto long_wrong = "sha-512=:" + to_base64(sha512("another")) + ":";
  const auto digests = std::vector<std::pair<std::string, int>>{
      {right, 202},
      {long_right, 202},
      {long_right + ", " + right, 202},
      {right + ", unixsum=:AAAA:", 202},
      {right + ", " + long_wrong, 401},
      {long_right + ", " + wrong, 401},
      {wrong, 401},
      {long_wrong, 401},
      {"sha-256=" + to_base64(sha256(note)), 400},
      {"sha-256=:" + to_base64(sha256(note)), 400},
      {"sha-256=\"" + to_base64(sha256(note)) + "\"", 401},
      {"sha-256=()", 401},
      {"sha-256", 401},
      {"SHA-256=:" + to_base64(sha256(note)) + ":", 400},
      {"md5=:AAAA:", 401},
      {",", 400},
  };
  for (const auto& [digest, status] : digests) {
    CAPTURE(digest);
    auto request = message{};
    request.field("Content-Digest") = digest;
    CHECK(status_of(rfc9421(request)) == status);
  }
  auto request = rfc9421({});
  request.drop("Content-Digest");
  CHECK(status_of(request) == 401);
}

TEST_CASE("A22: RFC 9421 signatures that say too little or cannot be read",
          "[http_signature][A22]") {
  const auto weak = std::vector<std::string>{
      "",
      R"("@method")",
      R"("@target-uri" "content-digest")",
      R"("@method" "content-digest")",
      R"("@method" "@path" "content-digest")",
      R"("@method" "@authority" "content-digest")",
      R"("@method" "@query" "@authority" "content-digest")",
      R"("@method" "@scheme" "@request-target" "content-digest")",
      R"("@method" "@target-uri")",
      R"("@method" "@target-uri" "digest")",
      R"("@method" "@target-uri" "content-digest" "x-missing")",
  };
  for (const auto& names : weak) {
    CAPTURE(names);
    CHECK(status_of(rfc9421({}, names)) == 401);
  }
  for (const auto* parameters :
       {"", ";created=1795627140", ";keyid=\"a\"", ";created;keyid=\"a\"",
        ";created=\"1795627140\";keyid=\"a\"", ";created=1795627140.0;keyid=\"a\""}) {
    CAPTURE(parameters);
    CHECK(status_of(rfc9421({}, three, parameters)) == 401);
  }
  for (const auto* name : {"\"@status\"", "\"@unknown\"", "\"@\"", "\"@signature-params\"",
                           "\"@query-param\";name=\"a\"", "\"date\";sf", "\"date\";bs",
                           "\"@method\";req", "\"Date\"", "\"\"", "date", "1", "\"@method\""}) {
    CAPTURE(name);
    CHECK(status_of(rfc9421({}, three + " " + name)) == 400);
  }
}

TEST_CASE("A22: fields that are no dictionaries are refused", "[http_signature][A22]") {
  const auto right = rfc9421({});
  const auto alter = [&](const std::string& field, const std::string& value) {
    auto request = right;
    request.field(field) = value;
    return status_of(request);
  };
  const auto input = message{right}.field("Signature-Input");
  for (const auto& value :
       {std::string{}, std::string{"sig1"}, std::string{"sig1=1"}, std::string{"sig1=("},
        input + ",", input + ", Sig=()", input + "\x80", "sig1=" + std::string(100, '(')}) {
    CAPTURE(value);
    CHECK(alter("Signature-Input", value) == 400);
  }
  for (const auto* value : {"sig1=:", "sig1=:***:", "sig1=:QQ:", "sig1=:QR==:", "sig1=(", ","}) {
    CAPTURE(value);
    CHECK(alter("Signature", value) == 400);
  }
  for (const auto* value :
       {"", "sig1", "sig1=\"QQ==\"", "sig1=::", "sig1=(:QQ==:)", "sig2=:QQ==:"}) {
    CAPTURE(value);
    CHECK(alter("Signature", value) == 401);
  }
}

TEST_CASE("A22: of two labels, the one that holds to the rules says who it is",
          "[http_signature][A22]") {
  const auto proxy = ";created=" + seconds_text() + ";keyid=\"https://proxy.example/key\"";
  auto request = rfc9421(rfc9421({}, "\"@method\"", proxy, "proxy"));
  CHECK(status_of(request) == 202);
  request = rfc9421(rfc9421({}), "\"@method\"", proxy, "proxy");
  CHECK(status_of(request) == 202);
  // Signed by another and strong: it counts, but does not borrow the key of the second.
  request = rfc9421(rfc9421({}, three, proxy, "proxy"));
  const auto claim = read_signature(request.view(), {}, now);
  REQUIRE(claim);
  CHECK(claim->key_id == "https://proxy.example/key");
  CHECK(claim->base.find(key_id) == std::string::npos);
  // The signature of one label under the name of the other.
  request = rfc9421({}, "\"@method\"", usual_parameters(), "weak");
  request.field("Signature-Input") = "weak=(" + three + ")" + usual_parameters();
  request.field("Content-Digest") = "sha-256=:" + to_base64(sha256(note)) + ":";
  CHECK(status_of(request) == 401);
  request = {};
  for (const auto* label : {"a", "b", "c", "d", "e"})
    request = rfc9421(request, three, usual_parameters(), label);
  CHECK(status_of(request) == 400);
}

namespace {

const auto rfc_pss_pem = std::string{R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----
)"};

/// The request of RFC 9421 B.2.
message rfc_request() {
  return {.method = "POST",
          .target = "/foo?param=Value&Pet=dog",
          .authority = "example.com",
          .fields = {{"Host", "example.com"},
                     {"Date", "Tue, 20 Apr 2021 02:07:55 GMT"},
                     {"Content-Type", "application/json"},
                     {"Content-Digest", "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+"
                                        "TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"},
                     {"Content-Length", "18"}},
          .body = R"({"hello": "world"})"};
}

const auto rfc_now = time_point{std::chrono::seconds{1618884473}};

} // namespace

TEST_CASE("RFC 9421 B.2.3: a signature of the RFC is true", "[http_signature][vectors]") {
  auto request = rfc_request();
  request.field("Signature-Input") =
      R"(sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" )"
      R"("content-length");created=1618884473;keyid="test-key-rsa-pss")";
  request.field("Signature") = "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yB"
                               "iMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fU"
                               "xN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1"
                               "pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9"
                               "bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5Z"
                               "JzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:";
  const auto claim = read_signature(request.view(), {}, rfc_now);
  REQUIRE(claim);
  CHECK(claim->key_id == "test-key-rsa-pss");
  CHECK(claim->algorithm.empty());
  CHECK(claim->base ==
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
        "\"@method\": POST\n"
        "\"@path\": /foo\n"
        "\"@query\": ?param=Value&Pet=dog\n"
        "\"@authority\": example.com\n"
        "\"content-type\": application/json\n"
        "\"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+"
        "TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\n"
        "\"content-length\": 18\n"
        "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" "
        "\"content-type\" \"content-digest\" \"content-length\");created=1618884473;"
        "keyid=\"test-key-rsa-pss\"");
  const auto key = public_key::parse(rfc_pss_pem);
  REQUIRE(key);
  CHECK(key->verifies_pss(claim->base, claim->signature));
  CHECK(!key->verifies(claim->base, claim->signature));
}

TEST_CASE("RFC 9421 B.2.1, B.2.2: what covers too little is refused", "[http_signature][vectors]") {
  const auto code_with = [](const std::string& input) {
    auto request = rfc_request();
    request.field("Signature-Input") = "sig=" + input;
    request.field("Signature") = "sig=:AAAA:";
    const auto claim = read_signature(request.view(), {}, rfc_now);
    return claim ? errc{} : code_of(claim.error());
  };
  CHECK(code_with(
            R"(();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd")") ==
        errc::unauthenticated);
  CHECK(code_with(R"(("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;)"
                  R"(keyid="test-key-rsa-pss";tag="header-example")") == errc::malformed);
}
