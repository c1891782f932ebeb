#include "kit/crashing_database.hpp"

#include "storage/sqlite_database.hpp"
#include "tests/kit/both_databases.hpp"

#include <utility>

namespace trunkline::kit {

namespace {

/// Hands everything to a connection that others use too.
class shared_database : public database {
public:
  explicit shared_database(std::shared_ptr<database> inner) : inner_{std::move(inner)} {}

  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override {
    return inner_->run(sql, values);
  }
  caf::error transact(const std::function<caf::error(database&)>& body) override {
    return inner_->transact(body);
  }
  caf::expected<commit_receipt> commit_batch(
      std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    return inner_->commit_batch(batch_id, now, fence, body);
  }
  std::int64_t rows_written() const override { return inner_->rows_written(); }
  std::string_view key_type() const override { return inner_->key_type(); }
  std::string_view now_sql() const override { return inner_->now_sql(); }
  std::string_view server_sql() const override { return inner_->server_sql(); }
  std::string_view lock_sql(row_lock lock) const override { return inner_->lock_sql(lock); }
  std::string_view dialect() const override { return inner_->dialect(); }

protected:
  std::shared_ptr<database> inner_;
};

class crashing_database final : public shared_database {
public:
  crashing_database(std::shared_ptr<database> inner, std::shared_ptr<commit_faults> faults)
      : shared_database{std::move(inner)}, faults_{std::move(faults)} {}

  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override {
    if (auto failure = next_statement())
      return failure;
    return inner_->run(sql, values);
  }

  caf::error transact(const std::function<caf::error(database&)>& body) override {
    if (auto failure = next_statement())
      return failure;
    return inner_->transact([&](database&) { return body(*this); });
  }

  caf::expected<commit_receipt> commit_batch(
      std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    if (faults_->is_broken || faults_->is_dead)
      return broken();
    const auto fault = faults_->next ? faults_->next() : commit_fault::none;
    if (fault == commit_fault::refused)
      return make_error(errc::storage_busy, "database: locked");
    dies_in_ = fault == commit_fault::killed ? std::optional{faults_->killed_at} : std::nullopt;
    auto receipt = inner_->commit_batch(
        batch_id, now, fence, [&](database&) -> caf::expected<std::vector<log_draft>> {
          auto drafts = body(*this);
          if (drafts && fault == commit_fault::undone)
            return make_error(errc::storage_full, "database: no space left");
          if (fault == commit_fault::broken)
            return broken();
          if (fault == commit_fault::killed)
            return die();
          return drafts;
        });
    dies_in_.reset();
    return receipt ? after(fault, *receipt) : receipt;
  }

private:
  caf::error broken() {
    faults_->is_broken = true;
    return make_error(errc::storage_broken, "database: input/output error");
  }

  caf::error die() {
    if (!std::exchange(faults_->is_dead, true) && faults_->on_killed)
      faults_->on_killed();
    return broken();
  }

  caf::error next_statement() {
    if (faults_->is_dead)
      return broken();
    if (!dies_in_)
      return {};
    return (*dies_in_)-- == 0 ? die() : caf::error{};
  }

  caf::expected<commit_receipt> after(commit_fault fault, const commit_receipt& receipt) {
    switch (fault) {
    case commit_fault::lost_answer:
      return make_error(errc::commit_unknown, "database: connection lost");
    case commit_fault::broken_late:
      return broken();
    case commit_fault::killed_late:
      return die();
    default:
      return receipt;
    }
  }

  std::shared_ptr<commit_faults> faults_;
  std::optional<std::size_t> dies_in_; ///< Statements.
};

} // namespace

open_connection crashing(std::shared_ptr<commit_faults> faults, open_connection inner) {
  if (!inner) {
    auto shared = std::shared_ptr<database>{must(open_sqlite({}, sqlite_mode::memory))};
    inner = [shared](bool) { return std::make_unique<shared_database>(shared); };
  }
  return [faults, inner](bool writer) -> std::unique_ptr<database> {
    if (!writer)
      return inner(false);
    return std::make_unique<crashing_database>(inner(true), faults);
  };
}

} // namespace trunkline::kit
