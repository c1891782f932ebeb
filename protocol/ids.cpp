#include "protocol/ids.hpp"

#include "protocol/errc.hpp"

#include <charconv>

namespace trunkline {

namespace {

std::int64_t milliseconds_of(time_point at) {
  return std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

} // namespace

caf::expected<std::int64_t> parse_id(std::string_view text) {
  auto value = std::int64_t{0};
  const auto* end = text.data() + text.size();
  if (text.empty() || text.front() < '1' || text.front() > '9')
    return make_error(errc::not_found, "id: not a number");
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end)
    return make_error(errc::not_found, "id: not a number");
  return value;
}

std::int64_t make_id(time_point at, std::uint8_t slot, std::uint8_t counter) {
  return (milliseconds_of(at) << 16) | (std::int64_t{slot} << 8) | std::int64_t{counter};
}

time_point time_of(std::int64_t id) {
  return time_point{std::chrono::milliseconds{id >> 16}};
}

std::uint8_t slot_of(std::int64_t id) {
  return static_cast<std::uint8_t>((id >> 8) & 0xff);
}

std::int64_t next_id(time_point now, std::uint8_t slot, std::int64_t floor) {
  const auto fresh = make_id(now, slot, 0);
  if (fresh > floor)
    return fresh;
  // The floor may come from another slot: take the first id of ours above it.
  const auto milliseconds = floor >> 16;
  const auto floor_slot = slot_of(floor);
  const auto counter = static_cast<std::uint8_t>(floor & 0xff);
  if (floor_slot < slot)
    return (milliseconds << 16) | (std::int64_t{slot} << 8);
  if (floor_slot == slot && counter < 0xff)
    return floor + 1;
  return ((milliseconds + 1) << 16) | (std::int64_t{slot} << 8);
}

} // namespace trunkline
