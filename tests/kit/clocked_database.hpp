/// A database whose server has a clock and an identity of the test's own, and can be away.
///
/// Both stand in a table, so that every connection sees the same and statements keep their text.
#pragma once

#include "storage/database.hpp"
#include "tests/kit/both_databases.hpp"

#include <functional>
#include <string_view>

namespace trunkline::kit {

/// Makes the clock's table in `db`; call it once per database.
inline void make_test_clock(database& db, time_point now) {
  must(db.run("CREATE TABLE test_clock(one BIGINT PRIMARY KEY, moment BIGINT NOT NULL,"
              " server TEXT NOT NULL)"));
  must(db.run("INSERT INTO test_clock(one, moment, server) VALUES (1, $1, 'first')", {now}));
}

inline void set_test_clock(database& db, time_point now) {
  must(db.run("UPDATE test_clock SET moment = $1", {now}));
}

inline void set_test_server(database& db, std::string_view server) {
  must(db.run("UPDATE test_clock SET server = $1", {server}));
}

class clocked_database final : public database {
public:
  /// `inner` must outlive this and have the clock's table.
  explicit clocked_database(database& inner) : inner_{inner} {}

  /// Asked before each statement and transaction; what it returns is what they fail with.
  std::function<caf::error()> on_call;
  /// Asked after each that has changed something: its answer is lost with what this returns.
  std::function<caf::error()> on_answer;

  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override {
    if (auto failure = ask(on_call))
      return failure;
    auto result = inner_.run(sql, values);
    if (depth_ == 0 && result && result->rows_written > 0)
      if (auto lost = ask(on_answer))
        return lost;
    return result;
  }

  caf::error transact(const std::function<caf::error(database&)>& body) override {
    if (auto failure = ask(on_call))
      return failure;
    ++depth_;
    auto failure = inner_.transact([&](database&) { return body(*this); });
    --depth_;
    return failure || depth_ > 0 ? failure : ask(on_answer);
  }

  caf::expected<commit_receipt> commit_batch(
      std::int64_t id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    if (auto failure = ask(on_call))
      return failure;
    return inner_.commit_batch(id, now, fence, body);
  }

  std::int64_t rows_written() const override { return inner_.rows_written(); }
  std::string_view key_type() const override { return inner_.key_type(); }
  std::string_view now_sql() const override { return "(SELECT moment FROM test_clock)"; }
  std::string_view server_sql() const override { return "(SELECT server FROM test_clock)"; }
  std::string_view lock_sql(row_lock lock) const override { return inner_.lock_sql(lock); }
  std::string_view dialect() const override { return inner_.dialect(); }

private:
  static caf::error ask(const std::function<caf::error()>& question) {
    return question ? question() : caf::error{};
  }

  database& inner_;
  int depth_ = 0; ///< Open transactions.
};

} // namespace trunkline::kit
