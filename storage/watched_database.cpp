#include "storage/watched_database.hpp"

#include <utility>

namespace trunkline {

namespace {

class watched_database final : public database {
public:
  watched_database(std::unique_ptr<database> inner, damage_watch on_damage)
      : inner_{std::move(inner)}, on_damage_{std::move(on_damage)} {}

  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override {
    auto result = inner_->run(sql, values);
    if (!result)
      look_at(result.error());
    return result;
  }

  caf::error transact(const std::function<caf::error(database&)>& body) override {
    auto failure = inner_->transact(body);
    if (failure)
      look_at(failure);
    return failure;
  }

  caf::expected<commit_receipt> commit_batch(
      std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    auto receipt = inner_->commit_batch(batch_id, now, fence, body);
    if (!receipt)
      look_at(receipt.error());
    return receipt;
  }

  std::int64_t rows_written() const override { return inner_->rows_written(); }
  std::string_view key_type() const override { return inner_->key_type(); }
  std::string_view now_sql() const override { return inner_->now_sql(); }
  std::string_view server_sql() const override { return inner_->server_sql(); }
  std::string_view lock_sql(row_lock lock) const override { return inner_->lock_sql(lock); }
  std::string_view dialect() const override { return inner_->dialect(); }

private:
  void look_at(const caf::error& failure) {
    if (code_of(failure) == errc::storage_broken && !std::exchange(told_, true))
      on_damage_(failure);
  }

  std::unique_ptr<database> inner_;
  damage_watch on_damage_;
  bool told_ = false;
};

} // namespace

std::unique_ptr<database> watched(std::unique_ptr<database> inner, damage_watch on_damage) {
  return std::make_unique<watched_database>(std::move(inner), std::move(on_damage));
}

} // namespace trunkline
