/// A database in memory whose node may die, or whose disk may fail, in the middle of a commit.
///
/// It outlives the actors, as a file outlives a process. One thread.
#pragma once

#include "kit/test_storage.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace trunkline::kit {

/// How a commit of the writer goes wrong.
enum class commit_fault {
  none,
  refused,     ///< Nothing of it is run.
  undone,      ///< All of it is run, and rolled back.
  lost_answer, ///< It is durable; nobody is told.
  broken,      ///< The disk fails before it is durable: nothing may succeed any more.
  broken_late, ///< The disk fails after it is durable.
  killed,      ///< The node dies at one of its statements; nothing of it is durable.
  killed_late, ///< It is durable, and the node dies before anybody hears of it.
};

struct commit_faults {
  std::function<commit_fault()> next; ///< Asked at each commit; empty: none.
  std::function<void()> on_killed;    ///< The node is to stop.
  std::size_t killed_at = 0;          ///< Statements of the commit that are run before it dies.
  bool is_broken = false;             ///< The disk, until the node starts again.
  bool is_dead = false;               ///< The node, likewise.
};

/// Opens connections to one SQLite database in memory (or to what `inner` opens); those of writers
/// fail as `faults` say.
open_connection crashing(std::shared_ptr<commit_faults> faults, open_connection inner = {});

} // namespace trunkline::kit
