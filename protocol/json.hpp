/// JSON values: parsed strictly, built by hand, written compactly.
///
/// A value owns all it holds. Numbers are 64-bit integers or finite doubles; what does not fit is
/// refused. Nesting is at most 32 deep; text is UTF-8. Objects keep the order of insertion.
#pragma once

#include <caf/expected.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace trunkline {

class json_value;

/// Members of one object; a text with more is refused (look-up is linear).
inline constexpr std::size_t json_members_max = 1024;

using json_array = std::vector<json_value>;

/// Keys and values in the order of insertion; look-up is linear.
class json_object {
public:
  json_object() = default;
  json_object(std::initializer_list<std::pair<std::string, json_value>> members);

  /// Returns the value of `key`, or null where there is none.
  const json_value* find(std::string_view key) const;
  json_value* find(std::string_view key);

  /// Returns the value of `key`, made null when it is new.
  json_value& operator[](std::string_view key);

  /// Appends without looking whether `key` is there already; whoever does so in a row calls
  /// `keep_last` at the end, which leaves of each key the last value at the first one's place.
  void append(std::string key, json_value value);
  void keep_last();

  bool empty() const;
  std::size_t size() const;
  auto begin() const { return members_.begin(); }
  auto end() const { return members_.end(); }

private:
  json_value* find_before(std::size_t end, std::string_view key);

  std::vector<std::pair<std::string, json_value>> members_;
};

class json_value {
public:
  json_value() = default;
  json_value(std::nullptr_t) {}
  json_value(bool flag) : content_{flag} {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) json_value(T number)
      : content_{static_cast<std::int64_t>(number)} {}
  json_value(double number) : content_{number} {}
  json_value(const char* text) : content_{std::string{text}} {}
  json_value(std::string_view text) : content_{std::string{text}} {}
  json_value(std::string text) : content_{std::move(text)} {}
  json_value(json_array items) : content_{std::move(items)} {}
  json_value(json_object members) : content_{std::move(members)} {}

  bool is_null() const { return std::holds_alternative<std::monostate>(content_); }

  /// Each returns the content, or null when the value is of another type.
  const bool* as_bool() const { return std::get_if<bool>(&content_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&content_); }
  const double* as_double() const { return std::get_if<double>(&content_); }
  const std::string* as_string() const { return std::get_if<std::string>(&content_); }
  const json_array* as_array() const { return std::get_if<json_array>(&content_); }
  json_array* as_array() { return std::get_if<json_array>(&content_); }
  const json_object* as_object() const { return std::get_if<json_object>(&content_); }
  json_object* as_object() { return std::get_if<json_object>(&content_); }

  /// Returns the member `key` of an object, or null: also when this is no object.
  const json_value* find(std::string_view key) const;

private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, json_array, json_object>
      content_;
};

/// Parses one JSON text. Of a double key the last wins. Fails with `errc::malformed` and the byte
/// where reading stopped, on: anything RFC 8259 refuses, invalid UTF-8, nesting past 32, more than
/// `json_members_max` members in an object, numbers
/// that are neither 64-bit integers nor finite doubles.
caf::expected<json_value> parse_json(std::string_view text);

/// Returns `value` as one line without spaces. A double that is not finite is written as null.
std::string to_json(const json_value& value);

/// Appends what `to_json` returns.
void append_json(std::string& out, const json_value& value);

} // namespace trunkline
