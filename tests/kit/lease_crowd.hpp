/// Keepers of leases on one database, on a clock of the test's.
#pragma once

#include "storage/lease_keeper.hpp"
#include "tests/kit/clocked_database.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// One process of a node.
struct member {
  member(database& inner, const std::string& name, const std::string& holder,
         std::function<boot_time()> now)
      : db{inner}, keeper{{.name = name, .holder = holder}, std::move(now), [this] {
                            return renewal_words{.unreachable = unreachable};
                          }} {}

  lease_phase phase() const { return keeper.status().phase; }

  clocked_database db;
  std::vector<std::string> unreachable; ///< What it says with each renewal.
  lease_keeper keeper;
  boot_time due;         ///< As its last step said.
  bool is_still = false; ///< Killed or frozen.
};

/// Members on one database; their clock and its clock are the test's.
struct crowd {
  explicit crowd(test_database& fresh) : inner{fresh.db()} {
    make_test_clock(inner, time_point{server_ahead});
  }

  member& add(const std::string& name) { return add(name, name); }
  member& add(const std::string& name, const std::string& holder) {
    return *members.emplace_back(
        std::make_unique<member>(inner, name, holder, [this] { return now; }));
  }

  void set_clock() {
    set_test_clock(inner, time_point{server_ahead + std::chrono::floor<std::chrono::microseconds>(
                                                        now.time_since_epoch())});
  }

  /// Steps whoever is due, in order, until nobody is before now and `time`.
  void run(boot_clock::duration time) {
    const auto until = now + time;
    while (step_first(until)) {
    }
    now = until;
    set_clock();
  }

  bool step_first(boot_time until) {
    auto* next = first_due(until);
    if (!next)
      return false;
    now = std::max(now, next->due);
    set_clock();
    next->due = next->keeper.step(next->db);
    return true;
  }

  member* first_due(boot_time until) {
    auto* first = static_cast<member*>(nullptr);
    for (const auto& one : members)
      if (!one->is_still && one->due <= until && (!first || one->due < first->due))
        first = one.get();
    return first;
  }

  bool serves(const member& one) const { return one.keeper.status().may_serve(now); }

  /// Returns how long it takes until `one` may serve; a minute is for ever.
  boot_clock::duration until_serving(const member& one) {
    const auto begun = now;
    while (!serves(one) && step_first(begun + std::chrono::seconds{60})) {
    }
    CHECK(serves(one));
    return now - begun;
  }

  database& inner;
  std::chrono::microseconds server_ahead =
      std::chrono::seconds{1'800'000'000}; ///< Of the members' clock.
  boot_time now{std::chrono::seconds{100}};
  std::vector<std::unique_ptr<member>> members;
};

/// On SQLite and on PostgreSQL.
inline void with_crowds(const std::function<void(crowd&)>& body) {
  on_both([&](test_database& fresh) {
    auto world = crowd{fresh};
    body(world);
  });
}

inline caf::error away() {
  return make_error(errc::unavailable, "away");
}

} // namespace trunkline::kit
