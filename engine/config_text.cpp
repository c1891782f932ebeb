#include "engine/config.hpp"

namespace trunkline {

namespace {

std::string_view section_of(std::string_view key) {
  return key.substr(0, key.find('.'));
}

std::string_view name_in_section(std::string_view key) {
  return key.substr(key.find('.') + 1);
}

/// Calls `line(row)` for each setting, and puts a header before each new section.
template <class Line>
std::string by_section(Line line) {
  auto out = std::string{};
  auto section = std::string_view{};
  for (const auto& row : settings()) {
    if (section_of(row.key) != section) {
      section = section_of(row.key);
      out += (out.empty() ? "[" : "\n[") + std::string{section} + "]\n";
    }
    out += line(row);
  }
  return out;
}

std::string default_of(const setting& row) {
  if (!row.computed.empty())
    return std::string{row.computed};
  if (row.key == "server.domain")
    return "required";
  const auto value = format_value(row, node_config{});
  return value == "\"\"" || value == "[]" ? "none" : "`" + value + "`";
}

} // namespace

std::string print_config(const effective_config& config) {
  return by_section([&](const setting& row) {
    return std::string{name_in_section(row.key)} + " = " + format_value(row, config.values) +
           " # " + config.source(row.key) + "\n";
  });
}

std::string sample_config(const node_config& values) {
  auto out = std::string{"# Configuration of a Trunkline node. A line that is commented out shows "
                         "the default.\n# `trunkline run --check-config` checks this file, "
                         "`--print-config` shows what counts.\n\n"};
  const auto defaults = node_config{};
  return out + by_section([&](const setting& row) {
           const auto value = format_value(row, values);
           const auto initial = format_value(row, defaults);
           auto text = "# " + std::string{row.help};
           if (!row.computed.empty())
             text += "; default: " + std::string{row.computed};
           return text + "\n" + (value == initial ? "# " : "") +
                  std::string{name_in_section(row.key)} + " = " + value + "\n";
         });
}

std::string configuration_page() {
  auto out = std::string{
      "# Configuration\n\n"
      "One file in TOML, named by `--config`; without it `/etc/trunkline/trunkline.toml` when it "
      "is there, else\n`trunkline.toml` in the user's data folder. Over the file counts the "
      "environment (`TRUNKLINE_SERVER_LISTEN`),\nover that a flag of `run` "
      "(`--server.listen ADDRESS:PORT`). An unknown key, a wrong type or a value out of\nrange "
      "stops the start with exit code 78, the file, the line, the key and a suggestion. "
      "`run --check-config`\nonly checks, `run --print-config` shows every value and where it "
      "came from. Secrets stand in files of\ntheir own, never in the configuration; paths are "
      "absolute. This page is generated: `trunkline\nconfiguration-page`.\n\n"
      "| setting | meaning | value | default |\n|---|---|---|---|\n"};
  for (const auto& row : settings())
    out += "| `" + std::string{row.key} + "` | " + std::string{row.help} +
           (row.file_only ? "; in the file only" : "") + " | " + describe_type(row) + " | " +
           default_of(row) + " |\n";
  return out;
}

} // namespace trunkline
