/// A database that counts what its statements give, and notes how they are planned.
#pragma once

#include "storage/database.hpp"
#include "tests/kit/both_databases.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::kit {

inline std::string text_of_plan(const std::vector<sql_row>& rows) {
  auto text = std::string{};
  for (const auto& row : rows)
    text += row.back().text() + "\n";
  return text;
}

class counting_database : public database {
public:
  explicit counting_database(database& inner) : inner_{inner} {}

  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override {
    if (explains) {
      const auto words = dialect() == "sqlite" ? "EXPLAIN QUERY PLAN " : "EXPLAIN ";
      plans += text_of_plan(must(inner_.run(words + std::string{sql}, values)).rows);
    }
    auto result = inner_.run(sql, values);
    ++statements;
    rows += result ? result->rows.size() : 0;
    return result;
  }
  caf::error transact(const std::function<caf::error(database&)>& body) override {
    return inner_.transact(body);
  }
  caf::expected<commit_receipt> commit_batch(
      std::int64_t id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    return inner_.commit_batch(id, now, fence, body);
  }
  std::int64_t rows_written() const override { return inner_.rows_written(); }
  std::string_view key_type() const override { return inner_.key_type(); }
  std::string_view now_sql() const override { return inner_.now_sql(); }
  std::string_view server_sql() const override { return inner_.server_sql(); }
  std::string_view lock_sql(row_lock lock) const override { return inner_.lock_sql(lock); }
  std::string_view dialect() const override { return inner_.dialect(); }

  bool explains = false;
  std::string plans;
  std::size_t rows = 0;
  std::size_t statements = 0;

private:
  database& inner_;
};

} // namespace trunkline::kit
