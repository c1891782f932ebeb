#include "engine/node_actors.hpp"
#include "engine/node_storage.hpp"
#include "kit/temp_folder.hpp"
#include "protocol/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <mutex>
#include <string>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

time_point system_time() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// The actors of a node on an empty SQLite database, and what they call for help with.
struct scene {
  scene() {
    auto& config = options.config.values;
    config.server.domain = "trunkline.example";
    config.storage.folder = folder.path().string();
    auto databases = open_databases(options, system_time);
    REQUIRE(databases);
    home = std::make_unique<actor_home>(options);
    actors = std::make_unique<node_actors>(
        *home, options, std::move(*databases), system_time,
        node_alarms{.lost = [this](const caf::error& problem) {
          std::call_once(once, [&] { lost.set_value(context_of(problem)); });
        }});
  }

  kit::temp_folder folder;
  node_options options;
  std::once_flag once;
  std::promise<std::string> lost;
  std::unique_ptr<actor_home> home;
  std::unique_ptr<node_actors> actors;
};

} // namespace

TEST_CASE("a node that loses its fan-out says so instead of showing an old state",
          "[node_actors][F38]") {
  auto made = scene{};
  auto told = made.lost.get_future();
  caf::anon_send_exit(made.actors->fanout, caf::exit_reason::kill);
  REQUIRE(told.wait_for(60s) == std::future_status::ready);
  CHECK(told.get().find("fanout") == 0);
}

TEST_CASE("actors that are told to end are not missed", "[node_actors]") {
  auto made = scene{};
  auto told = made.lost.get_future();
  made.actors->end();
  CHECK(told.wait_for(0s) == std::future_status::timeout);
}
