#include "storage/sqlite_pages.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace trunkline {

namespace {

constexpr auto page_bytes_min = 512;
constexpr auto page_bytes_max = 65'536;
constexpr auto reserved_at = 20; ///< Where the header says how many bytes of a page are left alone.

/// What other programs may change in the header of a copy that they make page by page: the
/// journal's mode, the counter of changes, that of the schema, and by which version. From where,
/// how many.
constexpr std::pair<int, int> counters_of_header[] = {{18, 2}, {24, 4}, {40, 4}, {92, 8}};

struct checked_file {
  sqlite3_file base;
  sqlite3_file* below; ///< Of the default file system; allocated by SQLite.
  bool is_database;
  bool has_checksums; ///< As the header of the file says; false until there is one.
};

checked_file& mine(sqlite3_file* file) {
  return *reinterpret_cast<checked_file*>(file);
}

sqlite3_file* below(sqlite3_file* file) {
  return mine(file).below;
}

const sqlite3_io_methods& methods_below(sqlite3_file* file) {
  return *below(file)->pMethods;
}

std::uint64_t load(const char* bytes, std::size_t count) {
  auto word = std::uint64_t{0};
  for (auto at = std::size_t{0}; at < count; ++at)
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at])) << (8 * at);
  return word;
}

void store(char* bytes, std::uint64_t word) {
  for (auto at = std::size_t{0}; at < 8; ++at)
    bytes[at] = static_cast<char>(word >> (8 * at));
}

/// SQLite reads and writes whole pages, and here and there a few bytes of the header.
bool is_page(int length, sqlite3_int64 at) {
  return length >= page_bytes_min && length <= page_bytes_max && (length & (length - 1)) == 0 &&
         at % length == 0;
}

std::uint64_t number_of(int length, sqlite3_int64 at) {
  return static_cast<std::uint64_t>(at / length) + 1;
}

std::string_view content_of(const char* page, int length) {
  return {page, static_cast<std::size_t>(length - page_checksum_bytes)};
}

/// Looks at the header once it is there; a database keeps what it was made with.
bool has_checksums(checked_file& file) {
  if (!file.is_database || file.has_checksums)
    return file.has_checksums;
  auto reserved = char{0};
  const auto code = file.below->pMethods->xRead(file.below, &reserved, 1, reserved_at);
  file.has_checksums = code == SQLITE_OK && reserved == page_checksum_bytes;
  return file.has_checksums;
}

std::uint64_t checksum_of(std::string_view page, std::uint64_t number) {
  // Each step can be undone: what differs in one word differs at the end.
  constexpr auto factor = std::uint64_t{0x9E3779B97F4A7C15};
  const auto mix = [](std::uint64_t sum, std::uint64_t word) {
    sum = (sum ^ word) * factor;
    return sum ^ (sum >> 32);
  };
  auto sum = mix(factor, number);
  while (page.size() >= 8) {
    sum = mix(sum, load(page.data(), 8));
    page.remove_prefix(8);
  }
  sum = mix(sum, load(page.data(), page.size()));
  return sum ? sum : 1;
}

int close_file(sqlite3_file* file) {
  const auto code = methods_below(file).xClose(below(file));
  sqlite3_free(below(file));
  return code;
}

int read(sqlite3_file* file, void* to, int length, sqlite3_int64 at) {
  const auto code = methods_below(file).xRead(below(file), to, length, at);
  if (code != SQLITE_OK || !is_page(length, at) || !has_checksums(mine(file)))
    return code;
  auto* page = static_cast<char*>(to);
  auto* trailer = page + length - page_checksum_bytes;
  const auto expected = load(trailer, page_checksum_bytes);
  if (expected != 0 && expected != page_checksum(content_of(page, length), number_of(length, at)))
    return SQLITE_IOERR_DATA;
  // What travels on, into the write-ahead log and into copies, has none: it would be out of date.
  std::fill_n(trailer, page_checksum_bytes, '\0');
  return SQLITE_OK;
}

