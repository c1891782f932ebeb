#include "bench/account_load.hpp"

#include "actors/messages.hpp"
#include "bench/sample_post.hpp"
#include "protocol/crypto.hpp"
#include "storage/token_store.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace trunkline::bench {

namespace {

using std::chrono::steady_clock;

constexpr auto answer_limit = std::chrono::seconds{30};

/// What all posters of one run share.
struct load_run {
  std::atomic<bool> over = false;
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t running = 0;
  std::uint64_t failures = 0;
  std::vector<microseconds> latencies;
};

struct poster_state {
  account_handle accounts;
  account_id account;
  std::shared_ptr<load_run> run;
  steady_clock::time_point sent;
  std::uint64_t failures = 0;
  std::vector<microseconds> latencies;
};

using poster = caf::stateful_actor<poster_state>;

void end(poster* self) {
  auto& state = self->state;
  const std::lock_guard lock{state.run->mutex};
  state.run->failures += state.failures;
  state.run->latencies.insert(state.run->latencies.end(), state.latencies.begin(),
                              state.latencies.end());
  --state.run->running;
  state.run->ended.notify_all();
  self->quit();
}

void post_next(poster* self) {
  auto& state = self->state;
  if (state.run->over)
    return end(self);
  state.sent = steady_clock::now();
  auto message = publish_post{.account = state.account,
                              .draft = {.text = std::string{sample_text}, .language = "en"}};
  self->request(state.accounts, answer_limit, std::move(message))
      .then(
          [self](post_id) {
            self->state.latencies.push_back(
                std::chrono::duration_cast<microseconds>(steady_clock::now() - self->state.sent));
            post_next(self);
          },
          [self](const caf::error&) {
            ++self->state.failures;
            post_next(self);
          });
}

caf::behavior poster_actor(poster* self, account_handle accounts, account_id account,
                           std::shared_ptr<load_run> run) {
  self->state.accounts = std::move(accounts);
  self->state.account = account;
  self->state.run = std::move(run);
  return {[self](caf::unit_t) { post_next(self); }};
}

void must(const caf::error& failure) {
  if (failure)
    throw std::runtime_error{context_of(failure)};
}

} // namespace

std::vector<account_id> make_accounts(database& db, id_source& ids, std::size_t count) {
  std::vector<account_id> accounts;
  must(db.transact([&](database& open) -> caf::error {
    for (std::size_t number = 1; number <= count; ++number) {
      const auto id = ids.next();
      if (!id)
        return id.error();
      const auto name = "poster_" + std::to_string(number);
      const auto made = open.run(
          "INSERT INTO account(id, name, folded, uri, created_at) VALUES ($1, $2, $3, $4, $5)",
          {*id, name, name, "https://bench.invalid/users/" + name, time_point{}});
      if (!made)
        return made.error();
      if (auto failure = store_token(
              open, sha256("bench-" + std::to_string(number)),
              {.account = account_id{*id}, .app = {}, .scopes = "read write", .created_at = {}}))
        return failure;
      accounts.push_back(account_id{*id});
    }
    return {};
  }));
  return accounts;
}

load_figures post_through_accounts(node_actors& actors, const std::vector<account_id>& accounts,
                                   std::size_t posters, std::chrono::seconds span) {
  const auto run = std::make_shared<load_run>();
  run->running = posters;
  auto& counters = *actors.memory.storage;
  const auto batches = counters.batches.load();
  const auto cpu = process_cpu();
  const auto begin = steady_clock::now();
  for (std::size_t i = 0; i < posters; ++i)
    caf::anon_send(actors.system().spawn(poster_actor, actors.accounts, accounts[i], run),
                   caf::unit);
  std::unique_lock lock{run->mutex};
  run->ended.wait_for(lock, span, [&] { return run->running == 0; });
  run->over = true;
  run->ended.wait(lock, [&] { return run->running == 0; });
  load_figures figures{.path = "account actor", .database = {}, .posters = posters};
  figures.wall = steady_clock::now() - begin;
  figures.cpu = process_cpu() - cpu;
  figures.posts = run->latencies.size();
  figures.failures = run->failures;
  figures.latencies = std::move(run->latencies);
  const auto committed = counters.batches.load() - batches;
  figures.batch_mean =
      committed > 0 ? static_cast<double>(figures.posts) / static_cast<double>(committed) : 0;
  return figures;
}

} // namespace trunkline::bench
