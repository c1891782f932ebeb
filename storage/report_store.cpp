#include "storage/report_store.hpp"

#include "protocol/json.hpp"

namespace trunkline {

namespace {

constexpr auto columns = "SELECT id, reporter, target, post_ids, category, comment, forwarded, uri,"
                         " at, resolved_at FROM report WHERE ";

std::string to_text(const std::vector<post_id>& posts) {
  auto ids = json_array{};
  for (const auto post : posts)
    ids.emplace_back(post.value);
  return to_json(std::move(ids));
}

std::vector<post_id> posts_of(const std::string& text) {
  auto posts = std::vector<post_id>{};
  const auto parsed = parse_json(text);
  if (const auto* ids = parsed ? parsed->as_array() : nullptr)
    for (const auto& id : *ids)
      if (const auto* number = id.as_int())
        posts.push_back({*number});
  return posts;
}

report report_of(const sql_row& row) {
  return {.id = row[0].integer(),
          .reporter = row[1].id<account_id>(),
          .target = row[2].id<account_id>(),
          .posts = posts_of(row[3].text()),
          .category = row[4].text(),
          .comment = row[5].text(),
          .forwarded = row[6].flag(),
          .uri = row[7].optional_text(),
          .at = row[8].time(),
          .resolved_at = row[9].optional_time()};
}

} // namespace

caf::expected<bool> insert_report(database& db, const report& row) {
  auto made = db.run("INSERT INTO report(id, reporter, target, post_ids, category, comment,"
                     " forwarded, uri, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                     " ON CONFLICT (uri) DO NOTHING",
                     {row.id, row.reporter, row.target, to_text(row.posts), row.category,
                      row.comment, row.forwarded, row.uri, row.at});
  if (!made)
    return std::move(made.error());
  return made->rows_written > 0;
}

caf::expected<report> find_report(database& db, std::int64_t id) {
  const auto found = db.run(std::string{columns} + "id = $1", {id});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::not_found, "Record not found");
  return report_of(found->rows[0]);
}

caf::expected<std::vector<report>> list_reports(database& db, bool open, std::int64_t max_id,
                                                std::int64_t limit) {
  auto sql = std::string{columns} + (open ? "resolved_at IS NULL" : "resolved_at IS NOT NULL");
  auto values = std::vector<sql_value>{limit};
  if (max_id) {
    sql += " AND id < $2";
    values.emplace_back(max_id);
  }
  const auto found = db.run(sql + " ORDER BY id DESC LIMIT $1", values);
  if (!found)
    return found.error();
  auto reports = std::vector<report>{};
  for (const auto& row : found->rows)
    reports.push_back(report_of(row));
  return reports;
}

caf::expected<bool> resolve_report(database& db, std::int64_t id,
                                   std::optional<time_point> resolved_at) {
  auto changed = db.run("UPDATE report SET resolved_at = $2 WHERE id = $1"
                        " AND (resolved_at IS NULL) <> (CAST($2 AS BIGINT) IS NULL)",
                        {id, resolved_at});
  if (!changed)
    return std::move(changed.error());
  return changed->rows_written > 0;
}

} // namespace trunkline
