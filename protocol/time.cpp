#include "protocol/time.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace trunkline {

namespace {

constexpr auto year_min = time_point{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};
constexpr auto year_max =
    time_point{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}} + std::chrono::hours{23};

std::string date_text(std::chrono::year_month_day date) {
  auto text = std::array<char, 32>{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

} // namespace

std::string to_iso8601(time_point at) {
  at = std::clamp(at, year_min, year_max);
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const auto clock = std::chrono::hh_mm_ss{std::chrono::floor<std::chrono::milliseconds>(at - day)};
  auto text = std::array<char, 32>{};
  std::snprintf(text.data(), text.size(), "T%02d:%02d:%02d.%03dZ",
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return date_text(day) + text.data();
}

std::string to_iso8601_date(time_point at) {
  at = std::clamp(at, year_min, year_max);
  return date_text(std::chrono::floor<std::chrono::days>(at));
}

} // namespace trunkline
