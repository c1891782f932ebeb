#include "protocol/form.hpp"

#include "protocol/errc.hpp"

#include <vector>

namespace trunkline {

namespace {

caf::error malformed(std::string_view name, std::string_view why) {
  return make_error(errc::malformed, std::string{name} + ": " + std::string{why});
}

/// Splits `a[b][]` into "a", "b", "".
caf::expected<std::vector<std::string_view>> split(std::string_view name) {
  if (name.size() > form_name_bytes_max)
    return make_error(errc::too_large, "form_name_bytes_max: a name of more than 256 bytes");
  std::vector<std::string_view> segments{name.substr(0, name.find_first_of("[]"))};
  auto rest = name.substr(segments.front().size());
  if (segments.front().empty())
    return malformed(name, "a parameter needs a name");
  while (!rest.empty()) {
    const auto end = rest.find_first_of("[]", 1);
    if (rest.front() != '[' || end == std::string_view::npos || rest[end] != ']')
      return malformed(name, "brackets do not match");
    if (segments.size() > form_depth_max)
      return make_error(errc::too_large, "form_depth_max: more than 5 brackets in a name");
    segments.push_back(rest.substr(1, end - 1));
    rest.remove_prefix(end + 1);
  }
  return segments;
}

/// Returns the element of the list `items` whose member `key` comes next.
json_value& element_for(json_array& items, std::string_view key) {
  const auto* last = items.empty() ? nullptr : items.back().as_object();
  if (!last || last->find(key))
    items.emplace_back(json_object{});
  return items.back();
}

/// Returns the place of the member `key` in `place`, which becomes an object; null when it is
/// something else already.
json_value* member_of(json_value& place, std::string_view key) {
  if (place.is_null())
    place = json_object{};
  auto* members = place.as_object();
  return members ? &(*members)[key] : nullptr;
}

} // namespace

caf::error add_form_value(json_object& root, std::string_view name, json_value value) {
  const auto segments = split(name);
  if (!segments)
    return segments.error();
  auto* place = &root[segments->front()];
  for (std::size_t i = 1; i < segments->size(); ++i) {
    if (!(*segments)[i].empty()) {
      place = member_of(*place, (*segments)[i]);
      if (!place)
        return malformed(name, "used in two ways");
      continue;
    }
    if (place->is_null())
      *place = json_array{};
    auto* items = place->as_array();
    if (!items)
      return malformed(name, "used in two ways");
    if (i + 1 == segments->size()) {
      items->push_back(std::move(value));
      return caf::none;
    }
    if ((*segments)[i + 1].empty())
      return malformed(name, "a list directly in a list");
    place = &element_for(*items, (*segments)[i + 1]);
  }
  if (place->as_array() || place->as_object())
    return malformed(name, "used in two ways");
  *place = std::move(value);
  return caf::none;
}

} // namespace trunkline
