#include "storage/role_timeouts.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

namespace trunkline {

namespace {

struct role_timeout {
  std::string_view name;
  std::chrono::seconds max;
};

constexpr auto needed = std::to_array<role_timeout>({
    {"idle_in_transaction_session_timeout", std::chrono::seconds{1}},
    {"lock_timeout", std::chrono::seconds{2}},
    {"statement_timeout", std::chrono::seconds{5}},
});

/// A value of 0 is none.
bool is_well(const role_timeout& one, std::chrono::milliseconds value) {
  return value.count() > 0 && value <= one.max;
}

std::string statement_for(const role_timeout& one, const std::string& role) {
  return "ALTER ROLE " + role + " SET " + std::string{one.name} + " = '" +
         std::to_string(one.max.count()) + "s';";
}

} // namespace

caf::expected<std::vector<std::string>> missing_role_timeouts(database& db) {
  const auto found =
      db.run("SELECT name, CAST(setting AS BIGINT), quote_ident(session_user) FROM pg_settings"
             " WHERE name IN ($1, $2, $3)",
             {needed[0].name, needed[1].name, needed[2].name});
  if (!found)
    return found.error();
  auto statements = std::vector<std::string>{};
  for (const auto& one : needed) {
    const auto row = std::ranges::find_if(
        found->rows, [&one](const sql_row& each) { return each[0].text() == one.name; });
    if (row != found->rows.end() && !is_well(one, std::chrono::milliseconds{(*row)[1].integer()}))
      statements.push_back(statement_for(one, (*row)[2].text()));
  }
  return statements;
}

} // namespace trunkline
