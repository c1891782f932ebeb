#include "storage/remote_json.hpp"

#include "protocol/host_address.hpp"
#include "protocol/json.hpp"

#include <algorithm>

namespace trunkline {

namespace {

/// What stands between two colons of a text.
bool is_emoji_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+';
  };
  return !name.empty() && name.size() <= emoji_name_max && std::ranges::all_of(name, fits);
}

} // namespace

time_point clamp_published(const std::optional<time_point>& published, time_point now) {
  return std::clamp(published.value_or(now), std::min(published_min, now), now);
}

std::string web_address(const std::string& url) {
  return parse_remote_url(url, {.allow_http = true}) ? url : std::string{};
}

std::string to_json_emojis(std::span<const named_url> emojis) {
  auto items = json_array{};
  for (const auto& emoji : emojis)
    if (is_emoji_name(emoji.name))
      if (auto url = web_address(emoji.url); !url.empty())
        items.push_back(json_object{{"name", emoji.name}, {"url", std::move(url)}});
  return to_json(items);
}

std::string to_json_fields(std::span<const profile_field> fields) {
  auto items = json_array{};
  for (const auto& field : fields)
    items.push_back(json_object{{"name", field.name}, {"value", field.value}});
  return to_json(items);
}

std::string to_json_texts(std::span<const std::string> texts) {
  auto items = json_array{};
  for (const auto& text : texts)
    items.emplace_back(text);
  return to_json(items);
}

std::vector<std::string> read_json_texts(const std::string& json) {
  auto texts = std::vector<std::string>{};
  const auto parsed = parse_json(json);
  if (const auto* items = parsed ? parsed->as_array() : nullptr)
    for (const auto& item : *items)
      texts.push_back(item.as_string() ? *item.as_string() : std::string{});
  return texts;
}

std::string to_json_numbers(std::span<const std::int64_t> numbers) {
  auto items = json_array{};
  for (const auto number : numbers)
    items.emplace_back(number);
  return to_json(items);
}

std::vector<std::int64_t> read_json_numbers(const std::string& json) {
  auto numbers = std::vector<std::int64_t>{};
  const auto parsed = parse_json(json);
  if (const auto* items = parsed ? parsed->as_array() : nullptr)
    for (const auto& item : *items)
      numbers.push_back(item.as_int() ? *item.as_int() : 0);
  return numbers;
}

} // namespace trunkline
