#include "storage/row_encoding.hpp"

#include "tests/kit/both_databases.hpp"

#include <limits>
#include <set>

using namespace trunkline;
using kit::must;

namespace {

const auto rows = std::vector<sql_row>{
    {},
    {nullptr},
    {nullptr, nullptr},
    {0},
    {-1},
    {std::numeric_limits<std::int64_t>::min()},
    {std::numeric_limits<std::int64_t>::max()},
    {""},
    {blob{}},
    {"0"},
    {blob{"0"}},
    {"a", "b"},
    {"ab", ""},
    {"", "ab"},
    {"ab"},
    {blob{std::string{"\0\xff", 2}}, 7, "ä𝄞", nullptr},
};

} // namespace

TEST_CASE("a row is read back as it was, and no other row has its bytes", "[row_encoding]") {
  auto seen = std::set<std::string>{};
  for (const auto& row : rows) {
    const auto bytes = encode_row(row);
    CHECK(must(decode_row(bytes)) == row);
    CHECK(seen.insert(bytes).second);
  }
}

TEST_CASE("bytes that are cut, or no row, are refused", "[row_encoding]") {
  const auto whole = encode_row({7, "text", blob{"bytes"}});
  auto ends = std::set<std::size_t>{0, 9, 22}; // where a value ends
  for (auto length = std::size_t{0}; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(decode_row(whole.substr(0, length)).engaged() == ends.contains(length));
  }
  const auto unknown = decode_row("x" + std::string(8, '\0'));
  REQUIRE_FALSE(unknown);
  CHECK(code_of(unknown.error()) == errc::malformed);
}

TEST_CASE("a digest goes on where it was, and knows the order", "[row_encoding]") {
  auto all = row_digest{};
  all.add({1});
  const auto one = all;
  all.add({2});
  auto resumed = row_digest{one.bytes()};
  resumed.add({2});
  CHECK(resumed == all);
  CHECK(all.bytes().size() == 32);

  auto turned = row_digest{};
  turned.add({2});
  turned.add({1});
  CHECK_FALSE(turned == all);
  auto together = row_digest{};
  together.add({1, 2});
  CHECK_FALSE(together == all);
}
