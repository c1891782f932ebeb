#include "storage/account_store.hpp"

#include "protocol/names.hpp"

namespace trunkline {

caf::expected<std::optional<login_subject>> find_login(database& db, const std::string& name) {
  const auto found = db.run("SELECT id, password_hash, disabled_at FROM account"
                            " WHERE host_id IS NULL AND deleted_at IS NULL"
                            " AND (folded = $1 OR email = $1) ORDER BY folded <> $1 LIMIT 1",
                            {fold_name(name)});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<login_subject>{};
  const auto& row = found->rows.front();
  return std::optional{login_subject{.account = row[0].id<account_id>(),
                                     .password_hash = row[1].is_null() ? "" : row[1].text(),
                                     .disabled = !row[2].is_null()}};
}

caf::expected<std::optional<bool>> is_disabled(database& db, account_id account) {
  const auto found = db.run("SELECT disabled_at FROM account"
                            " WHERE id = $1 AND host_id IS NULL AND deleted_at IS NULL",
                            {account});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<bool>{};
  return std::optional{!found->rows.front()[0].is_null()};
}

} // namespace trunkline
