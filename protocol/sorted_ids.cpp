#include "protocol/sorted_ids.hpp"

#include "protocol/errc.hpp"

#include <algorithm>
#include <limits>

namespace trunkline {

namespace {

constexpr auto group_bits = 7;
constexpr auto more = std::uint64_t{0x80};
constexpr auto highest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

void append_number(std::string& bytes, std::uint64_t number) {
  for (; number >= more; number >>= group_bits)
    bytes.push_back(static_cast<char>((number & (more - 1)) | more));
  bytes.push_back(static_cast<char>(number));
}

/// Takes one positive number off `bytes`; 0 when there is none in its shortest form.
std::uint64_t take_number(std::string_view& bytes) {
  auto number = std::uint64_t{0};
  for (auto shift = 0; shift < 63 && !bytes.empty(); shift += group_bits) {
    const auto group = static_cast<std::uint64_t>(static_cast<unsigned char>(bytes.front()));
    bytes.remove_prefix(1);
    number |= (group & (more - 1)) << shift;
    if ((group & more) == 0)
      return group == 0 ? 0 : number;
  }
  return 0;
}

} // namespace

std::string encode_sorted_ids(std::vector<std::int64_t> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  auto bytes = std::string{};
  auto last = std::int64_t{0};
  for (const auto id : ids) {
    if (id <= 0)
      continue;
    append_number(bytes, static_cast<std::uint64_t>(id - last));
    last = id;
  }
  return bytes;
}

caf::expected<std::vector<std::int64_t>> decode_sorted_ids(std::string_view bytes) {
  auto ids = std::vector<std::int64_t>{};
  auto last = std::uint64_t{0};
  while (!bytes.empty()) {
    const auto step = take_number(bytes);
    if (step == 0 || step > highest - last || ids.size() == sorted_ids_max)
      return make_error(errc::malformed, "sorted ids");
    last += step;
    ids.push_back(static_cast<std::int64_t>(last));
  }
  return ids;
}

} // namespace trunkline
