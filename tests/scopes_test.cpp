#include "protocol/scopes.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("a scope grants itself and what is below it", "[scopes]") {
  CHECK(covers({"read"}, "read:accounts"));
  CHECK(covers({"read:accounts"}, "read:accounts"));
  CHECK_FALSE(covers({"read:accounts"}, "read"));
  CHECK_FALSE(covers({"read:accounts"}, "read:statuses"));
  CHECK_FALSE(covers({"read"}, "write:statuses"));
  CHECK_FALSE(covers({"read"}, "admin:read"));
  CHECK(covers({"admin:read"}, "admin:read:accounts"));
  CHECK(covers({}, ""));
  CHECK(covers({"read"}, "profile"));
  CHECK(covers({"read:accounts"}, "profile"));
  CHECK_FALSE(covers({"profile"}, "read:accounts"));
  CHECK_FALSE(covers({"read:statuses"}, "profile"));
}

TEST_CASE("follow grants blocks, follows and mutes", "[scopes]") {
  CHECK(covers({"follow"}, "write:follows"));
  CHECK(covers({"follow"}, "read:blocks"));
  CHECK_FALSE(covers({"follow"}, "write:statuses"));
}

TEST_CASE("scopes are read with spaces or plus signs, each once", "[scopes]") {
  CHECK(*parse_scopes("read write+follow  read") == scope_set{"read", "write", "follow"});
  CHECK(parse_scopes("")->empty());
  CHECK(to_string({"read", "write"}) == "read write");
}

TEST_CASE("a scope that does not exist is refused", "[scopes]") {
  for (const auto* text : {"reed", "read:", "read:nothing", "READ", "read,write", "read\tx"}) {
    const auto refused = parse_scopes(text);
    REQUIRE_FALSE(refused);
    CHECK(code_of(refused.error()) == errc::invalid);
  }
}

TEST_CASE("a token may be given less than an app asked for, never more", "[scopes]") {
  CHECK(covers_all({"read", "write"}, {"read:accounts", "write"}));
  CHECK_FALSE(covers_all({"read"}, {"read", "write:statuses"}));
}
