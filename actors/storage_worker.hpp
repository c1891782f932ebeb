/// The storage workers: the only callers of storage, and the only actors that block.
///
/// One writer per node commits in groups: it takes what has come in meanwhile, runs each unit in a
/// savepoint of its own inside one transaction, and answers all of them after the commit. Readers
/// run one job at a time on connections of their own. Spawned `detached` by the engine. Each owns
/// its database.
#pragma once

#include "actors/log_position.hpp"
#include "actors/log_reader_messages.hpp"
#include "actors/node_lease.hpp"
#include "actors/storage_worker_messages.hpp"
#include "protocol/time.hpp"
#include "storage/database.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace trunkline {

/// Upper bounds of the buckets of the commits' times; one more bucket holds what is slower.
inline constexpr auto commit_bucket_bounds = std::to_array<std::chrono::microseconds>({
    std::chrono::microseconds{1'000},
    std::chrono::microseconds{2'500},
    std::chrono::microseconds{5'000},
    std::chrono::microseconds{10'000},
    std::chrono::microseconds{25'000},
    std::chrono::microseconds{50'000},
    std::chrono::microseconds{100'000},
    std::chrono::microseconds{250'000},
    std::chrono::microseconds{1'000'000},
    std::chrono::microseconds{5'000'000},
});

/// What the storage workers of a node have done; written by them, read by any thread.
struct storage_counters {
  std::atomic<std::int64_t> batches = 0;        ///< Committed.
  std::atomic<std::int64_t> batches_failed = 0; ///< Rolled back, or of unknown outcome.
  std::atomic<std::int64_t> units = 0;          ///< Committed.
  std::atomic<std::int64_t> units_failed = 0;   ///< Answered with an error.
  std::atomic<std::int64_t> refused = 0;        ///< Not taken: the queue was full.
  std::atomic<std::int64_t> waiting = 0;        ///< In the writer's queue.
  std::atomic<std::int64_t> last_batch = 0;     ///< Units in the newest batch.
  std::atomic<std::int64_t> rows_written = 0;   ///< On the writer's connection.
  std::atomic<std::int64_t> reads = 0;
  /// Batches by the time from their begin to their end, as `commit_bucket_bounds`.
  std::array<std::atomic<std::int64_t>, commit_bucket_bounds.size() + 1> commit_buckets{};
  std::atomic<std::int64_t> commit_microseconds = 0; ///< Sum over all batches.
};

struct writer_options {
  std::size_t batch_max = 128;      ///< Units in one commit.
  std::size_t queue_max = 4096;     ///< Units that wait; more are refused with `unavailable`.
  std::optional<write_fence> fence; ///< Nothing on a single node.
};

/// What the writer works with. `log_reader` may be empty. `on_broken` is called once, from the
/// writer's thread, when storage failed in a way that no later success may follow
/// (`errc::storage_broken`): the engine ends the process in it. `counters` must not be null.
/// `position`, the node's, learns of each commit before its units are answered; may be null. Once
/// `lease` is over every change is refused with `unavailable`.
struct writer_dependencies {
  std::unique_ptr<database> db;
  wall_clock clock;
  log_reader_handle log_reader;
  std::function<void(const caf::error&)> on_broken;
  std::shared_ptr<storage_counters> counters;
  std::shared_ptr<log_position> position;
  node_lease_ptr lease;
};

class storage_writer_state {
public:
  explicit storage_writer_state(writer_handle::pointer self) : self_{self} {}
  ~storage_writer_state();

  writer_handle::behavior_type make_behavior(writer_dependencies dependencies,
                                             writer_options options);

private:
  using answer = caf::typed_response_promise<caf::unit_t>;

  struct work {
    write_job change;
    answer reply;
    caf::error failure;
  };

  caf::result<void> take(write_job& change);
  void flush();
  std::vector<work> next_batch();
  caf::expected<std::vector<log_draft>> run_units(database& db, std::vector<work>& batch,
                                                  time_point now);
  void answer_all(std::vector<work>& batch, const caf::error& failure);
  void break_down(const caf::error& failure);
  void hint(const commit_receipt& receipt);
  void count(const std::vector<work>& batch, std::chrono::steady_clock::time_point began);

  writer_handle::pointer self_;
  writer_dependencies has_;
  writer_options options_;
  std::deque<work> waiting_;
  std::vector<log_entry> committed_; ///< Rows of the batch under way, not numbered yet.
  caf::error broken_;                ///< Set once: nothing succeeds any more.
  bool flush_sent_ = false;
};

/// The writer. Every job is answered: after the commit, or with why there was none. A job that
/// fails rolls back alone; when its failure took the whole transaction along (a lost connection, a
/// full disk), the database lets the others of its batch fail too. `storage_broken` ends all.
/// An exception in a job counts as `errc::crashed`.
writer_handle::behavior_type
storage_writer(writer_handle::stateful_pointer<storage_writer_state> self,
               writer_dependencies dependencies, writer_options options);

/// A reader. An exception in a job is answered with `errc::crashed`.
reader_handle::behavior_type storage_reader(reader_handle::pointer self,
                                            std::unique_ptr<database> db,
                                            std::shared_ptr<storage_counters> counters);

} // namespace trunkline
