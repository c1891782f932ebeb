// As many histories of outbound delivery as three minutes allow, at least 300, each of at least
// five minutes on a fake clock. A history that does not agree tells its seed: replay it with
// TRUNKLINE_SEED, and with TRUNKLINE_STORY=1 to read what happens. TRUNKLINE_SEEDS says how many
// are run, TRUNKLINE_FIRST_SEED where they begin.
#include "storage/sqlite_database.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/temp_folder.hpp"
#include "tests/simulation/delivery_history.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto seeds_least = 300;
constexpr auto time_allowed = 170s;
constexpr auto on_file_every = 50; ///< Seeds between two whose database is a file.
constexpr auto twice_every = 50;   ///< Seeds between two that are run twice.

std::int64_t number_from(const char* name, std::int64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

kit::open_connection in(const kit::temp_folder& folder) {
  return [path = folder / "delivery.db"](bool writer) {
    return kit::must(open_sqlite(path, writer ? sqlite_mode::writer : sqlite_mode::reader));
  };
}

struct outcome {
  std::vector<std::string> wrong;
  std::uint64_t trace = 0;
};

outcome run(std::int64_t seed, bool on_file, simulation::history_sums& total) {
  const auto folder = kit::temp_folder{};
  auto history = simulation::delivery_history{static_cast<std::uint64_t>(seed),
                                              on_file ? in(folder) : kit::open_connection{}};
  if (std::getenv("TRUNKLINE_STORY"))
    history.narrate_to(std::cout);
  auto wrong = history.run(total);
  return {std::move(wrong), history.trace()};
}

/// Whether another seed is to be run.
bool goes_on(std::int64_t done, std::int64_t wanted, std::chrono::steady_clock::time_point began) {
  if (wanted > 0)
    return done < wanted;
  return done < seeds_least || std::chrono::steady_clock::now() - began < time_allowed;
}

void tell(const simulation::history_sums& of) {
  std::cout << "simulation: " << of.seeds << " seeds, "
            << std::chrono::duration_cast<std::chrono::minutes>(of.time).count()
            << " minutes of fake time, " << of.messages << " messages, " << of.rows << " rows, "
            << of.owed << " units owed, " << of.taken << " taken, " << of.repeats << " repeated, "
            << of.failures << " failed, " << of.superseded << " superseded, " << of.dead
            << " dead letters, " << of.crashes << " crashes, " << of.host_deaths
            << " deaths of hosts, " << of.faults << " faults of commits, " << of.orders
            << " orders, " << of.rounds << " days of healing\n";
}

} // namespace

TEST_CASE("every history of delivery ends with everything delivered, in order, and no more",
          "[delivery_simulation]") {
  const auto only = number_from("TRUNKLINE_SEED", 0);
  const auto first = only ? only : number_from("TRUNKLINE_FIRST_SEED", 1);
  const auto wanted = only ? 1 : number_from("TRUNKLINE_SEEDS", 0);
  const auto began = std::chrono::steady_clock::now();
  auto total = simulation::history_sums{};
  auto failed = std::int64_t{0};
  for (auto seed = first; goes_on(seed - first, wanted, began); ++seed) {
    const auto on_file = seed % on_file_every == 0;
    const auto history = run(seed, on_file, total);
    failed += !history.wrong.empty();
    for (const auto& what : history.wrong)
      std::cout << "seed " << seed << ": " << what << '\n';
    INFO("replay with TRUNKLINE_SEED=" << seed);
    CHECK(history.wrong.empty());
    if (only || seed % twice_every == 1) {
      auto ignored = simulation::history_sums{};
      CHECK(run(seed, on_file, ignored).trace == history.trace);
    }
  }
  tell(total);
  if (only || failed > 0)
    return;
  CHECK(total.time >= total.seeds * 5min);
  CHECK(total.taken > 50 * total.seeds);
  CHECK(total.crashes > total.seeds);
  CHECK(total.failures > 10 * total.seeds);
}
