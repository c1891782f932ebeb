#include "protocol/loose_members.hpp"

#include "protocol/activity_out.hpp"
#include "protocol/host_address.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <charconv>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

constexpr auto any_web = url_rules{.allow_http = true};
constexpr int link_depth_max = 3; ///< An object's url may be a Link, in a list.
constexpr std::size_t emoji_name_max = 2'048;
constexpr std::size_t marks_max = 8; ///< On one letter.
constexpr std::size_t authors_looked_at_max = 16;
constexpr auto time_min = time_point{};
constexpr auto time_max = time_point{std::chrono::sys_days{std::chrono::year{2200} / 1 / 1}};

bool is_group(const json_value& author) {
  return has_type(author, "Group") || has_type(author, "Organization");
}

std::string url_within(const json_value& value, std::string_view media_type, int depth);

std::string first_url_of(std::span<const json_value> items, std::string_view media_type,
                         int depth) {
  for (const auto& item : items)
    if (!media_type.empty() && text_of(item.find("mediaType")) == media_type)
      if (auto url = url_within(item, {}, depth - 1); !url.empty())
        return url;
  for (const auto& item : items)
    if (auto url = url_within(item, {}, depth - 1); !url.empty())
      return url;
  return {};
}

std::string url_within(const json_value& value, std::string_view media_type, int depth) {
  if (const auto* text = value.as_string())
    return web_url(*text);
  if (depth == 0)
    return {};
  if (const auto* items = value.as_array())
    return first_url_of(*items, media_type, depth);
  if (const auto* href = value.find("href"))
    return url_within(*href, media_type, depth - 1);
  const auto* url = value.find("url");
  return url ? url_within(*url, media_type, depth - 1) : std::string{};
}

/// Reads numbers of a fixed width from the front of a text.
class digit_reader {
public:
  explicit digit_reader(std::string_view text) : rest_{text} {}

  bool take(char letter) {
    const auto is_next = rest_.starts_with(letter);
    rest_.remove_prefix(is_next ? 1 : 0);
    return is_next;
  }

  /// Returns a number of exactly `digits`; -1 when there is none.
  int number(std::size_t digits) {
    auto value = -1;
    if (rest_.size() < digits || !is_digit(rest_.front()))
      return -1;
    const auto* end = rest_.data() + digits;
    if (std::from_chars(rest_.data(), end, value).ptr != end)
      return -1;
    rest_.remove_prefix(digits);
    return value;
  }

  /// Returns what follows a decimal point, of which six digits count.
  std::chrono::microseconds fraction() {
    auto value = std::int64_t{0};
    auto unit = std::int64_t{100'000};
    while (!rest_.empty() && is_digit(rest_.front())) {
      value += (rest_.front() - '0') * unit;
      unit /= 10;
      rest_.remove_prefix(1);
    }
    return std::chrono::microseconds{value};
  }

  bool is_at_end() const { return rest_.empty(); }

private:
  static bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

  std::string_view rest_;
};

std::optional<std::chrono::sys_days> read_date(digit_reader& text) {
  const auto year = text.number(4);
  const auto has_month = text.take('-');
  const auto month = text.number(2);
  const auto has_day = text.take('-');
  const auto day = text.number(2);
  const auto date = std::chrono::year_month_day{
      std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(std::max(month, 0))},
      std::chrono::day{static_cast<unsigned>(std::max(day, 0))}};
  if (year < 0 || !has_month || !has_day || !date.ok())
    return std::nullopt;
  return std::chrono::sys_days{date};
}

/// Seconds may be left out; 60 is a leap second.
std::optional<std::chrono::microseconds> read_clock(digit_reader& text) {
  const auto hour = text.number(2);
  const auto has_minute = text.take(':');
  const auto minute = text.number(2);
  const auto second = text.take(':') ? text.number(2) : 0;
  if (hour < 0 || hour > 23 || !has_minute || minute < 0 || minute > 59 || second < 0 ||
      second > 60)
    return std::nullopt;
  const auto fraction = text.take('.') ? text.fraction() : 0us;
  return std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} +
         fraction;
}

