/// One operation of the admin API: its row of the route table and what its description says. Both
/// come from one table, so that no route is without a description.
#pragma once

#include "api/route.hpp"

#include <array>
#include <span>
#include <string_view>

namespace trunkline {

/// A field of a request's body or query.
struct admin_field {
  std::string_view name; ///< "" ends the list.
  std::string_view help;
  bool required = false;
  std::string_view type = "string"; ///< As in JSON Schema.
};

inline constexpr std::size_t admin_fields_max = 5;

struct admin_operation {
  route row;
  std::string_view name; ///< Unique: "create_account".
  std::string_view summary;
  int success = 200;
  std::array<std::string_view, 2> segments = {};         ///< Names of the `{}`, in order.
  std::array<admin_field, admin_fields_max> fields = {}; ///< Of the body, or of a GET's query.
  std::string_view content_type = "application/json";
  /// An action of operators: takes `dry_run` in the query, `reason`, and an Idempotency-Key.
  bool is_action = false;
};

/// Returns the path of the description: "/admin/v1/accounts/{account}:disable".
std::string described_path(const admin_operation& operation);

/// Returns the OpenAPI 3.1 document that has every operation of `table`.
std::string openapi_document(std::span<const admin_operation> table, std::string_view version);

} // namespace trunkline
