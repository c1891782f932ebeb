#include "bench/figures.hpp"

#include <algorithm>
#include <cstdio>

#include <time.h>

namespace trunkline::bench {

namespace {

std::chrono::duration<double> clock_of(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

double milliseconds_of(microseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

} // namespace

double load_figures::per_second() const {
  return wall.count() > 0 ? static_cast<double>(posts) / wall.count() : 0;
}

double load_figures::per_core_second() const {
  return cpu.count() > 0 ? static_cast<double>(posts) / cpu.count() : 0;
}

microseconds percentile(std::vector<microseconds>& latencies, double share) {
  if (latencies.empty())
    return {};
  std::ranges::sort(latencies);
  const auto last = static_cast<double>(latencies.size() - 1);
  return latencies[static_cast<std::size_t>(share * last)];
}

std::chrono::duration<double> process_cpu() {
  return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

std::chrono::duration<double> thread_cpu() {
  return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

void report::add(load_figures figures, double bare) {
  const auto half = milliseconds_of(percentile(figures.latencies, 0.5));
  const auto most = milliseconds_of(percentile(figures.latencies, 0.99));
  const auto ratio = bare > 0 ? figures.per_second() / bare : 0;
  if (as_json_) {
    std::printf("{\"path\":\"%s\",\"database\":\"%s\",\"posters\":%zu,\"posts\":%llu,"
                "\"failures\":%llu,\"posts_per_s\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
                "\"batch_mean\":%.1f,\"posts_per_core_s\":%.0f,\"of_bare\":%.2f}\n",
                figures.path.c_str(), figures.database.c_str(), figures.posters,
                static_cast<unsigned long long>(figures.posts),
                static_cast<unsigned long long>(figures.failures), figures.per_second(), half, most,
                figures.batch_mean, figures.per_core_second(), ratio);
    return;
  }
  if (!std::exchange(has_head_, true))
    std::printf("%-9s %-14s %8s %9s %8s %8s %7s %11s %8s %6s\n", "database", "path", "posters",
                "posts/s", "p50 ms", "p99 ms", "batch", "per core-s", "of bare", "failed");
  std::printf("%-9s %-14s %8zu %9.0f %8.2f %8.2f %7.1f %11.0f %8.2f %6llu\n",
              figures.database.c_str(), figures.path.c_str(), figures.posters, figures.per_second(),
              half, most, figures.batch_mean, figures.per_core_second(), ratio,
              static_cast<unsigned long long>(figures.failures));
  std::fflush(stdout);
}

void report::add(std::string_view database, const stage_costs& stages) {
  for (const auto& [stage, cost] : stages)
    if (as_json_)
      std::printf("{\"database\":\"%.*s\",\"stage\":\"%s\",\"us_per_post\":%.1f}\n",
                  static_cast<int>(database.size()), database.data(), stage.c_str(), cost);
    else
      std::printf("%-9.*s   %-46s %8.1f us\n", static_cast<int>(database.size()), database.data(),
                  stage.c_str(), cost);
  std::fflush(stdout);
}

} // namespace trunkline::bench
