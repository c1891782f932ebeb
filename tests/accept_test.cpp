#include "protocol/accept.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace trunkline;

TEST_CASE("a server that asks for a document gets one", "[accept]") {
  for (const auto* accept :
       {"application/activity+json", "Application/Activity+JSON",
        "application/activity+json, application/ld+json",
        "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
        "application/ld+json;profile=\"https://x.example/a,b "
        "https://www.w3.org/ns/activitystreams\"",
        "text/html;q=0.1, application/activity+json;q=0.9", "*/*, application/activity+json",
        "text/html, application/activity+json", "rubbish;;, application/activity+json"}) {
    CAPTURE(accept);
    CHECK(prefers_activity(accept));
  }
}

TEST_CASE("everybody else gets a page", "[accept]") {
  for (const auto* accept :
       {"", "*/*", "text/html", "application/json", "application/ld+json",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/html, application/activity+json;q=0.5", "application/activity+json;q=0",
        "application/ld+json; profile=\"https://x.example/\"",
        "application/ld+json; profile=\"x, application/activity+json\"",
        "application/x; a=\"\\\", application/activity+json", "application/activity", "\"", "\\"}) {
    CAPTURE(accept);
    CHECK_FALSE(prefers_activity(accept));
  }
}

TEST_CASE("a header of any length is read once", "[accept]") {
  auto accept = std::string{};
  for (auto i = 0; i < 4'000; ++i)
    accept += ",\"";
  CHECK_FALSE(prefers_activity(accept));
  CHECK(prefers_activity(std::string(16'000, ',') + "application/activity+json"));
}
