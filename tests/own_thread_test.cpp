#include "actors/own_thread.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <openssl/err.h>

#include <functional>
#include <future>
#include <thread>
#include <utility>

using namespace trunkline;

namespace {

/// Leaves an error in OpenSSL's queue for its thread, and ends. What is attached first is called
/// last: `at_end` sees what the others leave.
class careless : public caf::event_based_actor {
public:
  careless(caf::actor_config& config, std::function<void()> at_end)
      : caf::event_based_actor{config} {
    attach_functor(std::move(at_end));
  }

  caf::behavior make_behavior() override {
    return {[this](caf::tick_atom) {
      ERR_raise(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT);
      quit();
    }};
  }
};

} // namespace

TEST_CASE("an actor with a thread of its own leaves nothing of OpenSSL in it", "[own_thread]") {
  auto config = caf::actor_system_config{};
  auto system = caf::actor_system{config};
  const auto left_by = [&](auto spawned) {
    auto left = std::promise<std::pair<std::thread::id, unsigned long>>{};
    auto at_end = [&] { left.set_value({std::this_thread::get_id(), ERR_peek_error()}); };
    caf::anon_send(spawned(system.spawn<careless, caf::detached>(at_end)), caf::tick_atom_v);
    const auto [thread, fault] = left.get_future().get();
    CHECK(thread != std::this_thread::get_id());
    return fault;
  };
  CHECK(left_by([](caf::actor actor) { return on_own_thread(std::move(actor)); }) == 0);
  CHECK(left_by([](caf::actor actor) { return actor; }) != 0); // without it
}
