// A bot: an account that answers whoever names it.
//
// Its test needs no port and no pause: the bot lives in a world of virtual time, and the person
// who writes to it on another server that exists in memory. Start it with a configuration file
// instead, and it serves until SIGTERM.

#include <trunkline/engine.hpp>
#include <trunkline/testing.hpp>

#include <chrono>
#include <iostream>

using namespace std::chrono_literals;

namespace {

/// Lets `name` answer every post that mentions it. The engine must outlive what this adds, and is
/// known only after it was built: hence the pointer.
trunkline::engine::builder with_bot(trunkline::engine::builder parts, const std::string& name,
                                    trunkline::engine* const* engine, const std::string* bot) {
  parts.on_post([=](const trunkline::post_event& post) {
    if (post.change != trunkline::post_change::created || post.author == name)
      return;
    for (const auto& mentioned : post.mentions) {
      if (mentioned != name)
        continue;
      // The same key makes the same answer, should the event ever come twice.
      const auto answer = (*engine)->post(*bot, {.text = "@" + post.author + " You rang?",
                                                 .reply_to_id = post.id,
                                                 .idempotency_key = "answer-" + post.id});
      if (!answer)
        std::cerr << answer.error().message << '\n';
    }
  });
  return parts;
}

int fail(const std::string& why) {
  std::cerr << why << '\n';
  return 1;
}

int serve(const char* file) {
  const auto options = trunkline::options::from_file(file);
  if (!options)
    return fail(options.error().message);
  trunkline::engine* self = nullptr;
  auto bot = std::string{};
  auto engine = with_bot(trunkline::engine::builder{*options}, "bot", &self, &bot).start();
  if (!engine)
    return fail(engine.error().message);
  self = &*engine;
  if (const auto ready = engine->wait_ready(60s); !ready)
    return fail(ready.error().message);
  auto account = engine->find_account("bot");
  if (!account)
    account = engine->create_account({.name = "bot"});
  if (!account)
    return fail(account.error().message);
  bot = account->id;
  engine->run_until_signal();
  return engine->drain(25s) ? 0 : 1;
}

int rehearse() {
  trunkline::engine* self = nullptr;
  auto bot = std::string{};
  auto world = trunkline::testing::world{};
  auto engine = world.start(
      with_bot(trunkline::engine::builder{*trunkline::options::for_domain("bots.example")}, "bot",
               &self, &bot));
  if (!engine)
    return fail(engine.error().message);
  self = &*engine;
  const auto account = engine->create_account({.name = "bot"});
  if (!account)
    return fail(account.error().message);
  bot = account->id;

  auto& elsewhere = world.server("people.example");
  auto carol = elsewhere.actor("carol");
  carol.post("<p>Anybody there, @bot?</p>", "bot@bots.example");
  world.advance(1min);
  for (const auto& activity : elsewhere.received())
    if (activity.type == "Create" && activity.signature_ok)
      std::cout << "carol got: " << activity.content << '\n';
  return elsewhere.received().empty() ? fail("the bot did not answer") : 0;
}

} // namespace

int main(int count, char** arguments) {
  return count > 1 ? serve(arguments[1]) : rehearse();
}
