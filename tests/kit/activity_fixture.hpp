/// Documents in the shapes that other servers really send: tests/fixtures/activities.
#pragma once

#include "protocol/json.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trunkline {

/// Returns the text of the named document; throws when there is none.
inline std::string fixture_text(const std::string& name) {
  const auto folder = std::filesystem::path{TRUNKLINE_SOURCE_DIR} / "tests/fixtures/activities";
  auto in = std::ifstream{folder / (name + ".json")};
  if (!in)
    throw std::runtime_error{"no fixture " + name};
  auto text = std::ostringstream{};
  text << in.rdbuf();
  return text.str();
}

inline json_value fixture(const std::string& name) {
  return *parse_json(fixture_text(name));
}

/// Returns `document` with `key` set to the JSON in `value`.
inline json_value with(json_value document, std::string_view key, const char* value) {
  (*document.as_object())[key] = *parse_json(value);
  return document;
}

/// As `with`, for values that are long.
inline json_value with(json_value document, std::string_view key, json_value value) {
  (*document.as_object())[key] = std::move(value);
  return document;
}

} // namespace trunkline
