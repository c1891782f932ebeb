// Moderation: a filter that refuses and marks, a hook that counts, a webhook that is signed.
//
// The webhook's receiver is in this program: a transport takes the request and verifies it as any
// receiver would.

#include <trunkline/engine.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

namespace {

constexpr auto secret = "a secret of at least 24 bytes";

/// Refuses casinos, hides spoilers.
struct house_rules final : trunkline::content_filter {
  trunkline::verdict check(const trunkline::activity_origin& from,
                           trunkline::filtered_activity& activity) override {
    if (activity.content.find("casino") != std::string::npos)
      return trunkline::verdict::reject("no advertisements");
    if (activity.content.find("ending") != std::string::npos) {
      activity.summary = "Spoiler";
      return trunkline::verdict::rewrite() | trunkline::verdict::mark_sensitive();
    }
    return from.local ? trunkline::verdict::accept() : trunkline::verdict::delist();
  }
};

/// What a receiver does with a webhook's request.
class receiver final : public trunkline::http_transport {
public:
  void send(trunkline::transport_request request,
            std::function<void(trunkline::transport_answer)> done) override {
    const auto genuine = trunkline::verify_webhook(request.headers, request.body, secret,
                                                   std::chrono::system_clock::now());
    if (!genuine) {
      std::cerr << genuine.error().message << '\n';
      return done(trunkline::web_response{.status = 401});
    }
    ++received;
    done(trunkline::web_response{.status = 204});
  }

  std::atomic<int> received = 0;
};

int fail(const std::string& why) {
  std::cerr << why << '\n';
  return 1;
}

} // namespace

int main() {
  const auto options = trunkline::options::for_domain("moderated.example");
  if (!options)
    return fail(options.error().message);
  auto posts = std::atomic<int>{0};
  const auto hooks = std::make_shared<receiver>();
  auto engine =
      trunkline::engine::builder{*options}
          .storage(trunkline::store::memory())
          .filter(std::make_shared<house_rules>(),
                  {.name = "house_rules", .on_failure = trunkline::filter_failure::closed})
          .on_post([&posts](const trunkline::post_event& event) {
            std::cout << event.author << " posted " << event.content << '\n';
            ++posts;
          })
          .webhook({.name = "moderators",
                    .url = "https://moderators.example/hook",
                    .secret = secret,
                    .events = {"post"}})
          .transport(hooks)
          .log([](const trunkline::log_line&) {})
          .start();
  if (!engine)
    return fail(engine.error().message);
  if (const auto ready = engine->wait_ready(30s); !ready)
    return fail(ready.error().message);

  const auto alice = engine->create_account({.name = "alice"});
  if (!alice)
    return fail(alice.error().message);
  const auto refused = engine->post(alice->id, {.text = "Visit my casino"});
  if (refused || refused.error().kind != trunkline::failure_kind::rejected)
    return fail("the filter did not refuse");
  std::cout << "refused: " << refused.error().message << '\n';
  const auto marked = engine->post(alice->id, {.text = "The ending is sad"});
  if (!marked || !marked->sensitive || marked->spoiler != "Spoiler")
    return fail("the filter did not mark");

  for (auto tries = 0; tries < 600 && (posts == 0 || hooks->received == 0); ++tries)
    std::this_thread::sleep_for(50ms);
  for (const auto& filter : engine->filters())
    std::cout << filter.name << ": " << filter.checked << " checked, " << filter.rejected
              << " rejected\n";
  return posts == 1 && hooks->received == 1 ? 0 : fail("the hook or the webhook missed the post");
}
