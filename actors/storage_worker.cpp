#include "actors/storage_worker.hpp"

#include "actors/messages.hpp"
#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace trunkline {

namespace {

caf::error guarded(const write_job& change, write_context context) {
  try {
    return change.run(context);
  } catch (const std::exception& thrown) {
    return make_error(errc::crashed, std::string{"storage: a change threw: "} + thrown.what());
  } catch (...) {
    return make_error(errc::crashed, "storage: a change threw");
  }
}

/// Batches are looked up by their id after a lost connection: it must never be given twice, also
/// not by another process or after a restart.
std::int64_t new_batch_id() {
  auto id = std::int64_t{0};
  std::memcpy(&id, random_bytes(sizeof id).data(), sizeof id);
  return std::max<std::int64_t>(id & INT64_MAX, 1);
}

/// The recipients as the log gives them: sorted, each once.
std::vector<endpoint_id> extra_of(const log_draft& draft) {
  auto extra = draft.extra;
  std::ranges::sort(extra);
  extra.erase(std::unique(extra.begin(), extra.end()), extra.end());
  return extra;
}

/// Returns what travels of `draft`; its facts move, for no database stores them.
log_entry entry_of(log_draft& draft, time_point at) {
  return {.at = at,
          .kind = draft.kind,
          .author = draft.author,
          .object = draft.object,
          .cls = draft.cls,
          .is_public = draft.is_public,
          .audience = draft.audience,
          .extra = extra_of(draft),
          .facts = std::move(draft.facts)};
}

} // namespace

storage_writer_state::~storage_writer_state() {
  for (auto& job : waiting_)
    job.reply.deliver(make_error(errc::unavailable, "storage: shutting down"));
}

writer_handle::behavior_type storage_writer_state::make_behavior(writer_dependencies dependencies,
                                                                 writer_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  has_.counters->rows_written = has_.db->rows_written(); // what opening it wrote
  return {
      [this](write_job& change) { return take(change); },
      [this](flush_batch) { flush(); },
  };
}

caf::result<void> storage_writer_state::take(write_job& change) {
  if (broken_)
    return broken_;
  if (waiting_.size() >= options_.queue_max) {
    ++has_.counters->refused;
    return make_error(errc::unavailable, "storage: too many changes wait");
  }
  auto reply = self_->make_response_promise<caf::unit_t>();
  waiting_.push_back({std::move(change), reply, {}});
  has_.counters->waiting = static_cast<std::int64_t>(waiting_.size());
  // The message to itself queues up behind the jobs that are in the mailbox by now: they share
  // the batch.
  if (!std::exchange(flush_sent_, true))
    self_->send(self_, flush_batch{});
  return reply;
}

void storage_writer_state::flush() {
  flush_sent_ = false;
  auto batch = next_batch();
  if (batch.empty())
    return;
  if (broken_)
    return answer_all(batch, broken_);
  if (!may_act(has_.lease))
    return answer_all(batch, make_error(errc::unavailable, "storage: this node's lease is over"));
  const auto began = std::chrono::steady_clock::now();
  const auto now = has_.clock();
  auto receipt = has_.db->commit_batch(new_batch_id(), now, options_.fence,
                                       [&](database& open) { return run_units(open, batch, now); });
  count(batch, began);
  if (!receipt) {
    ++has_.counters->batches_failed;
    if (code_of(receipt.error()) == errc::storage_broken)
      break_down(receipt.error());
    return answer_all(batch, receipt.error());
  }
  ++has_.counters->batches;
  if (has_.position)
    has_.position->commit(receipt->last);
  answer_all(batch, {});
  hint(*receipt);
}

std::vector<storage_writer_state::work> storage_writer_state::next_batch() {
  auto batch = std::vector<work>{};
  const auto size = std::min(waiting_.size(), options_.batch_max);
  batch.reserve(size);
  std::move(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size),
            std::back_inserter(batch));
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size));
  has_.counters->waiting = static_cast<std::int64_t>(waiting_.size());
  if (!waiting_.empty() && !std::exchange(flush_sent_, true))
    self_->send(self_, flush_batch{});
  return batch;
}

caf::expected<std::vector<log_draft>>
storage_writer_state::run_units(database& db, std::vector<work>& batch, time_point now) {
  committed_.clear();
  auto drafts = std::vector<log_draft>{};
  for (auto& job : batch) {
    auto mine = std::vector<log_draft>{};
    job.failure = db.transact([&](database& savepoint) {
      mine.clear();
      return guarded(job.change, {savepoint, mine, now});
    });
    if (job.failure && code_of(job.failure) == errc::storage_broken)
      return job.failure;
    if (job.failure)
      continue;
    for (auto& draft : mine) {
      committed_.push_back(entry_of(draft, now));
      drafts.push_back(std::move(draft));
    }
  }
  return drafts;
}

void storage_writer_state::answer_all(std::vector<work>& batch, const caf::error& failure) {
  for (auto& job : batch) {
    if (!job.failure)
      job.failure = failure;
    if (!job.failure) {
      ++has_.counters->units;
      job.reply.deliver(caf::unit);
      continue;
    }
    ++has_.counters->units_failed;
    job.reply.deliver(std::move(job.failure));
  }
}

void storage_writer_state::break_down(const caf::error& failure) {
  broken_ = failure;
  if (has_.on_broken)
    has_.on_broken(failure);
}

void storage_writer_state::hint(const commit_receipt& receipt) {
  if (!has_.log_reader || receipt.first == 0)
    return;
  auto seq = receipt.first;
  for (auto& row : committed_)
    row.seq = seq++;
  self_->send(has_.log_reader,
              log_hint{.previous = receipt.previous, .rows = std::exchange(committed_, {})});
}

void storage_writer_state::count(const std::vector<work>& batch,
                                 std::chrono::steady_clock::time_point began) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - began);
  const auto bucket = std::ranges::lower_bound(commit_bucket_bounds, took);
  ++has_.counters->commit_buckets[static_cast<std::size_t>(bucket - commit_bucket_bounds.begin())];
  has_.counters->commit_microseconds += took.count();
  has_.counters->last_batch = static_cast<std::int64_t>(batch.size());
  has_.counters->rows_written = has_.db->rows_written();
}

writer_handle::behavior_type
storage_writer(writer_handle::stateful_pointer<storage_writer_state> self,
               writer_dependencies dependencies, writer_options options) {
  return self->state.make_behavior(std::move(dependencies), options);
}

reader_handle::behavior_type storage_reader(reader_handle::pointer, std::unique_ptr<database> db,
                                            std::shared_ptr<storage_counters> counters) {
  return {
      [db = std::shared_ptr<database>{std::move(db)},
       counters = std::move(counters)](const read_job& job) -> caf::result<void> {
        ++counters->reads;
        try {
          job.run(*db);
          return caf::unit;
        } catch (const std::exception& thrown) {
          return make_error(errc::crashed,
                            std::string{"storage: a question threw: "} + thrown.what());
        } catch (...) {
          return make_error(errc::crashed, "storage: a question threw");
        }
      },
  };
}

} // namespace trunkline
