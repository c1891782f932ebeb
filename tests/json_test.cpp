#include "protocol/errc.hpp"
#include "protocol/json.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace trunkline;

TEST_CASE("a JSON text in its shortest form is written as it was read", "[json]") {
  for (const auto* text :
       {R"({"b":1,"a":[true,false,null,-7,"x"],"c":{}})", R"("\u0001\n\"\\ äö 😀")",
        R"([9223372036854775807,-9223372036854775808])", "0.5", "[]", R"({"":""})"}) {
    CAPTURE(text);
    const auto value = parse_json(text);
    REQUIRE(value);
    CHECK(to_json(*value) == text);
  }
}

TEST_CASE("objects keep their order and the last of a double key wins", "[json]") {
  const auto value = parse_json(R"({"z":1,"a":2,"z":3})");
  REQUIRE(value);
  CHECK(to_json(*value) == R"({"z":3,"a":2})");
}

TEST_CASE("numbers that do not fit are refused, others keep their value", "[json]") {
  for (const auto* text : {"1e999", "-1e999", "9223372036854775808", "18446744073709551616"}) {
    CAPTURE(text);
    const auto value = parse_json(text);
    REQUIRE_FALSE(value);
    CHECK(code_of(value.error()) == errc::malformed);
  }
  CHECK(*parse_json("1e3")->as_double() == 1000.0);
  CHECK(*parse_json("-0")->as_int() == 0);
  CHECK(to_json(json_value{std::numeric_limits<double>::infinity()}) == "null");
}

TEST_CASE("depth and members are bounded", "[json]") {
  CHECK(parse_json(std::string(32, '[') + std::string(32, ']')));
  CHECK_FALSE(parse_json(std::string(33, '[') + std::string(33, ']')));
  CHECK_FALSE(parse_json(std::string(100'000, '[')));
  auto text = std::string{"{"};
  for (auto index = std::size_t{0}; index <= json_members_max; ++index)
    text += (index ? ",\"" : "\"") + std::to_string(index) + "\":0";
  CHECK_FALSE(parse_json(text + "}"));
}

TEST_CASE("an error names the byte where reading stopped", "[json]") {
  const auto value = parse_json(R"({"a":tru})");
  REQUIRE_FALSE(value);
  CHECK(context_of(value.error()).find("at byte") != std::string::npos);
}
