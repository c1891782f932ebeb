/// A transaction that gives a value.
#pragma once

#include "storage/database.hpp"

#include <optional>
#include <utility>

namespace trunkline {

/// Runs `body` as `database::transact` does and returns what it gave.
template <class T, class Body>
caf::expected<T> in_transaction(database& db, Body body) {
  auto result = std::optional<T>{};
  auto failure = db.transact([&](database& open) -> caf::error {
    caf::expected<T> made = body(open);
    if (!made)
      return std::move(made.error());
    result = std::move(*made);
    return {};
  });
  if (failure)
    return failure;
  return std::move(*result);
}

} // namespace trunkline
