/// Connections and batches for the tests of PostgreSQL.
#pragma once

#include "storage/postgres_database.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/hang_up.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline::kit {

using drafts = std::vector<log_draft>;

inline std::unique_ptr<database> opened(const std::string& where,
                                        const postgres_options& options = {}) {
  return must(open_postgres(where, options));
}

/// Gives up in parts of a second what a node gives up in seconds.
inline postgres_options in_a_hurry() {
  const auto watch = std::make_shared<answer_watch>(hang_up);
  watch->begin();
  return {.watch = watch,
          .answer_max = std::chrono::milliseconds{300},
          .commit_max = std::chrono::milliseconds{300},
          .connect_max = std::chrono::milliseconds{300},
          .outcome_max = std::chrono::seconds{1}};
}

/// Commits one post's row and a setting with the batch id as its name.
inline caf::expected<commit_receipt> commit(database& db, std::int64_t batch,
                                            std::optional<write_fence> fence = {}) {
  return db.commit_batch(batch, {}, fence, [&](database& open) -> caf::expected<drafts> {
    auto row = open.run("INSERT INTO setting(name) VALUES ($1)", {std::to_string(batch)});
    if (!row)
      return row.error();
    return drafts{{.author = account_id{1}, .object = {object_kind::post, 0, batch}}};
  });
}

inline std::vector<std::string> settings_in(database& db) {
  return rows_of(db.run("SELECT name FROM setting ORDER BY name"));
}

} // namespace trunkline::kit
