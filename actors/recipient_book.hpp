/// Who a row of the log is owed to: audiences and endpoints as they were read, for a while.
///
/// Not thread-safe.
#pragma once

#include "protocol/log_entry.hpp"
#include "storage/delivery_store.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace trunkline {

/// What must be read before some rows can be expanded.
struct missing_recipients {
  std::vector<audience_id> audiences;
  std::vector<endpoint_id> endpoints;
  std::vector<account_id> authors; ///< Whose present followers decide.

  bool empty() const { return audiences.empty() && endpoints.empty() && authors.empty(); }
};

/// What was read.
struct found_recipients {
  std::map<audience_id, std::vector<endpoint_id>> audiences;
  std::vector<endpoint_on_host> endpoints;
  std::map<account_id, std::vector<endpoint_id>> present;
};

/// Reads what is missing. An audience that is gone has nobody.
caf::expected<found_recipients> read_recipients(database& db, const missing_recipients& wanted);

class recipient_book {
public:
  /// Holds at most `ids_max` endpoints, in audiences or by themselves, and those of one batch.
  explicit recipient_book(std::size_t ids_max = 1'000'000) : ids_max_{ids_max} {}

  /// Forgets all when it is full, or `clear` says so. Between two batches.
  void make_room();

  /// Returns what `rows` need and is not here. Followers of the present are never here: they are
  /// asked for anew with each row that is not public.
  missing_recipients missing_for(const std::vector<log_entry>& rows) const;

  void put(const missing_recipients& wanted, const found_recipients& found);
  void clear();

  /// Puts the endpoints that `row` is owed to into `owed`, by id, each once; those that no longer
  /// exist are left out.
  void of(const log_entry& row, const std::map<account_id, std::vector<endpoint_id>>& present,
          std::vector<const endpoint_on_host*>& owed) const;

private:
  std::size_t ids_max_;
  std::size_t ids_ = 0;
  std::unordered_map<audience_id, std::vector<endpoint_id>> audiences_;
  std::unordered_map<endpoint_id, std::optional<endpoint_on_host>> endpoints_;
};

} // namespace trunkline
