// Two engines in one process under load, 1,000 posts each way; one of them is stopped and started
// in between. Every post that was answered reaches the other server, once.

#include "tests/kit/local_network.hpp"
#include "tests/kit/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto posts_each = 1'000;
constexpr auto writers = 4;

/// How long everything may take; a bound for a test that hangs, not a measure.
constexpr auto patience = 600s;

template <class T>
T need(result<T> got) {
  if (!got)
    throw std::runtime_error{got.error().message};
  return std::move(*got);
}

/// A server of the test, which can be stopped and started on its folder.
class server {
public:
  server(std::string domain, std::shared_ptr<kit::local_network> network)
      : domain_{std::move(domain)}, network_{std::move(network)} {
    start();
  }

  ~server() { stop(); }

  void start() {
    const auto held = std::unique_lock{mutex_};
    engine_.emplace(need(engine::builder{need(options::for_domain(domain_))}
                             .storage(store::sqlite(folder_.path()))
                             .transport(network_)
                             .log([](const log_line&) {})
                             .start()));
    need(engine_->wait_ready(60s));
    network_->connect(domain_, *engine_);
  }

  void stop() {
    const auto held = std::unique_lock{mutex_};
    network_->disconnect(domain_);
    if (engine_)
      CHECK(engine_->drain(30s));
    engine_.reset();
  }

  /// Calls `call` with the engine; nothing while it is stopped.
  template <class Call>
  auto with(Call call) -> std::optional<decltype(call(std::declval<engine&>()))> {
    const auto held = std::shared_lock{mutex_};
    if (!engine_)
      return std::nullopt;
    return call(*engine_);
  }

  const std::string& domain() const { return domain_; }

private:
  const std::string domain_;
  const std::shared_ptr<kit::local_network> network_;
  const kit::temp_folder folder_;
  std::shared_mutex mutex_; ///< Guards the engine's coming and going.
  std::optional<engine> engine_;
};

struct person {
  server& home;
  std::string name;
  std::string id;
  std::atomic<int> answered = 0;
  std::atomic<int> refused = 0; ///< Posts that no server may refuse.
};

std::string text_of(const person& author, int number) {
  return author.name + " writes number " + std::to_string(number);
}

/// Publishes one post, however often the server is away meanwhile.
void publish(person& author, int number, std::atomic<bool>& over) {
  const auto draft = new_post{.text = text_of(author, number),
                              .idempotency_key = author.name + std::to_string(number)};
  while (!over) {
    const auto made = author.home.with([&](engine& node) { return node.post(author.id, draft); });
    if (made && *made) {
      ++author.answered;
      return;
    }
    if (made && made->error().kind != failure_kind::unavailable &&
        made->error().kind != failure_kind::timed_out) {
      ++author.refused;
      over = true;
    }
    std::this_thread::sleep_for(10ms);
  }
}

std::vector<std::thread> start_writing(person& author, std::atomic<bool>& over) {
  auto threads = std::vector<std::thread>{};
  for (auto first = 0; first < writers; ++first)
    threads.emplace_back([&author, &over, first] {
      for (auto number = first; number < posts_each; number += writers)
        publish(author, number, over);
    });
  return threads;
}

/// How often each text of `author` is at `reader`'s server.
std::map<std::string, int> seen_by(person& reader, const person& author) {
  auto out = std::map<std::string, int>{};
  const auto them = need(*reader.home.with(
      [&](engine& node) { return node.find_account(author.name + "@" + author.home.domain()); }));
  auto part = page{.limit = 40};
  while (true) {
    const auto posts = need(
        *reader.home.with([&](engine& node) { return node.posts_of(reader.id, them.id, part); }));
    if (posts.empty())
      return out;
    for (const auto& post : posts)
      ++out[post.content];
    part.max_id = posts.back().id;
  }
}

void befriend(person& one, person& other) {
  const auto address = other.name + "@" + other.home.domain();
  const auto end = std::chrono::steady_clock::now() + 60s;
  need(*one.home.with([&](engine& node) { return node.follow(one.id, address); }));
  while (need(*one.home.with([&](engine& node) { return node.following(one.id, address); })) !=
         follow_state::following) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(20ms);
  }
}

std::string create(server& home, const std::string& name) {
  return need(*home.with([&](engine& node) { return node.create_account({.name = name}); })).id;
}

void check_complete(person& reader, const person& author) {
  const auto seen = seen_by(reader, author);
  CHECK(seen.size() == posts_each);
  auto repeated = 0;
  for (const auto& [text, times] : seen)
    repeated += times != 1;
  CHECK(repeated == 0);
}

} // namespace

TEST_CASE("two engines under load lose nothing while one is restarted", "[two_engines]") {
  const auto network = std::make_shared<kit::local_network>();
  auto apple = server{"apple.example", network};
  auto birch = server{"birch.example", network};
  auto alice = person{apple, "alice", create(apple, "alice")};
  auto bob = person{birch, "bob", create(birch, "bob")};
  befriend(alice, bob);
  befriend(bob, alice);

  auto over = std::atomic<bool>{false};
  auto threads = start_writing(alice, over);
  for (auto& thread : start_writing(bob, over))
    threads.push_back(std::move(thread));
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!over && alice.answered < posts_each / 3 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(10ms);
  birch.stop();
  const auto answered_before = alice.answered.load();
  while (!over && alice.answered < answered_before + posts_each / 10 &&
         alice.answered < posts_each && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(10ms); // apple goes on alone
  birch.start();

  while (!over && (alice.answered < posts_each || bob.answered < posts_each) &&
         std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(20ms);
  over = true;
  for (auto& thread : threads)
    thread.join();
  CHECK(alice.refused + bob.refused == 0);
  REQUIRE(alice.answered == posts_each);
  REQUIRE(bob.answered == posts_each);

  while ((seen_by(bob, alice).size() < posts_each || seen_by(alice, bob).size() < posts_each) &&
         std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(250ms);
  check_complete(bob, alice);
  check_complete(alice, bob);
}
