/// What the node answered, as people read it: tables and pages on stdout.
#pragma once

#include "protocol/json.hpp"

#include <span>
#include <string>
#include <string_view>

namespace trunkline {

/// A column of a table, or a line of a page: its heading and the member it shows.
struct shown_member {
  std::string_view heading;
  std::string_view key;
};

/// Returns `text` without what a terminal would obey: others may have sent it.
std::string without_controls(std::string text);

/// Returns a member as a person reads it: "-" for none, times without fractions.
std::string shown(const json_value& object, std::string_view key);

/// Returns the list under `key`, or an empty one.
const json_array& list_in(const json_value& page, std::string_view key);

void print_table(std::span<const shown_member> columns, const json_array& rows);

/// Prints a line for each of `lines` that `object` has.
void print_lines(std::span<const shown_member> lines, const json_value& object);

/// Prints the answer itself, or as a table of the list under `key`.
void print_list(const json_value& answer, bool as_json, std::span<const shown_member> columns,
                std::string_view key);

} // namespace trunkline
