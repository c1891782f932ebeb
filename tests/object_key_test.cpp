#include "protocol/errc.hpp"
#include "protocol/object_key.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("an object key reads back as it was written", "[object_key]") {
  for (const auto& key :
       {object_key{object_kind::post, 0, 77}, object_key{object_kind::follow, 1, 2},
        object_key{object_kind::account, 0, INT64_MAX}}) {
    const auto read = parse_object_key(to_string(key));
    REQUIRE(read);
    CHECK(*read == key);
  }
  CHECK(to_string(object_key{object_kind::follow, 12, 34}) == "f/12/34");
}

TEST_CASE("what is no object key is refused", "[object_key]") {
  for (const auto* text :
       {"", "p", "p/1", "p/1/", "x/1/2", "p/a/2", "p/1/2 ", "p/1/2/3", "pp/1/2"}) {
    CAPTURE(text);
    const auto key = parse_object_key(text);
    REQUIRE_FALSE(key);
    CHECK(code_of(key.error()) == errc::malformed);
  }
}
