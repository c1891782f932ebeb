/// Structured field values of HTTP (RFC 9651, and with it RFC 8941): read and written.
///
/// Plain values; any thread. Several lines of one field are joined with ", " before they are read.
#pragma once

#include <caf/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace trunkline {

/// Members of one list, inner list, dictionary or set of parameters; more are refused.
inline constexpr std::size_t structured_members_max = 1024;

struct structured_token {
  std::string text;
  bool operator==(const structured_token&) const = default;
};

struct structured_bytes {
  std::string bytes;
  bool operator==(const structured_bytes&) const = default;
};

/// Seconds since 1970, in 15 digits.
struct structured_date {
  std::int64_t seconds = 0;
  bool operator==(const structured_date&) const = default;
};

/// A text in UTF-8.
struct display_string {
  std::string text;
  bool operator==(const display_string&) const = default;
};

/// An integer has 15 digits, a decimal 12 and three behind the point; a string is printable ASCII.
using bare_item = std::variant<std::int64_t, double, std::string, structured_token,
                               structured_bytes, bool, structured_date, display_string>;

/// In the order in which each key came first; of a double key the last value counts.
using structured_parameters = std::vector<std::pair<std::string, bare_item>>;

struct structured_item {
  bare_item value;
  structured_parameters parameters;
  bool operator==(const structured_item&) const = default;
};

struct inner_list {
  std::vector<structured_item> items;
  structured_parameters parameters;
  bool operator==(const inner_list&) const = default;
};

using structured_member = std::variant<structured_item, inner_list>;
using structured_list = std::vector<structured_member>;

/// Ordered like parameters.
using structured_dictionary = std::vector<std::pair<std::string, structured_member>>;

/// Each reads a whole field value. Fails with `errc::malformed` on what the RFC refuses; on base64
/// that is not in its one padded form, although the RFC would rather have it taken: a signature
/// that can be written in two ways would survive a change; past `structured_members_max`.
caf::expected<structured_item> parse_structured_item(std::string_view text);
caf::expected<structured_list> parse_structured_list(std::string_view text);
caf::expected<structured_dictionary> parse_structured_dictionary(std::string_view text);

/// Each writes the one canonical form; "" for a list or dictionary without members, whose field is
/// left out. Fails with `errc::invalid` where a value cannot be written: a number too large, a
/// string that is not printable ASCII, a token or key that is none, a text that is not UTF-8.
caf::expected<std::string> write_structured(const structured_item& item);
caf::expected<std::string> write_structured(const inner_list& list);
caf::expected<std::string> write_structured(const structured_list& list);
caf::expected<std::string> write_structured(const structured_dictionary& members);

/// Returns the value of `key`, or null.
const bare_item* find_parameter(const structured_parameters& parameters, std::string_view key);

/// Returns the member `key`, or null.
const structured_member* find_member(const structured_dictionary& members, std::string_view key);

} // namespace trunkline
