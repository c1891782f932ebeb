/// What `trunkline top` shows: the totals, the hosts that need attention, the worst hosts. Pure
/// text from the admin API's answers; one thread.
#pragma once

#include "protocol/json.hpp"
#include "protocol/time.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace trunkline {

/// What the person at the terminal has chosen.
struct top_choice {
  std::string sort = "backlog"; ///< A word of `top_sorts`.
  std::string search;           ///< Part of a host's name; "" for all.
  std::size_t selected = 0;     ///< A row of the list.
  bool is_typing = false;       ///< The search is being typed.
  std::string said;             ///< The last line: what an order came to.
};

inline constexpr std::size_t top_hosts_max = 25;
inline constexpr std::string_view top_sorts[] = {"backlog", "oldest", "failures", "latency"};

/// Returns the sort after `sort`, round and round.
std::string next_sort(const std::string& sort);

/// Returns the names of the hosts of an answer, in its order; at most `top_hosts_max`.
std::vector<std::string> names_in(const json_value& hosts);

/// Tells whether the host is paused, by the same answer.
bool is_paused_in(const json_value& hosts, std::size_t index);

/// One line of a frame.
struct top_line {
  std::string text; ///< Printable, at most as wide as the screen.
  bool is_selected = false;
  bool is_title = false;
};

/// Returns at most `height` lines of at most `width` letters. `delivery` and `hosts` are the
/// answers of /admin/v1/delivery and /admin/v1/hosts.
std::vector<top_line> draw_top(const json_value& delivery, const json_value& hosts,
                               const top_choice& choice, time_point now, std::size_t width,
                               std::size_t height);

} // namespace trunkline
