/// Where a post went, and what went wrong on the way: for operators.
#pragma once

#include "protocol/delivery_unit.hpp"
#include "protocol/host_address.hpp"
#include "protocol/host_facts.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// A row of the log about a post.
struct post_row {
  log_seq seq = 0;
  log_kind kind = log_kind::create;
  time_point at;
  delivery_class cls = delivery_class::bulk;
  bool is_public = true;
  std::int64_t endpoints = 0; ///< That it is owed to.
};

/// A row of the post, owed to one endpoint.
struct post_unit {
  log_seq seq = 0;
  endpoint_id endpoint;
  std::string url; ///< The inbox.
  /// While it waits apart, or is a dead letter. Nothing: the books know whether it is open.
  std::optional<delivery_exception> exception;
};

/// A host that is owed rows of the post.
struct post_host {
  host_id id;
  host_address address;
  std::vector<post_unit> units; ///< By row and endpoint.
};

struct post_deliveries {
  account_id author;
  std::vector<post_row> rows; ///< Those that the log still has, in order.
  std::int64_t hosts = 0;     ///< All of them, not of the page alone, like the three below.
  std::int64_t units = 0;
  std::int64_t exceptions = 0; ///< Units that wait apart.
  std::int64_t dead = 0;
  std::vector<post_host> page; ///< By id.
};

/// Which part of the hosts is wanted: at most `limit`, those after host `after`.
struct post_deliveries_wish {
  post_id post;
  host_id after;
  std::size_t limit = 100;
};

/// Rows of one post that are looked at, the newest of them.
inline constexpr std::size_t post_rows_max = 100;

/// Finds whom a post is owed to, by the rule of dispatch. A deleted post is found by its Delete; a
/// boost by its own id. Fails with `not_found` when neither is known.
caf::expected<post_deliveries> find_post_deliveries(database& db, const post_deliveries_wish& wish);

/// A unit that was given up.
struct dead_letter {
  host_id host;
  host_address address;
  std::string url; ///< The inbox.
  delivery_exception row;
  log_kind kind = log_kind::create;
  delivery_class cls = delivery_class::bulk;
  account_id author;
  std::string author_name; ///< "" when the account is gone.
  time_point at;           ///< When the activity was written.
};

/// Which dead letters are wanted: newest first, those after `after`; of all hosts, or of one.
struct dead_letter_wish {
  std::optional<host_id> host;
  std::optional<unit_key> after;
  std::size_t limit = 100;
};
caf::expected<std::vector<dead_letter>> list_dead_letters(database& db,
                                                          const dead_letter_wish& wish);

} // namespace trunkline
