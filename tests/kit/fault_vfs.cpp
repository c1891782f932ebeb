#include "tests/kit/fault_vfs.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstdlib>
#include <new>

namespace trunkline::kit {

namespace {

/// SQLite's callbacks take no context: there is one at a time.
struct fault_plan {
  sqlite3_vfs* below = nullptr;
  sqlite3_vfs mine{};
  std::size_t call = 0;
  std::size_t fail_at = 0;
  std::size_t failed = 0;
  file_fault fault = file_fault::io_error;
  bool for_ever = false;
  int last_errno = 0;
};

fault_plan plan;

struct fault_file {
  sqlite3_file base;
  sqlite3_file* below; ///< Lies behind this struct, in the same block.
};

sqlite3_file* below(sqlite3_file* file) {
  return reinterpret_cast<fault_file*>(file)->below;
}

/// Counts a call; returns the code to fail with, or SQLITE_OK.
int next_call(int io_code) {
  ++plan.call;
  plan.last_errno = 0;
  if (plan.fail_at == 0 || plan.call < plan.fail_at || (plan.call > plan.fail_at && !plan.for_ever))
    return SQLITE_OK;
  ++plan.failed;
  const auto is_full = plan.fault == file_fault::disk_full;
  plan.last_errno = is_full ? ENOSPC : EIO;
  return is_full && io_code != SQLITE_IOERR_FSYNC ? SQLITE_FULL : io_code;
}

int close_file(sqlite3_file* file) {
  return below(file)->pMethods->xClose(below(file));
}
int read(sqlite3_file* file, void* to, int length, sqlite3_int64 at) {
  return below(file)->pMethods->xRead(below(file), to, length, at);
}
int write(sqlite3_file* file, const void* from, int length, sqlite3_int64 at) {
  if (const auto code = next_call(SQLITE_IOERR_WRITE))
    return code;
  return below(file)->pMethods->xWrite(below(file), from, length, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 length) {
  if (const auto code = next_call(SQLITE_IOERR_TRUNCATE))
    return code;
  return below(file)->pMethods->xTruncate(below(file), length);
}
int sync(sqlite3_file* file, int flags) {
  if (const auto code = next_call(SQLITE_IOERR_FSYNC))
    return code;
  return below(file)->pMethods->xSync(below(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* length) {
  return below(file)->pMethods->xFileSize(below(file), length);
}
int lock(sqlite3_file* file, int level) {
  return below(file)->pMethods->xLock(below(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return below(file)->pMethods->xUnlock(below(file), level);
}
int check_lock(sqlite3_file* file, int* locked) {
  return below(file)->pMethods->xCheckReservedLock(below(file), locked);
}
int control(sqlite3_file* file, int operation, void* argument) {
  return below(file)->pMethods->xFileControl(below(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return below(file)->pMethods->xSectorSize(below(file));
}
int characteristics(sqlite3_file* file) {
  return below(file)->pMethods->xDeviceCharacteristics(below(file));
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
  return below(file)->pMethods->xShmMap(below(file), page, size, extend, to);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
  below(file)->pMethods->xShmBarrier(below(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return below(file)->pMethods->xShmUnmap(below(file), remove);
}

const sqlite3_io_methods methods = {
    2,         close_file, read,    write,       truncate,        sync,    file_size, lock,
    unlock,    check_lock, control, sector_size, characteristics, shm_map, shm_lock,  shm_barrier,
    shm_unmap, nullptr,    nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* mine = reinterpret_cast<fault_file*>(file);
  mine->below = reinterpret_cast<sqlite3_file*>(mine + 1);
  const auto code = plan.below->xOpen(plan.below, name, mine->below, flags, out_flags);
  mine->base.pMethods = code == SQLITE_OK ? &methods : nullptr;
  return code;
}

int last_error(sqlite3_vfs*, int length, char* text) {
  return plan.last_errno ? plan.last_errno : plan.below->xGetLastError(plan.below, length, text);
}

} // namespace

fault_vfs::fault_vfs() {
  plan = {};
  plan.below = sqlite3_vfs_find(nullptr);
  plan.mine = *plan.below;
  plan.mine.zName = "trunkline-faults";
  plan.mine.szOsFile = static_cast<int>(sizeof(fault_file)) + plan.below->szOsFile;
  plan.mine.xOpen = open_file;
  plan.mine.xGetLastError = last_error;
  sqlite3_vfs_register(&plan.mine, 1);
}

fault_vfs::~fault_vfs() {
  sqlite3_vfs_unregister(&plan.mine);
  sqlite3_vfs_register(plan.below, 1);
}

void fault_vfs::fail_at(std::size_t call, file_fault fault, bool for_ever) {
  plan.call = 0;
  plan.failed = 0;
  plan.fail_at = call;
  plan.fault = fault;
  plan.for_ever = for_ever;
}

std::size_t fault_vfs::failed() const {
  return plan.failed;
}

} // namespace trunkline::kit
