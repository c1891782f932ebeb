#include "protocol/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

constexpr auto months = std::to_array<std::string_view>(
    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});

constexpr auto days =
    std::to_array<std::string_view>({"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"});

constexpr auto shape = std::string_view{"ddd, 00 mmm 0000 00:00:00 GMT"};

/// Digits stand where the shape has a 0, and everything but the two names is as in it.
bool has_shape(std::string_view text) {
  return text.size() == shape.size() &&
         std::ranges::equal(text, shape, [](char letter, char model) {
           if (model == '0')
             return letter >= '0' && letter <= '9';
           return model == 'd' || model == 'm' || letter == model;
         });
}

int number(std::string_view digits) {
  auto value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string padded(int value, std::size_t width) {
  const auto digits = std::to_string(value);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

} // namespace

std::optional<time_point> parse_http_date(std::string_view text) {
  if (!has_shape(text))
    return std::nullopt;
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (month == months.end() || std::ranges::find(days, text.substr(0, 3)) == days.end() ||
      hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const auto date = std::chrono::year{number(text.substr(12, 4))} /
                    std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1} /
                    std::chrono::day{static_cast<unsigned>(number(text.substr(5, 2)))};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second};
}

std::string to_http_date(time_point at) {
  using namespace std::chrono;
  constexpr auto first = time_point{sys_days{year{0} / 1 / 1}};
  constexpr auto last = time_point{sys_days{year{10'000} / 1 / 1}} - 1us;
  at = std::clamp(at, first, last);
  const auto day = floor<std::chrono::days>(at);
  const auto date = year_month_day{day};
  const auto clock = hh_mm_ss{floor<seconds>(at - day)};
  return std::string{trunkline::days[weekday{day}.c_encoding()]} + ", " +
         padded(static_cast<int>(static_cast<unsigned>(date.day())), 2) + " " +
         std::string{trunkline::months[static_cast<unsigned>(date.month()) - 1]} + " " +
         padded(static_cast<int>(date.year()), 4) + " " +
         padded(static_cast<int>(clock.hours().count()), 2) + ":" +
         padded(static_cast<int>(clock.minutes().count()), 2) + ":" +
         padded(static_cast<int>(clock.seconds().count()), 2) + " GMT";
}

} // namespace trunkline
