#include "engine/process_facts.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace trunkline {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::int64_t count_entries(const char* folder) {
  auto failure = std::error_code{};
  auto entries = std::filesystem::directory_iterator{folder, failure};
  return failure ? 0 : std::distance(begin(entries), end(entries));
}

} // namespace

process_facts read_process_facts() {
  auto facts = process_facts{};
  auto pages = std::int64_t{0};
  auto resident = std::int64_t{0};
  if (auto statm = std::ifstream{"/proc/self/statm"}; statm >> pages >> resident)
    facts.resident_bytes = resident * ::sysconf(_SC_PAGESIZE);
  facts.threads = count_entries("/proc/self/task");
  facts.open_files = count_entries("/proc/self/fd");
  auto usage = rusage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0)
    facts.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  return facts;
}

double cpu_meter::busy_cores(double cpu_seconds, std::chrono::steady_clock::time_point now) {
  using namespace std::chrono_literals;
  if (since_ && now - *since_ < 1s)
    return busy_;
  if (since_) {
    const auto passed = std::chrono::duration<double>(now - *since_).count();
    busy_ = std::round((cpu_seconds - before_) / passed * 1'000) / 1'000;
  }
  since_ = now;
  before_ = cpu_seconds;
  return busy_;
}

} // namespace trunkline
