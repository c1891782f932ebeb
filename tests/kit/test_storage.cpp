#include "kit/test_storage.hpp"

#include "storage/migrations.hpp"
#include "storage/sqlite_database.hpp"

#include <stdexcept>

namespace trunkline::kit {

namespace {

/// Hands everything to another connection, which others may use too, but for what is to fail.
class forwarding_database : public database {
public:
  forwarding_database(std::shared_ptr<database> inner, std::shared_ptr<storage_faults> faults)
      : inner_{std::move(inner)}, faults_{std::move(faults)} {}

  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) override {
    if (auto failure = next_call())
      return failure;
    return inner_->run(sql, values);
  }

  caf::error transact(const std::function<caf::error(database&)>& body) override {
    if (auto failure = next_call())
      return failure;
    return inner_->transact([&](database&) { return body(*this); });
  }

  caf::expected<commit_receipt> commit_batch(
      std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
      const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) override {
    if (auto failure = next_call())
      return failure;
    auto receipt =
        inner_->commit_batch(batch_id, now, fence, [&](database&) { return body(*this); });
    if (receipt && faults_ && faults_->after_commit)
      if (auto failure = faults_->after_commit(++faults_->commits))
        return failure;
    return receipt;
  }

  std::int64_t rows_written() const override { return inner_->rows_written(); }
  std::string_view key_type() const override { return inner_->key_type(); }
  std::string_view now_sql() const override { return inner_->now_sql(); }
  std::string_view server_sql() const override { return inner_->server_sql(); }
  std::string_view lock_sql(row_lock lock) const override { return inner_->lock_sql(lock); }
  std::string_view dialect() const override { return inner_->dialect(); }

private:
  caf::error next_call() {
    if (!faults_)
      return {};
    ++faults_->calls;
    return faults_->at_call ? faults_->at_call(faults_->calls) : caf::error{};
  }

  std::shared_ptr<database> inner_;
  std::shared_ptr<storage_faults> faults_;
};

open_connection one_in_memory() {
  auto opened = open_sqlite({}, sqlite_mode::memory);
  if (!opened)
    throw std::runtime_error{context_of(opened.error())};
  auto shared = std::shared_ptr<database>{std::move(*opened)};
  return [shared](bool) { return std::make_unique<forwarding_database>(shared, nullptr); };
}

} // namespace

test_storage::test_storage() : test_storage{one_in_memory()} {}

test_storage::test_storage(open_connection open) : open_{std::move(open)} {
  if (auto failure = migrate(*open_(true)))
    throw std::runtime_error{context_of(failure)};
  look_ = open_(false);
}

std::unique_ptr<database> test_storage::open_reader() {
  return open_(false);
}

std::unique_ptr<database> test_storage::open_writer() {
  return std::make_unique<forwarding_database>(open_(true), faults_);
}

std::vector<reader_handle> test_storage::start_readers(deterministic_system& actors,
                                                       std::size_t readers) {
  auto started = std::vector<reader_handle>{};
  while (started.size() < readers)
    started.push_back(actors.spawn(storage_reader, open_reader(), counters_));
  return started;
}

writer_handle test_storage::start_writer(deterministic_system& actors, log_reader_handle log_reader,
                                         writer_options options) {
  auto dependencies = writer_dependencies{.db = open_writer(),
                                          .clock = actors.clock(),
                                          .log_reader = std::move(log_reader),
                                          .on_broken = [this](const caf::error&) { ++broken; },
                                          .counters = counters_,
                                          .position = position,
                                          .lease = lease};
  return actors.spawn(storage_writer, std::move(dependencies), options);
}

storage_handles test_storage::start(deterministic_system& actors) {
  auto handles = storage_handles{};
  handles.readers = start_readers(actors);
  handles.writer = start_writer(actors);
  return handles;
}

} // namespace trunkline::kit
