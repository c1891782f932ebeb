#include "protocol/mark_sums.hpp"

#include "protocol/errc.hpp"
#include "protocol/varint.hpp"

#include <array>
#include <utility>

namespace trunkline {

namespace {

constexpr auto version = std::uint64_t{1};

constexpr auto ended_sums =
    std::array{&delivery_sums::delivered, &delivery_sums::coalesced, &delivery_sums::dead,
               &delivery_sums::expired, &delivery_sums::cancelled};

std::uint64_t unsigned_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

} // namespace

std::string encode_sums(const mark_sums& sums) {
  auto bytes = std::string{};
  append_varint(bytes, version);
  for (const auto sum : ended_sums)
    append_varint(bytes, unsigned_of(sums.ended.*sum));
  auto last = std::int64_t{0};
  for (const auto& each : sums.waiting) {
    append_varint(bytes, unsigned_of(each.host.value - std::exchange(last, each.host.value)));
    append_varint(bytes, unsigned_of(each.count));
    append_varint(bytes, unsigned_of(each.counted_to));
  }
  return bytes;
}

caf::expected<mark_sums> decode_sums(std::string_view bytes) {
  auto sums = mark_sums{};
  if (bytes.empty())
    return sums;
  auto is_whole = take_varint(bytes) == version;
  const auto number = [&] {
    const auto taken = is_whole ? take_varint(bytes) : std::nullopt;
    is_whole = taken.has_value();
    return static_cast<std::int64_t>(taken.value_or(0));
  };
  for (const auto sum : ended_sums)
    sums.ended.*sum = number();
  for (auto last = std::int64_t{0}; is_whole && !bytes.empty();) {
    last += number();
    auto& each = sums.waiting.emplace_back(waiting_count{.host = host_id{last}});
    each.count = number();
    each.counted_to = number();
  }
  if (!is_whole)
    return make_error(errc::malformed, "sums of a mark");
  return sums;
}

} // namespace trunkline
