/// What a load run found, and how it is shown: a table for people, JSON lines for machines.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline::bench {

using std::chrono::microseconds;

/// One run of one path with some posters.
struct load_figures {
  std::string path;     ///< "bare loop", "account actor", "http"
  std::string database; ///< "sqlite", "postgres"
  std::size_t posters = 0;
  std::uint64_t posts = 0;
  std::uint64_t failures = 0;
  std::chrono::duration<double> wall{};
  std::chrono::duration<double> cpu{}; ///< Of this process, without the clients.
  double batch_mean = 0;               ///< Posts in one commit.
  std::vector<microseconds> latencies; ///< Of each post; empty for the bare loop.

  double per_second() const;
  double per_core_second() const;
};

/// Sorts `latencies` and returns the one that `share` (0 to 1) of them do not exceed.
microseconds percentile(std::vector<microseconds>& latencies, double share);

/// CPU that this process has used so far, and that this thread has.
std::chrono::duration<double> process_cpu();
std::chrono::duration<double> thread_cpu();

/// Microseconds of one post, by the stage that they go to.
using stage_costs = std::vector<std::pair<std::string, double>>;

class report {
public:
  explicit report(bool as_json) : as_json_{as_json} {}

  /// Prints one line. `bare` is the bare loop's posts per second with the same batches; 0: none.
  void add(load_figures figures, double bare);
  void add(std::string_view database, const stage_costs& stages);

private:
  bool as_json_;
  bool has_head_ = false;
};

} // namespace trunkline::bench
