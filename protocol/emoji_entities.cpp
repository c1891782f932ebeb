#include "protocol/emoji_entities.hpp"

#include <algorithm>
#include <string_view>

namespace trunkline {

namespace {

std::string member(const json_value& item, std::string_view name) {
  const auto* value = item.find(name);
  const auto* text = value ? value->as_string() : nullptr;
  return text ? *text : std::string{};
}

bool is_used(const std::string& name, const std::vector<std::string>& texts) {
  const auto written = ":" + name + ":";
  return std::ranges::any_of(
      texts, [&](const std::string& text) { return text.find(written) != std::string::npos; });
}

} // namespace

json_array emojis_in(const std::string& emojis_json, const std::vector<std::string>& texts) {
  auto entities = json_array{};
  if (emojis_json.empty() || emojis_json == "[]")
    return entities;
  const auto parsed = parse_json(emojis_json);
  const auto* items = parsed ? parsed->as_array() : nullptr;
  if (!items)
    return entities;
  for (const auto& item : *items) {
    const auto name = member(item, "name");
    const auto url = member(item, "url");
    if (!name.empty() && !url.empty() && is_used(name, texts))
      entities.push_back(json_object{
          {"shortcode", name}, {"url", url}, {"static_url", url}, {"visible_in_picker", true}});
  }
  return entities;
}

} // namespace trunkline
