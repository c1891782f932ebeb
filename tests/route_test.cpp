#include "api/client_api.hpp"
#include "api/route.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace trunkline;

namespace {

constexpr auto table = std::to_array<route>({
    {http_method::get, "/api/v1/accounts/lookup", access::open, "", nullptr},
    {http_method::get, "/api/v1/accounts/{}", access::open, "", nullptr},
    {http_method::del, "/api/v1/statuses/{}", access::user, "", nullptr},
    {http_method::put, "/api/v1/statuses/{}", access::user, "", nullptr},
    {http_method::post, "/hosts/{}:pause", access::token, "", nullptr},
    {http_method::get, "/@{}", access::open, "", nullptr},
    {http_method::get, "/", access::open, "", nullptr},
});

std::string pattern_of(http_method method, std::string_view path) {
  const auto match = find_route(table, method, path);
  return match.row ? std::string{match.row->pattern} : "";
}

} // namespace

TEST_CASE("the first row that fits wins, and a hole gives what it stood for", "[route]") {
  CHECK(pattern_of(http_method::get, "/api/v1/accounts/lookup") == "/api/v1/accounts/lookup");
  const auto match = find_route(table, http_method::get, "/api/v1/accounts/12");
  REQUIRE(match.row);
  CHECK(match.segments == std::vector<std::string>{"12"});
  CHECK(find_route(table, http_method::post, "/hosts/a.example:pause").segments.front() ==
        "a.example");
  CHECK(find_route(table, http_method::get, "/@ann").segments.front() == "ann");
  CHECK(pattern_of(http_method::get, "/") == "/");
  CHECK(pattern_of(http_method::get, "/api/v1/accounts/12/") == "/api/v1/accounts/{}");
}

TEST_CASE("HEAD finds the row of GET", "[route]") {
  CHECK(pattern_of(http_method::head, "/api/v1/accounts/12") == "/api/v1/accounts/{}");
  CHECK(pattern_of(http_method::head, "/api/v1/statuses/12").empty());
}

TEST_CASE("a path with another method names the methods it has", "[route]") {
  const auto match = find_route(table, http_method::get, "/api/v1/statuses/12");
  CHECK(match.row == nullptr);
  CHECK(match.allow == "DELETE, PUT");
  CHECK(find_route(table, http_method::post, "/@ann").allow == "GET, HEAD");
  CHECK(find_route(table, http_method::get, "/nothing").allow.empty());
}

TEST_CASE("variants of a path are other paths", "[route][A112]") {
  for (const auto* path :
       {"/api/v1/accounts/", "//api/v1/accounts/12", "/api/v1//accounts/12", "/API/v1/accounts/12",
        "/api/v1/accounts%2F12", "/api/v1/accounts/12//", "api/v1/accounts/12", "", "/@",
        "/api/v1/accounts/%", "/api/v1/accounts/%0", "/api/v1/accounts/%zz",
        "/api/v1/accounts/1%00", "/hosts/:pause", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"})
    CHECK(find_route(table, http_method::get, path).row == nullptr);
  // A slash that was encoded is part of the segment and parts nothing.
  CHECK(find_route(table, http_method::get, "/api/v1/accounts/12%2Fx").segments.front() == "12/x");
}

TEST_CASE("no row of the client API is hidden by one before it", "[route]") {
  for (const auto& row : client_routes()) {
    auto path = std::string{row.pattern};
    for (auto hole = path.find("{}"); hole != std::string::npos; hole = path.find("{}"))
      path.replace(hole, 2, "77");
    const auto match = find_route(client_routes(), row.method, path);
    INFO(row.pattern);
    CHECK(match.row == &row);
  }
}
