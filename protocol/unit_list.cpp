#include "protocol/unit_list.hpp"

#include "protocol/errc.hpp"
#include "protocol/varint.hpp"

#include <algorithm>
#include <optional>

namespace trunkline {

std::string encode_units(std::vector<unit_key> units) {
  std::ranges::sort(units);
  auto bytes = std::string{};
  auto last = log_seq{0};
  for (const auto& unit : units) {
    append_varint(bytes, static_cast<std::uint64_t>(unit.seq - last));
    append_varint(bytes, static_cast<std::uint64_t>(unit.endpoint.value));
    last = unit.seq;
  }
  return bytes;
}

caf::expected<std::vector<unit_key>> decode_units(std::string_view bytes) {
  auto units = std::vector<unit_key>{};
  auto last = log_seq{0};
  while (!bytes.empty()) {
    const auto distance = take_varint(bytes);
    const auto endpoint = distance ? take_varint(bytes) : std::nullopt;
    if (!endpoint || units.size() == 2 * acked_units_max)
      return make_error(errc::malformed, "list of units");
    last += static_cast<log_seq>(*distance);
    units.push_back({last, endpoint_id{static_cast<std::int64_t>(*endpoint)}});
  }
  return units;
}

} // namespace trunkline