/// Z, +02:00, +0200, +02, or nothing, which means UTC.
std::optional<std::chrono::minutes> read_offset(digit_reader& text) {
  if (text.is_at_end() || text.take('Z') || text.take('z'))
    return 0min;
  const auto is_east = text.take('+');
  if (!is_east && !text.take('-'))
    return std::nullopt;
  const auto hours = text.number(2);
  text.take(':');
  const auto minutes = text.is_at_end() ? 0 : text.number(2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
    return std::nullopt;
  const auto offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return is_east ? offset : -offset;
}

bool is_emoji_name(std::string_view name) {
  const auto fits = [](unsigned char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') || letter == '_' || letter == '-' || letter == '.';
  };
  return !name.empty() && name.size() <= emoji_name_max && std::ranges::all_of(name, fits);
}

/// Embeddings, overrides and isolates of direction, which reach past the end of a text.
bool is_direction_control(std::int32_t letter) {
  return (letter >= 0x202a && letter <= 0x202e) || (letter >= 0x2066 && letter <= 0x2069);
}

bool is_mark(std::int32_t letter) {
  const auto category = utf8proc_category(letter);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

} // namespace

std::span<const json_value> items_of(const json_value* value) {
  if (!value || value->is_null())
    return {};
  if (const auto* items = value->as_array())
    return *items;
  return {value, 1};
}

bool has_type(const json_value& document, std::string_view type) {
  return std::ranges::count(types_of(document), type) > 0;
}

std::string first_type_of(const json_value& document, std::span<const std::string_view> known) {
  for (auto& type : types_of(document))
    if (std::ranges::find(known, type) != known.end())
      return std::move(type);
  return {};
}

std::string text_of(const json_value* value) {
  const auto* text = value ? value->as_string() : nullptr;
  return text ? *text : std::string{};
}

std::string mapped_text_of(const json_value& document, std::string_view name) {
  if (auto text = text_of(document.find(name)); !text.empty())
    return text;
  const auto* map = document.find(std::string{name} + "Map");
  const auto* members = map ? map->as_object() : nullptr;
  return members && !members->empty() ? text_of(&members->begin()->second) : std::string{};
}

std::string web_url(std::string text) {
  return parse_remote_url(text, any_web) ? std::move(text) : std::string{};
}

std::string web_id_of(const json_value* value) {
  return web_url(id_of(value));
}

std::string only_web_id_of(const json_value* value) {
  const auto items = items_of(value);
  return items.size() == 1 && !items.front().as_array() ? web_id_of(&items.front()) : std::string{};
}

std::string only_author_of(const json_value& document) {
  const auto named = items_of(document.find("attributedTo"));
  if (named.size() == 1 || named.size() > authors_looked_at_max)
    return only_web_id_of(document.find("attributedTo"));
  const json_value* author = nullptr;
  for (const auto& item : named) {
    if (is_group(item))
      continue;
    if (author)
      return {};
    author = &item;
  }
  return only_web_id_of(author);
}

std::string url_of(const json_value* value, std::string_view media_type) {
  return value ? url_within(*value, media_type, link_depth_max) : std::string{};
}

std::vector<std::string> ids_of(const json_value* value, std::size_t limit) {
  auto ids = std::vector<std::string>{};
  for (const auto& item : items_of(value)) {
    if (ids.size() == limit)
      break;
    if (auto id = web_id_of(&item); !id.empty())
      ids.push_back(std::move(id));
  }
  return ids;
}

std::vector<std::string> recipients_of(const json_value* value) {
  auto recipients = std::vector<std::string>{};
  for (const auto& item : items_of(value)) {
    if (recipients.size() == note_recipients_max)
      break;
    auto id = id_of(&item);
    if (id == "as:Public" || id == "Public")
      id = public_collection;
    if (id = web_url(std::move(id)); !id.empty())
      recipients.push_back(std::move(id));
  }
  return recipients;
}

std::optional<time_point> parse_date_time(std::string_view text) {
  auto reader = digit_reader{text};
  const auto date = read_date(reader);
  if (!date)
    return std::nullopt;
  if (reader.is_at_end())
    return std::clamp(time_point{*date}, time_min, time_max);
  if (!reader.take('T') && !reader.take('t') && !reader.take(' '))
    return std::nullopt;
  const auto clock = read_clock(reader);
  const auto offset = clock ? read_offset(reader) : std::nullopt;
  if (!offset || !reader.is_at_end())
    return std::nullopt;
  return std::clamp(time_point{*date} + *clock - *offset, time_min, time_max);
}

std::optional<time_point> time_of(const json_value* value) {
  const auto* text = value ? value->as_string() : nullptr;
  return text ? parse_date_time(*text) : std::nullopt;
}

std::int64_t count_of(const json_value* value) {
  if (const auto* number = value ? value->as_int() : nullptr)
    return std::clamp<std::int64_t>(*number, 0, document_count_max);
  const auto* number = value ? value->as_double() : nullptr;
  return number ? static_cast<std::int64_t>(
                      std::clamp(*number, 0.0, static_cast<double>(document_count_max)))
                : 0;
}

bool is_true(const json_value* value) {
  const auto* flag = value ? value->as_bool() : nullptr;
  return flag && *flag;
}

std::vector<named_url> emojis_of(const json_value& document) {
  auto emojis = std::vector<named_url>{};
  for (const auto& tag : items_of(document.find("tag"))) {
    if (emojis.size() == note_emojis_max)
      break;
    if (!has_type(tag, "Emoji"))
      continue;
    auto name = text_of(tag.find("name"));
    if (name.size() > 2 && name.starts_with(':') && name.ends_with(':'))
      name = name.substr(1, name.size() - 2);
    auto url = url_of(tag.find("icon"));
    if (is_emoji_name(name) && !url.empty())
      emojis.push_back({.name = std::move(name), .url = std::move(url)});
  }
  return emojis;
}

std::string clamp_bytes(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max)
    return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80)
    --bytes_max;
  text.resize(bytes_max);
  return text;
}

std::string clamp_characters(std::string text, std::size_t characters_max) {
  auto at = std::size_t{0};
  while (at < text.size() &&
         ((static_cast<unsigned char>(text[at]) & 0xc0) == 0x80 || characters_max-- > 0))
    ++at;
  text.resize(at);
  return text;
}

std::string display_line(std::string_view text, std::size_t bytes_max) {
  auto line = std::string{};
  auto marks = std::size_t{0};
  for (auto at = std::size_t{0}; at < text.size();) {
    auto letter = std::int32_t{0};
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(&text[at]),
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &letter);
    const auto bytes = static_cast<std::size_t>(std::max<utf8proc_ssize_t>(size, 1));
    const auto here = text.substr(at, bytes);
    at += bytes;
    marks = is_mark(letter) ? marks + 1 : 0;
    if (size < 1 || marks > marks_max || is_direction_control(letter))
      continue;
    const auto is_space = utf8proc_category(letter) == UTF8PROC_CATEGORY_CC;
    if (line.size() + here.size() > bytes_max)
      break;
    line += is_space ? std::string_view{" "} : here;
  }
  return line;
}

} // namespace trunkline
