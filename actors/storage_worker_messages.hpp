/// Messages and handles of the storage workers: one writer, and readers that share their work.
#pragma once

#include "actors/storage_deadlines.hpp"
#include "protocol/log_entry.hpp"
#include "protocol/time.hpp"

#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <caf/unit.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace trunkline {

class database;

/// What a change may use: the open transaction, and the log rows that it adds.
struct write_context {
  database& db;
  std::vector<log_draft>& log;
  time_point now;
};

/// Runs on a reader's connection; keeps its own answer.
struct read_job {
  std::function<void(database&)> run;
};

/// Runs on the writer's connection, in a savepoint; an error rolls it back alone.
struct write_job {
  std::function<caf::error(write_context&)> run;
};

/// INTERNAL: the writer commits what has come in.
struct flush_batch {};

using reader_handle = caf::typed_actor<
    // Answers when the job has run.
    caf::replies_to<read_job>::with<void>>;

using writer_handle = caf::typed_actor<
    // Answers after the commit that made the job durable, or with why it was not.
    caf::replies_to<write_job>::with<void>,
    // INTERNAL
    caf::reacts_to<flush_batch>>;

/// The storage workers of a node, for whoever asks them. Copies share the rotation
/// and the deadlines.
struct storage_handles {
  writer_handle writer;
  std::vector<reader_handle> readers;
  std::shared_ptr<std::atomic<std::size_t>> turn = std::make_shared<std::atomic<std::size_t>>(0);
  std::shared_ptr<storage_deadlines> deadlines = std::make_shared<storage_deadlines>();

  const reader_handle& next_reader() const { return readers[turn->fetch_add(1) % readers.size()]; }
};

} // namespace trunkline
