/// The file system as SQLite sees it, with one write or sync that fails.
///
/// Becomes SQLite's default while it exists: only one at a time, and connections opened under it
/// must be closed before it ends.
#pragma once

#include <cstddef>

namespace trunkline::kit {

enum class file_fault {
  io_error,  ///< EIO.
  disk_full, ///< ENOSPC.
};

class fault_vfs {
public:
  fault_vfs();
  ~fault_vfs();
  fault_vfs(const fault_vfs&) = delete;
  fault_vfs& operator=(const fault_vfs&) = delete;

  /// Lets the `call`-th write, sync or truncation from now on, counted from 1, fail, and with
  /// `for_ever` all after it. 0: none.
  void fail_at(std::size_t call, file_fault fault, bool for_ever);
  /// Tells how many calls have failed since.
  std::size_t failed() const;
};

} // namespace trunkline::kit
