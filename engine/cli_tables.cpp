#include "engine/cli_tables.hpp"

#include <algorithm>
#include <iostream>
#include <vector>

namespace trunkline {

namespace {

constexpr std::size_t heading_width = 14;

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

/// What stands beside a host's state.
bool is_paused(const json_value& object) {
  const auto* paused = object.find("paused");
  return paused && paused->as_bool() && *paused->as_bool();
}

} // namespace

std::string without_controls(std::string text) {
  std::ranges::replace_if(
      text, [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == 0x7f; },
      ' ');
  return text;
}

std::string shown(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  if (!member || member->is_null())
    return "-";
  auto text = member->as_string() ? without_controls(*member->as_string()) : to_json(*member);
  if ((key == "at" || key.ends_with("_at")) && text.size() == 24)
    text.erase(19, 4);
  if (key == "state" && is_paused(object))
    text += ", paused";
  return text;
}

const json_array& list_in(const json_value& page, std::string_view key) {
  static const auto none = json_array{};
  const auto* list = page.find(key);
  return list && list->as_array() ? *list->as_array() : none;
}

void print_table(std::span<const shown_member> columns, const json_array& rows) {
  auto lines = std::vector<std::string>(rows.size() + 1);
  for (const auto& column : columns) {
    auto width = column.heading.size();
    for (const auto& row : rows)
      width = std::max(width, shown(row, column.key).size());
    lines[0] += padded(std::string{column.heading}, width + 2);
    for (auto i = std::size_t{0}; i < rows.size(); ++i)
      lines[i + 1] += padded(shown(rows[i], column.key), width + 2);
  }
  for (const auto& line : lines)
    std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
}

void print_lines(std::span<const shown_member> lines, const json_value& object) {
  for (const auto& line : lines)
    if (const auto* member = object.find(line.key); member && !member->is_null())
      std::cout << padded(std::string{line.heading} + ":", heading_width) << shown(object, line.key)
                << '\n';
}

void print_list(const json_value& answer, bool as_json, std::span<const shown_member> columns,
                std::string_view key) {
  if (as_json)
    std::cout << to_json(answer) << '\n';
  else
    print_table(columns, list_in(answer, key));
}

} // namespace trunkline
