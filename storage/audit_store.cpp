#include "storage/audit_store.hpp"

#include <algorithm>
#include <limits>

namespace trunkline {

namespace {

constexpr auto tries_max = 16; ///< For an id that another writer took.

/// Returns the beginning of `text` that may be stored, up to a whole character.
std::string cut(const std::string& text) {
  auto length = std::min(text.size(), audit_text_max);
  while (length < text.size() && length > 0 && (text[length] & 0xc0) == 0x80)
    --length;
  return text.substr(0, length);
}

} // namespace

caf::expected<std::int64_t> add_audit(database& db, const audit_entry& entry) {
  for (auto tries = 0; tries < tries_max; ++tries) {
    // Waits for a writer elsewhere that takes the same id, and then finds it taken.
    auto added = db.run("INSERT INTO audit(id, at, who, action, target, reason, detail)"
                        " SELECT coalesce(max(id), 0) + 1, CAST($1 AS BIGINT), CAST($2 AS TEXT),"
                        " CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT)"
                        " FROM audit WHERE true ON CONFLICT (id) DO NOTHING RETURNING id",
                        {entry.at, cut(entry.who), cut(entry.action), cut(entry.target),
                         cut(entry.reason), cut(entry.detail)});
    if (!added)
      return std::move(added.error());
    if (!added->rows.empty())
      return added->rows[0][0].integer();
  }
  return make_error(errc::storage_busy, "audit: too many write at once");
}

caf::expected<std::vector<audit_entry>> list_audit(database& db, std::int64_t before,
                                                   std::size_t limit, const std::string& target) {
  auto text = std::string{"SELECT id, at, who, action, target, reason, detail FROM audit"
                          " WHERE id < $1"};
  auto values =
      std::vector<sql_value>{before > 0 ? before : std::numeric_limits<std::int64_t>::max(),
                             static_cast<std::int64_t>(limit)};
  if (!target.empty()) {
    text += " AND target = $3";
    values.emplace_back(target);
  }
  auto found = db.run(text + " ORDER BY id DESC LIMIT $2", values);
  if (!found)
    return std::move(found.error());
  auto entries = std::vector<audit_entry>{};
  for (const auto& row : found->rows)
    entries.push_back({.id = row[0].integer(),
                       .at = row[1].time(),
                       .who = row[2].text(),
                       .action = row[3].text(),
                       .target = row[4].text(),
                       .reason = row[5].text(),
                       .detail = row[6].text()});
  return entries;
}

} // namespace trunkline
