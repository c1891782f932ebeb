#include "engine/forwarding.hpp"

#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>

using namespace trunkline;

namespace {

http_response unanswered_with(errc code, link_topic topic = link_topic::web) {
  return unanswered(topic, make_error(code, "n1 is away"));
}

} // namespace

TEST_CASE("a request that another node answers comes back as that one answered", "[forwarding]") {
  auto got = std::optional<http_response>{};
  const auto question =
      forwarded(link_topic::web,
                {.method = http_method::post, .path = "/x", .body = "b", .peer = "192.0.2.7"},
                http_reply{[&](http_response response) { got = std::move(response); }});
  CHECK(question.topic == link_topic::web);
  const auto request = decode_request(question.body);
  REQUIRE(request);
  CHECK(request->path == "/x");
  CHECK(request->peer == "192.0.2.7");
  answering(question.reply)({.status = 418, .body = "tea", .headers = {{"X-A", "b"}}});
  REQUIRE(got);
  CHECK(got->status == 418);
  CHECK(got->body == "tea");
  CHECK(got->headers == http_headers{{"X-A", "b"}});
}

TEST_CASE("who cannot be answered is told whether to ask again", "[forwarding]") {
  const auto refused = unanswered_with(errc::unavailable);
  CHECK(refused.status == 503);
  CHECK(refused.body == R"({"error":"This node stands by: n1 is away"})");
  CHECK(find_header(refused.headers, "Retry-After") == "1");
  CHECK(unanswered_with(errc::too_large).status == 413);
  for (const auto unknown : {errc::timed_out, errc::malformed, errc::crashed}) {
    const auto lost = unanswered_with(unknown);
    CHECK(lost.status == 504);
    CHECK(lost.body.find("Whether this was done is not known") != std::string::npos);
    CHECK(find_header(lost.headers, "Retry-After").empty());
  }
  const auto problem = unanswered_with(errc::timed_out, link_topic::admin);
  CHECK(problem.status == 504);
  CHECK(problem.content_type == "application/problem+json");
  CHECK(problem.body.find(R"("status":504)") != std::string::npos);
}

TEST_CASE("an answer that is none, and a question that is dropped, are not known", "[forwarding]") {
  auto got = std::optional<http_response>{};
  {
    const auto question =
        forwarded(link_topic::web, {}, http_reply{[&](http_response response) { got = response; }});
    question.reply(std::string{"no record"});
  }
  REQUIRE(got);
  CHECK(got->status == 504);
  got.reset();
  forwarded(link_topic::web, {}, http_reply{[&](http_response response) { got = response; }});
  REQUIRE(got);
  CHECK(got->status == 504);
}
