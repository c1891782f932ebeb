/// A database that fails at the n-th call, and the walk over every n of a store's operation.
///
/// Counted are: each `run` (it fails before it reaches the database); the begin and the commit of
/// each `transact` and `commit_batch`, two calls. A failed begin runs nothing; a failed commit has
/// run the body and rolls it back, but with `errc::commit_unknown`, the change is made and only the
/// answer is lost.
///
///     auto failing = kit::failing_database{fresh.db()};
///     failing.fail_at(3, errc::storage_busy, kit::failing::once);
#pragma once

#include "tests/kit/both_databases.hpp"

#include <cstddef>
#include <functional>

namespace trunkline::kit {

enum class failing { once, for_ever };

class failing_database final : public database {
public:
  /// `inner` must outlive this.
  explicit failing_database(database& inner) : inner_{inner} {}

  /// Lets the `call`-th call from now on, counted from 1, fail with `code`.
  void fail_at(std::size_t call, errc code, failing how);
  /// Lets everything succeed again.
  void heal() { fail_at(0, errc::unavailable, failing::once); }
  /// Tells how many calls there were since `fail_at`.
  std::size_t calls() const { return call_; }
  /// Tells how many calls have failed since `fail_at`.
  std::size_t failed() const { return failed_; }

  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override;
  caf::error transact(const std::function<caf::error(database&)>& body) override;
  caf::expected<commit_receipt> commit_batch(
      std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override;
  std::int64_t rows_written() const override { return inner_.rows_written(); }
  std::string_view key_type() const override { return inner_.key_type(); }
  std::string_view now_sql() const override { return inner_.now_sql(); }
  std::string_view server_sql() const override { return inner_.server_sql(); }
  std::string_view lock_sql(row_lock lock) const override { return inner_.lock_sql(lock); }
  std::string_view dialect() const override { return inner_.dialect(); }

private:
  /// Counts a call; returns its failure when it is the one.
  caf::error next_call();
  bool answer_is_lost(const caf::error& failure) const;

  database& inner_;
  std::size_t call_ = 0;
  std::size_t fail_at_ = 0;
  std::size_t failed_ = 0;
  errc code_ = errc::unavailable;
  failing how_ = failing::once;
  std::vector<caf::error> levels_; ///< What made each open level fail, as the real ones keep it.
};

/// Runs `operation` in a transaction on `db` again and again, failing at its first call, its
/// second, and so on, once and then for ever, until it succeeds untouched. Requires of each failed
/// run that it reports that very failure and that no table has changed. Returns how many calls the
/// untouched run made; its change stays.
std::size_t walk_every_n(database& db, const std::function<caf::error(database&)>& operation,
                         errc code = errc::storage_busy);

} // namespace trunkline::kit
