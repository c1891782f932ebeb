#include "protocol/sorted_ids.hpp"

#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <random>
#include <set>

using namespace trunkline;

namespace {

using ids = std::vector<std::int64_t>;

ids read(std::string_view bytes) {
  const auto result = decode_sorted_ids(bytes);
  REQUIRE(result);
  return *result;
}

} // namespace

TEST_CASE("a set of ids comes back sorted and without doubles", "[sorted_ids]") {
  CHECK(encode_sorted_ids({}).empty());
  CHECK(read("").empty());
  CHECK(read(encode_sorted_ids({5, 3, 5, 4})) == ids{3, 4, 5});
  CHECK(read(encode_sorted_ids({0, -7, 1})) == ids{1});
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(read(encode_sorted_ids({most, 1, most - 1})) == ids{1, most - 1, most});
}

TEST_CASE("neighbours cost a byte each", "[sorted_ids]") {
  CHECK(encode_sorted_ids({1, 2, 3, 130}) == std::string{"\x01\x01\x01\x7f"});
  CHECK(encode_sorted_ids({128}) == std::string{"\x80\x01"});
}

TEST_CASE("random sets come back", "[sorted_ids]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  auto random = std::mt19937_64{seed};
  for (auto round = 0; round < 200; ++round) {
    auto expected = std::set<std::int64_t>{};
    for (auto count = random() % 50; count > 0; --count)
      expected.insert(static_cast<std::int64_t>(random() >> (1 + random() % 62)) + 1);
    const auto list = ids(expected.begin(), expected.end());
    CHECK(read(encode_sorted_ids(list)) == list);
  }
}

TEST_CASE("bytes that no set has are refused", "[sorted_ids]") {
  for (const auto& bytes :
       {std::string{"\x80"},                                        // cut
        std::string("\x00", 1), std::string("\x01\x00", 2),         // the same id twice
        std::string("\x81\x00", 2),                                 // a longer form of 1
        std::string{"\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01"},    // past the largest id
        std::string{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}}) { // more than 63 bits
    CAPTURE(bytes.size());
    const auto result = decode_sorted_ids(bytes);
    REQUIRE_FALSE(result);
    CHECK(code_of(result.error()) == errc::malformed);
  }
}
