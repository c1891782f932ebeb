#include "storage/postgres_error.hpp"

#include "storage/database.hpp"

#include <pqxx/except>

#include <exception>
#include <string>

namespace trunkline {

namespace {

std::string first_line(std::string_view text) {
  return std::string{text.substr(0, text.find('\n'))};
}

/// "Key (author, uri)=(1, x) already exists." gives "post.author, post.uri", as SQLite says it.
std::string columns_in(std::string_view message, std::string_view table) {
  const auto end = message.find(")=(");
  const auto begin = message.rfind('(', end == std::string_view::npos ? 0 : end - 1);
  if (end == std::string_view::npos || begin == std::string_view::npos)
    return first_line(message);
  auto names = message.substr(begin + 1, end - begin - 1);
  auto columns = std::string{};
  while (!names.empty()) {
    const auto name = names.substr(0, names.find(", "));
    columns += (columns.empty() ? "" : ", ") + std::string{table} + "." + std::string{name};
    names.remove_prefix(std::min(names.size(), name.size() + 2));
  }
  return columns;
}

bool is_one_of(std::string_view state, std::initializer_list<std::string_view> states) {
  for (const auto each : states)
    if (state == each)
      return true;
  return false;
}

errc meaning_of(std::string_view state) {
  if (state.starts_with("08") || is_one_of(state, {"57P01", "57P02", "57P03", "57P04", "53300"}))
    return errc::unavailable;
  // A read-only server is a standby that is not promoted yet.
  if (is_one_of(state, {"25006", "25P03"}))
    return errc::unavailable;
  // Locks, statement_timeout, deadlock, serialization, memory; 26000 and 42P05: a pooler gave us
  // another server's session, which knows other prepared statements.
  if (is_one_of(state,
                {"55P03", "57014", "40P01", "40001", "40003", "53000", "53200", "26000", "42P05"}))
    return errc::storage_busy;
  if (state == "53100")
    return errc::storage_full;
  if (state == "22021") // not in the server's encoding
    return errc::invalid;
  if (is_one_of(state, {"58030", "XX001", "XX002"}))
    return errc::storage_broken;
  return errc::storage_refused;
}

caf::error named(errc code, std::string_view what) {
  return make_error(code, "database: " + first_line(what));
}

} // namespace

caf::error postgres_failure(std::string_view table) {
  try {
    throw;
  } catch (const pqxx::unique_violation& thrown) {
    return make_error(errc::unique_violation, columns_in(thrown.what(), table));
  } catch (const pqxx::sql_error& thrown) {
    if (thrown.sqlstate() == fence_state)
      return fence_refusal();
    return named(meaning_of(thrown.sqlstate()), thrown.what());
  } catch (const pqxx::transaction_rollback& thrown) {
    return named(errc::storage_busy, thrown.what());
  } catch (const pqxx::broken_connection& thrown) {
    return named(errc::unavailable, thrown.what());
  } catch (const std::bad_alloc&) {
    return make_error(errc::storage_busy, "database: out of memory");
  } catch (const std::exception& thrown) {
    return named(errc::storage_refused, thrown.what());
  }
}

caf::error postgres_connect_failure() {
  constexpr auto harmless = std::string_view{"connection to server "};
  try {
    throw;
  } catch (const std::exception& thrown) {
    const auto what = std::string_view{thrown.what()};
    return what.starts_with(harmless)
               ? named(errc::unavailable, what)
               : make_error(errc::unavailable,
                            "database: the connection string does not lead to one");
  }
}

} // namespace trunkline
