#include "storage/sql_connection.hpp"

#include <exception>

namespace trunkline {

namespace {

/// Runs what a caller handed in; an exception of it must not pass through the open transaction.
caf::error guarded(const std::function<caf::error(database&)>& body, database& db) {
  try {
    return body(db);
  } catch (const std::exception& thrown) {
    return make_error(errc::crashed, std::string{"transaction: "} + thrown.what());
  }
}

} // namespace

caf::expected<sql_result> sql_connection::run(std::string_view sql,
                                              std::span<const sql_value> values) {
  if (in_transaction() && failures_.back())
    return failures_.back();
  auto result = execute(sql, values);
  if (!result)
    note(result.error());
  else
    count_written(result->rows_written);
  return result;
}

caf::error sql_connection::transact(const std::function<caf::error(database&)>& body) {
  if (auto failure = open_with(body))
    return failure;
  return close_level();
}

caf::error sql_connection::open_with(const std::function<caf::error(database&)>& body) {
  if (in_transaction() && failures_.back())
    return failures_.back();
  if (auto failure = enter())
    return failure;
  auto failure = guarded(body, *this);
  if (!failure)
    failure = failures_.back();
  if (failure)
    abandon();
  return failure;
}

caf::error sql_connection::close_level() {
  auto failure = leave();
  if (failure) {
    note(failure);
    abandon();
    return failure;
  }
  failures_.pop_back();
  return {};
}

caf::error sql_connection::enter() {
  auto failure = in_transaction() ? open_savepoint(failures_.size()) : begin();
  if (failure)
    note(failure);
  else
    failures_.emplace_back();
  return failure;
}

caf::error sql_connection::leave() {
  const auto depth = failures_.size() - 1;
  return depth == 0 ? commit() : release_savepoint(depth);
}

void sql_connection::abandon() {
  const auto depth = failures_.size() - 1;
  failures_.pop_back();
  if (depth == 0)
    roll_back();
  else if (auto failure = roll_back_savepoint(depth))
    note(failure);
}

void sql_connection::note(const caf::error& failure) {
  if (!in_transaction())
    return;
  if (!failures_.back())
    failures_.back() = failure;
  if (!transaction_lost())
    return;
  for (auto& level : failures_)
    if (!level)
      level = failure;
}

} // namespace trunkline
