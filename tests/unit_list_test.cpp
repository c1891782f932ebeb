#include "protocol/unit_list.hpp"

#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace trunkline;

namespace {

unit_key key(log_seq seq, int endpoint = 1) {
  return {seq, endpoint_id{endpoint}};
}

} // namespace

TEST_CASE("lists of units are read as they were written", "[unit_list]") {
  const auto lists = std::vector<std::vector<unit_key>>{
      {}, {key(1)}, {key(5, 1'000'000), key(5, 2), key(900'000'000'000, 127), key(6, 128)}};
  for (auto list : lists) {
    const auto bytes = encode_units(list);
    std::ranges::sort(list);
    const auto read = decode_units(bytes);
    REQUIRE(read);
    CHECK(*read == list);
  }
  CHECK(encode_units({key(10), key(11)}).size() == 4); // two bytes a unit
  for (const auto* damaged : {"\x80", "\x01", "\x01\x80", "\x01\x01\x01"}) {
    const auto read = decode_units(damaged);
    REQUIRE_FALSE(read);
    CHECK(code_of(read.error()) == errc::malformed);
  }
}
