// Histories of outbound delivery by two nodes over one database that hand shards to and fro, and
// die: 200 of at least five minutes each on a fake clock. A history that does not agree tells its
// seed: replay it with TRUNKLINE_SEED, and with TRUNKLINE_STORY=1 to read what happens.
// TRUNKLINE_SEEDS says how many are run, TRUNKLINE_FIRST_SEED where they begin.
#include "tests/simulation/delivery_history.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>

using namespace trunkline;

namespace {

constexpr auto two = std::size_t{2};
constexpr auto seeds_usual = std::int64_t{200};
constexpr auto twice_each = 50; ///< Seeds between two that are run twice.

std::int64_t number_of(const char* name, std::int64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

struct moves_outcome {
  std::vector<std::string> wrong;
  std::uint64_t trace = 0;
};

moves_outcome run_moves(std::int64_t seed, simulation::history_sums& total) {
  auto history = simulation::delivery_history{static_cast<std::uint64_t>(seed), {}, two};
  if (std::getenv("TRUNKLINE_STORY"))
    history.narrate_to(std::cout);
  auto wrong = history.run(total);
  return {std::move(wrong), history.trace()};
}

} // namespace

TEST_CASE("shards that change their nodes lose nothing, and nothing is doubled by it",
          "[delivery_moves]") {
  const auto only = number_of("TRUNKLINE_SEED", 0);
  const auto first = only ? only : number_of("TRUNKLINE_FIRST_SEED", 1);
  const auto wanted = only ? 1 : number_of("TRUNKLINE_SEEDS", seeds_usual);
  auto total = simulation::history_sums{};
  for (auto seed = first; seed < first + wanted; ++seed) {
    const auto history = run_moves(seed, total);
    for (const auto& what : history.wrong)
      std::cout << "seed " << seed << ": " << what << '\n';
    INFO("replay with TRUNKLINE_SEED=" << seed);
    CHECK(history.wrong.empty());
    if (only || seed % twice_each == 1) {
      auto ignored = simulation::history_sums{};
      CHECK(run_moves(seed, ignored).trace == history.trace);
    }
  }
  std::cout << "moves: " << total.seeds << " seeds, " << total.moves << " shards moved by running"
            << " nodes, " << total.node_deaths << " deaths of a node, " << total.crashes
            << " of both, " << total.rows << " rows, " << total.owed << " units owed, "
            << total.taken << " taken, " << total.repeats << " repeated\n";
  if (only)
    return;
  CHECK(total.moves > 5 * total.seeds);
  CHECK(total.node_deaths > total.seeds);
  CHECK(total.taken > 50 * total.seeds);
}
