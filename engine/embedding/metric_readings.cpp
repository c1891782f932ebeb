#include "engine/embedding/metric_readings.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace trunkline {

namespace {

using type_map = std::map<std::string, std::string, std::less<>>;

/// Takes what stands before `end` off `rest`, and `end` with it.
std::string_view take_until(std::string_view& rest, char end) {
  const auto place = std::min(rest.find(end), rest.size());
  const auto taken = rest.substr(0, place);
  rest.remove_prefix(std::min(place + 1, rest.size()));
  return taken;
}

/// Reads a quoted value; `rest` begins behind its first quote, and ends behind its last.
std::optional<std::string> take_quoted(std::string_view& rest) {
  auto value = std::string{};
  for (auto i = std::size_t{0}; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
      value += rest[i] == 'n' ? '\n' : rest[i];
      continue;
    }
    value += rest[i];
  }
  return std::nullopt;
}

/// Reads `name="value",...}`; false when it is something else.
bool take_labels(std::string_view& rest, metric_reading& into) {
  while (!rest.starts_with('}')) {
    auto name = std::string{take_until(rest, '=')};
    if (!rest.starts_with('"'))
      return false;
    rest.remove_prefix(1);
    auto value = take_quoted(rest);
    if (!value)
      return false;
    into.labels.emplace_back(std::move(name), std::move(*value));
    if (rest.starts_with(','))
      rest.remove_prefix(1);
  }
  rest.remove_prefix(1);
  return true;
}

std::optional<double> read_number(std::string_view text) {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  if (text == "+Inf" || text == "Inf")
    return infinity;
  if (text == "-Inf")
    return -infinity;
  if (text == "NaN" || text == "Nan")
    return std::numeric_limits<double>::quiet_NaN();
  auto number = 0.0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

/// A histogram's and a summary's parts count as well.
bool does_rise(const type_map& types, const std::string& name) {
  if (const auto found = types.find(name); found != types.end())
    return found->second == "counter";
  for (const auto* suffix : {"_bucket", "_count", "_sum"})
    if (name.ends_with(suffix)) {
      const auto stem = std::string_view{name}.substr(0, name.rfind('_'));
      const auto found = types.find(stem);
      return found != types.end() && (found->second == "histogram" || found->second == "summary");
    }
  return false;
}

std::optional<metric_reading> read_sample(std::string_view line) {
  auto reading = metric_reading{};
  const auto end = line.find_first_of("{ ");
  if (end == std::string_view::npos || end == 0)
    return std::nullopt;
  reading.name = line.substr(0, end);
  const auto is_labelled = line[end] == '{';
  line.remove_prefix(is_labelled ? end + 1 : end);
  if (is_labelled && !take_labels(line, reading))
    return std::nullopt;
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto number = read_number(take_until(line, ' ')); // a time stamp may follow
  if (!number)
    return std::nullopt;
  reading.value = *number;
  return reading;
}

void read_type(std::string_view line, type_map& types) {
  constexpr auto begin = std::string_view{"# TYPE "};
  if (!line.starts_with(begin))
    return;
  line.remove_prefix(begin.size());
  auto name = std::string{take_until(line, ' ')};
  types[std::move(name)] = line;
}

} // namespace

std::vector<metric_reading> read_metrics(std::string_view text) {
  auto types = type_map{};
  auto readings = std::vector<metric_reading>{};
  while (!text.empty()) {
    auto line = take_until(text, '\n');
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.starts_with('#')) {
      read_type(line, types);
      continue;
    }
    if (auto reading = read_sample(line)) {
      reading->rises = does_rise(types, reading->name);
      readings.push_back(std::move(*reading));
    }
  }
  return readings;
}

} // namespace trunkline
