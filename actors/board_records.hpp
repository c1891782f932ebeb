/// What nodes ask each other about the hosts that each of them delivers to, and what they answer.
///
/// Pure code. Readers take bytes of a peer: every value is checked, and numbers are bounded, so
/// that what several nodes have said can be added up.
#pragma once

#include "actors/dispatcher_messages.hpp"
#include "actors/host_board.hpp"
#include "actors/watchdog.hpp"
#include "protocol/host_address.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trunkline {

/// Lines of hosts in one answer.
inline constexpr std::size_t board_lines_max = 10'000;

/// Asks for everything that is told of delivery as a whole.
struct ask_overview {
  time_point now; ///< Of who asks: the worst are chosen as of then.
};

/// Asks for the lines of some hosts; those that are not there are left out.
struct ask_lines {
  std::vector<host_address> hosts;
};

/// For `flush_books` the answer is empty, and comes when the database has the books.
struct board_question {
  std::variant<host_list_wish, ask_overview, ask_lines, flush_books, ask_open_units> what;
};

/// A kind of place for requests; see `delivery_budget`.
struct budget_line {
  std::string kind; ///< "healthy"
  std::int64_t limit = 0;
  std::int64_t in_use = 0;
  std::int64_t waiting = 0;

  friend bool operator==(const budget_line&, const budget_line&) = default;
};

/// To `ask_overview`.
struct board_overview {
  host_totals totals;
  std::vector<host_line> worst; ///< That need attention, the worst first.
  std::vector<budget_line> budgets;
  std::vector<stuck_actor> stuck; ///< The longest first.
};

/// To `ask_open_units`.
struct books_standing {
  std::vector<bool> open;           ///< In the order of the questions.
  log_seq dispatched = 0;           ///< Later rows were not given to anybody yet.
  std::vector<host_line> cancelled; ///< Hosts with units that operators have cancelled.
};

struct books_flushed {};

/// An answer to the question of the same place; lines are those of a list, or by address.
struct board_answer {
  std::variant<std::vector<host_line>, board_overview, books_flushed, books_standing> what;
};

std::string encode(const board_question& question);
std::string encode(const board_answer& answer);

/// Fail with `errc::malformed`.
caf::expected<board_question> decode_board_question(std::string_view bytes);
caf::expected<board_answer> decode_board_answer(std::string_view bytes);

} // namespace trunkline