int write(sqlite3_file* file, const void* from, int length, sqlite3_int64 at) {
  const auto* page = static_cast<const char*>(from);
  const auto is_first = at == 0 && is_page(length, at);
  if (is_first && mine(file).is_database)
    mine(file).has_checksums = page[reserved_at] == page_checksum_bytes;
  if (!is_page(length, at) || !has_checksums(mine(file)))
    return methods_below(file).xWrite(below(file), from, length, at);
  thread_local std::array<char, page_bytes_max> copy;
  std::memcpy(copy.data(), page, static_cast<std::size_t>(length));
  store(copy.data() + length - page_checksum_bytes,
        page_checksum(content_of(page, length), number_of(length, at)));
  return methods_below(file).xWrite(below(file), copy.data(), length, at);
}

int truncate(sqlite3_file* file, sqlite3_int64 length) {
  return methods_below(file).xTruncate(below(file), length);
}
int sync(sqlite3_file* file, int flags) {
  return methods_below(file).xSync(below(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* length) {
  return methods_below(file).xFileSize(below(file), length);
}
int lock(sqlite3_file* file, int level) {
  return methods_below(file).xLock(below(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return methods_below(file).xUnlock(below(file), level);
}
int check_lock(sqlite3_file* file, int* locked) {
  return methods_below(file).xCheckReservedLock(below(file), locked);
}
int control(sqlite3_file* file, int operation, void* argument) {
  return methods_below(file).xFileControl(below(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return methods_below(file).xSectorSize(below(file));
}
int characteristics(sqlite3_file* file) {
  return methods_below(file).xDeviceCharacteristics(below(file));
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
  return methods_below(file).xShmMap(below(file), page, size, extend, to);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return methods_below(file).xShmLock(below(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
  methods_below(file).xShmBarrier(below(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return methods_below(file).xShmUnmap(below(file), remove);
}

// Version 2: without memory maps, which would pass by the checksums.
const sqlite3_io_methods methods = {
    2,         close_file, read,    write,       truncate,        sync,    file_size, lock,
    unlock,    check_lock, control, sector_size, characteristics, shm_map, shm_lock,  shm_barrier,
    shm_unmap, nullptr,    nullptr};

/// The default one is asked for at each call: tests put their own there.
sqlite3_vfs* default_files() {
  return sqlite3_vfs_find(nullptr);
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* files = default_files();
  auto* other = static_cast<sqlite3_file*>(sqlite3_malloc(files->szOsFile));
  if (!other)
    return SQLITE_NOMEM;
  std::memset(other, 0, static_cast<std::size_t>(files->szOsFile));
  const auto is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  auto* opened = new (file) checked_file{{nullptr}, other, is_database, false};
  const auto code = files->xOpen(files, name, other, flags, out_flags);
  if (code == SQLITE_OK)
    opened->base.pMethods = &methods;
  else
    sqlite3_free(other);
  return code;
}

int last_error(sqlite3_vfs*, int length, char* text) {
  auto* files = default_files();
  return files->xGetLastError(files, length, text);
}

/// The file system in SQLite's list, for as long as this library is loaded: SQLite may stay longer.
/// A process may hold this code twice (a program's, a plugin's), so each has a name of its own.
class registered_files {
public:
  registered_files() {
    std::snprintf(name_.data(), name_.size(), "trunkline-%p", static_cast<void*>(this));
    files_ = *default_files();
    files_.zName = name_.data();
    files_.szOsFile = sizeof(checked_file);
    files_.pNext = nullptr;
    files_.xOpen = open_file;
    files_.xGetLastError = last_error;
    sqlite3_vfs_register(&files_, 0);
  }
  registered_files(const registered_files&) = delete;
  registered_files& operator=(const registered_files&) = delete;
  ~registered_files() { sqlite3_vfs_unregister(&files_); }

  const char* name() const { return name_.data(); }

private:
  // Both are plain memory: engines that outlive this object, at the exit, still look at them.
  std::array<char, 32> name_{};
  sqlite3_vfs files_{};
};

} // namespace

std::uint64_t page_checksum(std::string_view page, std::uint64_t number) {
  if (number != 1)
    return checksum_of(page, number);
  auto first = std::string{page};
  for (const auto& [at, count] : counters_of_header)
    std::fill_n(first.begin() + at, count, '\0');
  return checksum_of(first, number);
}

const char* checksummed_files() {
  static const auto files = registered_files{};
  return files.name();
}

} // namespace trunkline
