// What leaves a node only while its lease is held.

#include "actors/leased_sender.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

class noting_sender final : public http_sender {
public:
  void send(outgoing_request request, exchange_handler) override { sent.push_back(request.id); }
  void cancel(std::uint64_t id) override { cancelled.push_back(id); }

  std::vector<std::uint64_t> sent;
  std::vector<std::uint64_t> cancelled;
};

} // namespace

TEST_CASE("without its lease a node sends nothing", "[lease]") {
  const auto inner = std::make_shared<noting_sender>();
  const auto lease = std::make_shared<node_lease>();
  auto sender = leased_sender{inner, lease};
  auto refused = 0;
  const auto ask = [&](std::uint64_t id) {
    sender.send({.id = id}, [&](const exchange_outcome& outcome) {
      REQUIRE(outcome.failure());
      refused += outcome.failure()->phase == exchange_phase::refused;
    });
  };
  ask(1);
  CHECK(refused == 1);
  lease->hold_until(boot_clock::now() + 1h);
  ask(2);
  lease->hold_until(boot_clock::now()); // it was not renewed
  ask(3);
  CHECK(refused == 2);
  CHECK(inner->sent == std::vector<std::uint64_t>{2});
  sender.cancel(2); // what is under way can be ended all the same
  CHECK(inner->cancelled == std::vector<std::uint64_t>{2});
}

TEST_CASE("a node that shares nothing needs no lease", "[lease]") {
  const auto inner = std::make_shared<noting_sender>();
  auto sender = leased_sender{inner, nullptr};
  sender.send({.id = 1}, [](const exchange_outcome&) { FAIL("it was refused"); });
  CHECK(inner->sent.size() == 1);
}
