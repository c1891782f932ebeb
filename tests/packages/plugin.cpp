// What a host program loads: a shared object of its own that stands on the engine's.

#include <trunkline/engine.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

namespace {

int failed(const char* step, const trunkline::failure& why) {
  std::fprintf(stderr, "plugin: %s: %s\n", step, why.message.c_str());
  return 1;
}

/// An account that posts to itself, heard by a subscription; the account stays in the folder.
int live(trunkline::engine& engine) {
  auto account = engine.find_account("alice");
  if (!account)
    account = engine.create_account({.name = "alice"});
  if (!account)
    return failed("account", account.error());
  const auto heard = engine.subscribe(account->id, [](const trunkline::post_card&) {});
  if (!heard)
    return failed("subscribe", heard.error());
  if (const auto post = engine.post(account->id, {.text = "again"}); !post)
    return failed("post", post.error());
  const auto home = engine.home(account->id);
  if (!home)
    return failed("home", home.error());
  if (home->empty()) {
    std::fprintf(stderr, "plugin: home: it is empty\n");
    return 1;
  }
  return 0;
}

} // namespace

/// One whole life of an engine in `folder`; in memory when it is "". Returns 0 when all went well.
extern "C" int run_once(const char* folder) {
  auto values = trunkline::options::for_domain("plugin.example");
  if (!values)
    return failed("options", values.error());
  const auto where = std::string{folder};
  auto started =
      trunkline::engine::builder{*values}
          .storage(where.empty() ? trunkline::store::memory() : trunkline::store::sqlite(where))
          .on_post([](const trunkline::post_event&) {})
          .start();
  if (!started)
    return failed("start", started.error());
  auto engine = std::move(*started);
  if (const auto ready = engine.wait_ready(120s); !ready)
    return failed("wait_ready", ready.error());

  auto request = trunkline::web_request{};
  request.target = "/api/v1/instance";
  const auto answer = engine.handle(request);
  if (answer.status != 200 || answer.body.find("plugin.example") == std::string::npos) {
    std::fprintf(stderr, "plugin: handle: status %d\n", answer.status);
    return 1;
  }
  if (!where.empty() && live(engine) != 0)
    return 1;
  if (!engine.drain(60s)) {
    std::fprintf(stderr, "plugin: drain left something behind\n");
    return 1;
  }
  return 0;
}
