// Two engines in one process under load, 1,000 posts each way; one of them is stopped and started
// in between. Every post that was answered reaches the other server, once.

#include "tests/kit/local_network.hpp"
#include "tests/kit/running_engine.hpp"
#include "tests/kit/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

constexpr auto posts_each = 1'000;
constexpr auto writers = 4;

/// How long everything may take; a bound for a test that hangs, not a measure.
constexpr auto patience = 600s;

/// Rings when something has happened that somebody may wait for.
class bell {
public:
  void ring() {
    const auto held = std::scoped_lock{mutex_};
    ++rings_;
    changed_.notify_all();
  }

  /// Looks whether it `holds`, now and after each ring. Returns false when it has not by `end`.
  template <class Holds>
  bool wait_until(std::chrono::steady_clock::time_point end, Holds holds) {
    while (true) {
      const auto before = rings();
      if (holds())
        return true;
      auto held = std::unique_lock{mutex_};
      if (!changed_.wait_until(held, end, [&] { return rings_ != before; }))
        return false;
    }
  }

private:
  std::uint64_t rings() {
    const auto held = std::scoped_lock{mutex_};
    return rings_;
  }

  std::mutex mutex_; ///< Guards what follows.
  std::condition_variable changed_;
  std::uint64_t rings_ = 0;
};

/// A server of the test, which can be stopped and started on its folder. It rings the bell when it
/// has started, and at every activity.
class server {
public:
  server(std::string domain, std::shared_ptr<kit::local_network> network, bell& news)
      : domain_{std::move(domain)}, network_{std::move(network)}, news_{news} {
    start();
  }

  ~server() { stop(); }

  void start() {
    {
      const auto held = std::unique_lock{mutex_};
      engine_.emplace(
          kit::start_engine(engine::builder{must(options::for_domain(domain_))}
                                .storage(store::sqlite(folder_.path()))
                                .transport(network_)
                                .on_activity([this](const activity_event&) { news_.ring(); })
                                .log([](const log_line&) {})));
      network_->connect(domain_, *engine_);
    }
    news_.ring();
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
  bell& news() { return news_; }

private:
  const std::string domain_;
  const std::shared_ptr<kit::local_network> network_;
  bell& news_;
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
  const auto end = std::chrono::steady_clock::now() + patience;
  author.home.news().wait_until(end, [&] {
    const auto made = author.home.with([&](engine& node) { return node.post(author.id, draft); });
    if (made && *made) {
      ++author.answered;
      return true;
    }
    if (made && made->error().kind != failure_kind::unavailable &&
        made->error().kind != failure_kind::timed_out) {
      ++author.refused;
      over = true;
    }
    return over.load();
  });
  author.home.news().ring();
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
  const auto them = must(*reader.home.with(
      [&](engine& node) { return node.find_account(author.name + "@" + author.home.domain()); }));
  auto part = page{.limit = 40};
  while (true) {
    const auto posts = must(
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
  must(*one.home.with([&](engine& node) { return node.follow(one.id, address); }));
  REQUIRE(one.home.news().wait_until(end, [&] {
    return must(*one.home.with([&](engine& node) { return node.following(one.id, address); })) ==
           follow_state::following;
  }));
}

std::string create(server& home, const std::string& name) {
  return must(*home.with([&](engine& node) { return node.create_account({.name = name}); })).id;
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
  auto news = bell{};
  const auto network = std::make_shared<kit::local_network>();
  auto apple = server{"apple.example", network, news};
  auto birch = server{"birch.example", network, news};
  auto alice = person{apple, "alice", create(apple, "alice")};
  auto bob = person{birch, "bob", create(birch, "bob")};
  befriend(alice, bob);
  befriend(bob, alice);

  auto over = std::atomic<bool>{false};
  auto threads = start_writing(alice, over);
  for (auto& thread : start_writing(bob, over))
    threads.push_back(std::move(thread));
  const auto end = std::chrono::steady_clock::now() + patience;
  CHECK(news.wait_until(end, [&] { return over || alice.answered >= posts_each / 3; }));
  birch.stop();
  const auto enough = std::min(alice.answered + posts_each / 10, posts_each);
  CHECK(news.wait_until(end, [&] { return over || alice.answered >= enough; })); // apple alone
  birch.start();
  CHECK(news.wait_until(
      end, [&] { return over || (alice.answered == posts_each && bob.answered == posts_each); }));
  over = true;
  news.ring();
  for (auto& thread : threads)
    thread.join();
  CHECK(alice.refused + bob.refused == 0);
  REQUIRE(alice.answered == posts_each);
  REQUIRE(bob.answered == posts_each);

  CHECK(news.wait_until(end, [&] {
    return seen_by(bob, alice).size() >= posts_each && seen_by(alice, bob).size() >= posts_each;
  }));
  check_complete(bob, alice);
  check_complete(alice, bob);
}
