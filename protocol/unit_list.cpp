#include "protocol/unit_list.hpp"

#include "protocol/errc.hpp"

#include <algorithm>
#include <optional>

namespace trunkline {

namespace {

void append(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> take(std::string_view& bytes) {
  auto value = std::uint64_t{0};
  for (auto shift = 0; shift < 63 && !bytes.empty(); shift += 7) {
    const auto group = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{group & 0x7fU} << shift;
    if (group < 0x80)
      return value;
  }
  return std::nullopt;
}

} // namespace

std::string encode_units(std::vector<unit_key> units) {
  std::ranges::sort(units);
  auto bytes = std::string{};
  auto last = log_seq{0};
  for (const auto& unit : units) {
    append(bytes, static_cast<std::uint64_t>(unit.seq - last));
    append(bytes, static_cast<std::uint64_t>(unit.endpoint.value));
    last = unit.seq;
  }
  return bytes;
}

caf::expected<std::vector<unit_key>> decode_units(std::string_view bytes) {
  auto units = std::vector<unit_key>{};
  auto last = log_seq{0};
  while (!bytes.empty()) {
    const auto distance = take(bytes);
    const auto endpoint = distance ? take(bytes) : std::nullopt;
    if (!endpoint || units.size() == 2 * acked_units_max)
      return make_error(errc::malformed, "list of units");
    last += static_cast<log_seq>(*distance);
    units.push_back({last, endpoint_id{static_cast<std::int64_t>(*endpoint)}});
  }
  return units;
}

} // namespace trunkline
