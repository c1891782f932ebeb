// Loads the plugin, runs an engine in it, unloads it, again and again: no thread and no mapping
// stays, what is allocated does not grow, and a library that the program uses itself (SQLite) still
// works. Knows nothing of Trunkline.
//
// usage: unload PLUGIN ROUNDS FOLDER

#include <dlfcn.h>
#include <sqlite3.h>
#include <valgrind/memcheck.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <string>
#include <thread>

namespace {

using run_function = int (*)(const char*);

// What libraries keep for the process (their tables, filled at first use) comes in these rounds.
constexpr int warm_rounds = 8;
// Of all later rounds together: less than any engine, connection, thread or buffer takes.
constexpr long growth_bytes_max = 2'048;

std::size_t threads() {
  auto count = std::size_t{0};
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{"/proc/self/task"})
    ++count;
  return count;
}

// A joined thread leaves /proc a moment later than its joiner goes on, and nothing tells of it:
// this makes room for it to go.
bool is_alone() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (threads() != 1) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::yield();
  }
  return true;
}

bool is_mapped(const std::string& name) {
  auto maps = std::ifstream{"/proc/self/maps"};
  for (auto line = std::string{}; std::getline(maps, line);)
    if (line.find(name) != std::string::npos)
      return true;
  return false;
}

long allocated() {
  if (!RUNNING_ON_VALGRIND)
    return static_cast<long>(mallinfo2().uordblks);
  auto leaked = 0UL;
  auto dubious = 0UL;
  auto reachable = 0UL;
  [[maybe_unused]] auto suppressed = 0UL;
  VALGRIND_DO_QUICK_LEAK_CHECK;
  VALGRIND_COUNT_LEAKS(leaked, dubious, reachable, suppressed);
  return static_cast<long>(leaked + dubious + reachable);
}

/// Whether SQLite, which stays loaded, can be used without the library that is gone: it asks each
/// file system that it knows for its name.
bool has_left_sqlite_alone() {
  return sqlite3_vfs_find("a file system that is not there") == nullptr &&
         sqlite3_vfs_find(nullptr)->pNext != nullptr;
}

const char* round_of(const char* plugin, const char* folder) {
  auto* const handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return dlerror();
  if (!is_mapped("libtrunkline.so"))
    return "the plugin does not use the shared library";
  const auto run = reinterpret_cast<run_function>(dlsym(handle, "run_once"));
  if (!run || run(folder) != 0)
    return "the engine in the plugin failed";
  if (!is_alone())
    return "threads are left";
  if (dlclose(handle) != 0)
    return dlerror();
  if (is_mapped("libtrunkline.so") || is_mapped(plugin))
    return "dlclose leaves the library in memory";
  if (!has_left_sqlite_alone())
    return "SQLite's file systems are not what they were";
  return nullptr;
}

} // namespace

int main(int count, char** arguments) {
  if (count != 4)
    return 64;
  const auto rounds = std::atoi(arguments[2]);
  auto settled = 0L;
  for (auto round = 1; round <= rounds; ++round) {
    // In memory and in a folder by turns: one writes its tables anew, the other finds them.
    const auto* const folder = round % 2 == 0 ? "" : arguments[3];
    if (const auto* const problem = round_of(arguments[1], folder)) {
      std::fprintf(stderr, "unload: round %d: %s\n", round, problem);
      return 1;
    }
    const auto now = allocated();
    std::printf("unload: round %d: %ld bytes are allocated\n", round, now);
    if (round <= warm_rounds)
      settled = std::max(settled, now);
    else if (now - settled > growth_bytes_max) {
      std::fprintf(stderr, "unload: %ld bytes were left behind\n", now - settled);
      return 1;
    }
  }
  return 0;
}
