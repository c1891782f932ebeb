#include "protocol/webhook_signature.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto secret = std::string_view{"a secret of at least 24 bytes"};
constexpr auto body = std::string_view{R"({"type":"post.created"})"};
constexpr auto seconds = std::int64_t{1'700'000'000};
constexpr auto sent_at = time_point{std::chrono::seconds{seconds}};

struct signed_request {
  std::string id = "1-post";
  std::string timestamp = std::to_string(seconds);
  std::string signature = sign_webhook(secret, {"1-post", seconds, body});

  caf::error check(std::string_view with_body = body, std::string_view with_secret = secret,
                   time_point now = sent_at) const {
    return check_webhook({id, timestamp, signature}, with_body, with_secret, now);
  }
};

} // namespace

TEST_CASE("HMAC-SHA256 gives what RFC 4231 says", "[crypto][webhook]") {
  CHECK(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(to_hex(hmac_sha256(std::string(131, '\xaa'),
                           "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("a signature is the one of the Standard Webhooks specification", "[webhook]") {
  // The example of its libraries; their secret "whsec_..." is base64 of the key.
  const auto key = from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  CHECK(
      sign_webhook(key, {"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"}) ==
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("what was signed passes", "[webhook]") {
  const auto request = signed_request{};
  CHECK_FALSE(request.check());
  CHECK_FALSE(request.check(body, secret, sent_at + 5min));
  CHECK_FALSE(request.check(body, secret, sent_at - 5min));
}

TEST_CASE("one of several signatures is enough", "[webhook]") {
  auto request = signed_request{};
  request.signature = "v1,AAAA v1a,BBBB " + request.signature;
  CHECK_FALSE(request.check());
  request.signature = "v1,AAAA v1a,BBBB";
  CHECK(code_of(request.check()) == errc::forbidden);
}

TEST_CASE("whatever is changed on the way is noticed", "[webhook]") {
  auto request = signed_request{};
  CHECK(code_of(request.check(R"({"type":"post.deleted"})")) == errc::forbidden);
  CHECK(code_of(request.check(body, "another secret of 24 bytes or so")) == errc::forbidden);
  request.id = "2-post";
  CHECK(code_of(request.check()) == errc::forbidden);
  request = {};
  request.timestamp = std::to_string(seconds + 1);
  CHECK(code_of(request.check()) == errc::forbidden);
  request = {};
  request.signature = request.signature.substr(3); // without its version
  CHECK(code_of(request.check()) == errc::forbidden);
}

TEST_CASE("a request that is too old or too new is refused, although its signature is right",
          "[webhook]") {
  const auto request = signed_request{};
  const auto old = request.check(body, secret, sent_at + 5min + 1us);
  CHECK(code_of(old) == errc::forbidden);
  CHECK_THAT(context_of(old), Catch::Contains("old"));
  const auto early = request.check(body, secret, sent_at - 5min - 1us);
  CHECK(code_of(early) == errc::forbidden);
  CHECK_THAT(context_of(early), Catch::Contains("future"));
}

TEST_CASE("what is missing or malformed is named", "[webhook]") {
  auto request = signed_request{};
  request.id = "";
  CHECK(context_of(request.check()) == "webhook-id: is missing");
  request = {};
  request.timestamp = "";
  CHECK(context_of(request.check()) == "webhook-timestamp: is missing");
  request = {};
  request.signature = "";
  CHECK(context_of(request.check()) == "webhook-signature: is missing");
  for (const auto* wrong : {"now", "17e8", "-1700000000", "1700000000.0", " 1700000000",
                            "9999999999999999999", "170000000000"}) {
    request = {};
    request.timestamp = wrong;
    INFO(wrong);
    CHECK(context_of(request.check()) == "webhook-timestamp: is no number of seconds");
  }
}

TEST_CASE("a secret that could be guessed checks nothing", "[webhook]") {
  auto request = signed_request{};
  request.signature = sign_webhook("", {request.id, seconds, body});
  CHECK(code_of(request.check(body, "")) == errc::invalid);
  CHECK(code_of(request.check(body, std::string(23, 'x'))) == errc::invalid);
}
