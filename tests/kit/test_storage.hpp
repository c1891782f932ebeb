/// The databases of a deterministic system, with faults on demand.
///
/// By default one SQLite database in memory, which the writer and the readers share: in one thread
/// nothing runs at the same time. It outlives the actors, as a file outlives a process.
#pragma once

#include "actors/storage_worker.hpp"
#include "kit/deterministic_system.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace trunkline::kit {

/// What is to go wrong. Counts calls of `run` and `transact` on the writer, and commits of batches.
struct storage_faults {
  std::int64_t calls = 0;
  std::int64_t commits = 0;
  /// Asked before each call of the writer; an error is returned instead of running it.
  std::function<caf::error(std::int64_t call)> at_call;
  /// Asked after each commit: an error is returned although it was made.
  std::function<caf::error(std::int64_t commit)> after_commit;
};

/// Opens a connection: of the writer, or of a reader. Throws when it cannot.
using open_connection = std::function<std::unique_ptr<database>(bool writer)>;

class test_storage {
public:
  /// One migrated SQLite database in memory.
  test_storage();
  /// What `open` opens; migrated here.
  explicit test_storage(open_connection open);

  /// A connection to look at what is stored. Not the writer's, where readers have their own.
  database& db() { return *look_; }

  storage_faults& faults() { return *faults_; }
  const std::shared_ptr<storage_counters>& counters() const { return counters_; }

  /// Opens a reader's connection.
  std::unique_ptr<database> open_reader();
  /// Opens the writer's connection, which the faults apply to.
  std::unique_ptr<database> open_writer();

  /// Spawns `readers` readers.
  std::vector<reader_handle> start_readers(deterministic_system& actors, std::size_t readers = 1);
  /// Spawns a writer; `broken` counts what it calls `on_broken` with.
  writer_handle start_writer(deterministic_system& actors, log_reader_handle log_reader = {},
                             writer_options options = {});
  /// Spawns both.
  storage_handles start(deterministic_system& actors);

  /// What the writer raises at each commit; null: nothing.
  std::shared_ptr<log_position> position;
  node_lease_ptr lease; ///< Of the writers that are started from now on; null: none is needed.

  int broken = 0;

private:
  open_connection open_;
  std::unique_ptr<database> look_;
  std::shared_ptr<storage_faults> faults_ = std::make_shared<storage_faults>();
  std::shared_ptr<storage_counters> counters_ = std::make_shared<storage_counters>();
};

} // namespace trunkline::kit
