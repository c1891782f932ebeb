#include "protocol/object_key.hpp"

#include "protocol/errc.hpp"

#include <charconv>

namespace trunkline {

namespace {

constexpr auto kinds = std::string_view{"palfbmdunvr"};

} // namespace

std::string to_string(const object_key& key) {
  auto text = std::string{static_cast<char>(key.kind)};
  text += '/' + std::to_string(key.actor) + '/' + std::to_string(key.target);
  return text;
}

caf::expected<object_key> parse_object_key(std::string_view text) {
  const auto bad = [] { return make_error(errc::malformed, "log.object_key"); };
  if (text.size() < 5 || kinds.find(text[0]) == std::string_view::npos || text[1] != '/')
    return bad();
  auto key = object_key{static_cast<object_kind>(text[0]), 0, 0};
  const auto* end = text.data() + text.size();
  const auto actor = std::from_chars(text.data() + 2, end, key.actor);
  if (actor.ec != std::errc{} || actor.ptr == end || *actor.ptr != '/')
    return bad();
  const auto target = std::from_chars(actor.ptr + 1, end, key.target);
  if (target.ec != std::errc{} || target.ptr != end)
    return bad();
  return key;
}

} // namespace trunkline
