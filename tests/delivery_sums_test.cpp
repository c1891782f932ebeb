// Every unit is counted once, whatever crashes: random histories of the books against an
// independent count. Replay one with TRUNKLINE_SEED=<seed>.
#include "tests/simulation/books_history.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace trunkline;

namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

TEST_CASE("every unit is counted once in random histories with crashes",
          "[delivery_books][delivery_sums]") {
  if (const auto only = number_from("TRUNKLINE_SEED", 0); only != 0)
    return simulation::books_history{only}.run(400);
  const auto seeds = number_from("TRUNKLINE_SEEDS", 60);
  for (auto seed = std::uint64_t{1}; seed <= seeds; ++seed) {
    CAPTURE(seed);
    simulation::books_history{seed}.run(400);
  }
}
