/// What arrived at the fake hosts: every delivery in order, which activity it was, and whether the
/// host had it before.
///
/// A post carries the time at which its author began to send it in its text, "[[NAME@NANOSECONDS]]"
/// (of the wall clock); arrivals are measured against that. Memory is bounded: past `arrivals_max`
/// and `activities_max` deliveries are counted and not kept.
#pragma once

#include "bench/farm_checks.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace trunkline::bench {

struct farm_activity {
  std::string id;
  std::string type;
  std::string object;      ///< Its id.
  std::string object_type; ///< "" for a link.
  std::string marker;      ///< NAME of the text's mark.
  std::int64_t posted_ns = 0;
  std::vector<std::uint64_t> seen; ///< A bit per host.
};

struct farm_arrival {
  std::int64_t at_ns = 0; ///< Wall clock.
  std::uint32_t activity = 0;
  std::uint32_t host = 0;
  bool is_repeated = false;
};

/// Arrivals at some hosts of activities that were posted in a time.
struct arrival_figures {
  std::uint64_t arrivals = 0;
  std::uint64_t unique = 0;
  std::uint64_t timed = 0; ///< With a latency.
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double most_ms = 0;
  std::int64_t first_ns = 0; ///< Of the arrivals, wall clock.
  std::int64_t last_ns = 0;
};

class farm_records {
public:
  struct limits {
    std::size_t arrivals_max = 16'000'000;
    std::size_t activities_max = 2'000'000;
  };

  farm_records(std::size_t hosts, limits most) : hosts_{hosts}, limits_{most} {}

  /// Notes a delivery that `host` has taken; returns whether it had it before.
  bool note(const body_hash& hash, std::string_view body, std::uint32_t host, std::int64_t now_ns);

  void reset();

  std::uint64_t unique() const { return unique_; }
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t not_kept() const { return not_kept_; }
  std::uint64_t not_activities() const { return not_activities_; }
  const std::vector<farm_activity>& activities() const { return activities_; }
  const std::vector<farm_arrival>& arrivals() const { return arrivals_; }

  /// Figures of the hosts in `wanted` (a flag for each), of activities posted from `since_ns` to
  /// before `until_ns`. Those without a mark count when `since_ns` is 0.
  arrival_figures figures(const std::vector<bool>& wanted, std::int64_t since_ns,
                          std::int64_t until_ns) const;

private:
  struct hash_of_hash {
    std::size_t operator()(const body_hash& hash) const {
      auto head = std::size_t{0};
      std::memcpy(&head, hash.data(), sizeof head);
      return head;
    }
  };

  std::uint32_t activity_of(const body_hash& hash, std::string_view body);

  std::size_t hosts_;
  limits limits_;
  std::uint64_t unique_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t not_kept_ = 0;
  std::uint64_t not_activities_ = 0;
  std::vector<farm_activity> activities_;
  std::unordered_map<body_hash, std::uint32_t, hash_of_hash> by_body_;
  std::unordered_map<std::string, std::uint32_t> by_id_;
  std::vector<farm_arrival> arrivals_;
};

} // namespace trunkline::bench
