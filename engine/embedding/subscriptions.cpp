#include "engine/embedding/subscriptions.hpp"

#include "engine/embedding/callback_worker.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/embedding/home_news.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

constexpr auto tries_max = 10;   ///< 5 ms, then twice as long each: 5 s together.
constexpr auto world_pause = 5s; ///< In a virtual world, before what is left is tried again.
constexpr std::size_t told_max = 1'024;

bool is_new_post(const log_entry& row) {
  return row.facts && (row.kind == log_kind::create || row.kind == log_kind::announce);
}

std::int64_t smaller_of(std::int64_t known, std::int64_t id) {
  return known == 0 ? id : std::min(known, id);
}

/// Whoever is at fault, the next post is told.
void call_safely(const timeline_function& call, const post_card& post) {
  try {
    call(post);
  } catch (...) { // an embedder's exception ends here
  }
}

} // namespace

struct subscriptions::subscriber {
  account_id account;
  timeline_function call;
  std::set<std::int64_t> told; ///< The newest ones. The worker's alone.

  /// Returns whether a call may begin.
  bool is_active() {
    const auto held = std::scoped_lock{mutex};
    return !ended;
  }

  void end() {
    const auto held = std::scoped_lock{mutex};
    ended = true;
  }

  // Guarded by the mutex of `state`:
  log_seq done = 0;      ///< Every row up to here was looked at.
  std::int64_t lost = 0; ///< The smallest id of rows that were forgotten unseen; 0: none.

private:
  std::mutex mutex;
  bool ended = false;
};

struct subscriptions::state : std::enable_shared_from_this<state> {
  struct new_row {
    log_seq seq;
    std::int64_t post;
  };
  using subscriber_ptr = std::shared_ptr<subscriber>;

  void remember(const log_entry& row);
  void forget_oldest();
  void schedule();
  void schedule_rest();
  void run();
  void forget_seen(log_seq upto);
  void serve(subscriber& one, log_seq upto);
  home_question question_for(subscriber& one, log_seq upto);
  home_answer ask(const home_question& question);
  void tell(subscriber& one, std::vector<post_card> posts);
  void finish(subscriber& one, log_seq upto, const home_question& asked, bool is_done);
  bool wait_applied(log_seq upto);
  bool pause(std::chrono::milliseconds span);
  void send(http_request request, std::shared_ptr<const caller> who, http_reply reply);
  void remove(const subscriber_ptr& one);

  std::shared_ptr<virtual_world> world;
  std::chrono::milliseconds first_pause{0};
  std::atomic<std::size_t> count = 0;      ///< Of `all`.
  std::atomic<log_seq> newest = 0;         ///< Row that the fan-out has told of.
  std::unique_ptr<callback_worker> worker; ///< Null before the first subscription.

  std::mutex door; ///< Guards `entry`: nobody goes in after `end`.
  call_entry entry;

  std::mutex mutex; ///< Guards what follows; taken before `door` never.
  std::condition_variable changed;
  std::shared_ptr<const log_position> position; ///< Null before `begin` and after `end`.
  std::vector<subscriber_ptr> all;
  std::deque<new_row> rows; ///< That somebody may not have looked at.
  bool scheduled = false;
  bool put_off = false; ///< In a virtual world: what is left has its time.
  bool ended = false;
};

void subscriptions::state::remember(const log_entry& row) {
  const auto held = std::scoped_lock{mutex};
  if (ended || all.empty())
    return;
  if (rows.size() >= rows_max)
    forget_oldest();
  rows.push_back({row.seq, row.facts->id.value});
  schedule();
}

void subscriptions::state::forget_oldest() {
  const auto oldest = rows.front();
  rows.pop_front();
  for (const auto& one : all)
    if (one->done < oldest.seq)
      one->lost = smaller_of(one->lost, oldest.post);
}

/// With the mutex held.
void subscriptions::state::schedule() {
  if (!scheduled && worker)
    scheduled = worker->post([inside = shared_from_this()] { inside->run(); });
}

/// What could not be read is tried again, also when no other row comes. The tries before have taken
/// their time. With the mutex held.
void subscriptions::state::schedule_rest() {
  if (rows.empty() || scheduled)
    return;
  if (!world)
    return schedule();
  if (std::exchange(put_off, true))
    return;
  world->after(world_pause, [weak = weak_from_this()] {
    const auto alive = weak.lock();
    if (!alive)
      return;
    const auto held = std::scoped_lock{alive->mutex};
    alive->put_off = false;
    if (!alive->rows.empty())
      alive->schedule();
  });
}

void subscriptions::state::run() {
  auto present = std::vector<subscriber_ptr>{};
  auto upto = log_seq{0};
  {
    const auto held = std::scoped_lock{mutex};
    scheduled = false;
    present = all;
    upto = rows.empty() ? 0 : rows.back().seq;
  }
  if (wait_applied(upto))
    for (const auto& one : present)
      if (one->is_active())
        serve(*one, upto);
  const auto held = std::scoped_lock{mutex};
  forget_seen(upto);
  schedule_rest();
}

/// With the mutex held.
void subscriptions::state::forget_seen(log_seq upto) {
  auto seen = upto;
  for (const auto& one : all)
    seen = std::min(seen, one->done);
  while (!rows.empty() && rows.front().seq <= seen)
    rows.pop_front();
}

void subscriptions::state::serve(subscriber& one, log_seq upto) {
  const auto question = question_for(one, upto);
  auto answer = home_answer{.verdict = home_verdict::read};
  if (!question.is_empty())
    answer = ask(question);
  finish(one, upto, question, answer.verdict != home_verdict::not_now);
  tell(one, std::move(answer.posts));
}

home_question subscriptions::state::question_for(subscriber& one, log_seq upto) {
  const auto held = std::scoped_lock{mutex};
  auto question =
      home_question{.account = one.account, .wanted = {}, .from = std::exchange(one.lost, 0)};
  for (const auto& row : rows)
    if (row.seq > one.done && row.seq <= upto)
      question.wanted.insert(row.post);
  return question;
}

/// Tries for a while: what fails now may be the load of a moment.
home_answer subscriptions::state::ask(const home_question& question) {
  const auto through_the_door = call_entry{
      .client =
          [this](http_request request, std::shared_ptr<const caller> who, http_reply reply) {
            send(std::move(request), std::move(who), std::move(reply));
          },
      .admin = {},
      .world = world};
  auto answer = home_answer{};
  auto span = first_pause;
  for (auto tries = 0; tries < tries_max; ++tries, span *= 2) {
    answer = read_home_news(through_the_door, question);
    if (answer.verdict != home_verdict::not_now || !pause(span))
      return answer;
  }
  return answer;
}

/// What could not be read stays to be read, by the next turn.
void subscriptions::state::finish(subscriber& one, log_seq upto, const home_question& asked,
                                  bool is_done) {
  const auto held = std::scoped_lock{mutex};
  if (is_done)
    one.done = std::max(one.done, upto);
  else if (asked.from > 0)
    one.lost = smaller_of(one.lost, asked.from);
}

void subscriptions::state::tell(subscriber& one, std::vector<post_card> posts) {
  for (const auto& post : posts) {
    const auto id = parse_id(post.id);
    if (!id || !one.told.insert(*id).second)
      continue;
    if (one.told.size() > told_max)
      one.told.erase(one.told.begin());
    if (!one.is_active())
      return;
    call_safely(one.call, post);
  }
}

/// A row is told of before it is in every home; reads wait for what this node has committed, but
/// the row may be another node's.
bool subscriptions::state::wait_applied(log_seq upto) {
  auto span = first_pause;
  for (auto tries = 0; tries < tries_max; ++tries, span *= 2) {
    {
      const auto held = std::scoped_lock{mutex};
      if (ended || !position)
        return false;
      if (position->applied() >= upto)
        return true;
    }
    pause(span);
  }
  return false;
}

/// Returns whether there is still somebody to wait for.
bool subscriptions::state::pause(std::chrono::milliseconds span) {
  const auto is_over = [this] {
    const auto held = std::scoped_lock{mutex};
    return ended;
  };
  if (world)
    return !world->run_until(is_over, span);
  auto held = std::unique_lock{mutex};
  return !changed.wait_for(held, span, [this] { return ended; });
}

void subscriptions::state::send(http_request request, std::shared_ptr<const caller> who,
                                http_reply reply) {
  const auto held = std::scoped_lock{door};
  if (entry.client)
    return entry.client(std::move(request), std::move(who), std::move(reply));
  reply({.status = 503});
}

void subscriptions::state::remove(const subscriber_ptr& one) {
  one->end();
  const auto held = std::scoped_lock{mutex};
  std::erase(all, one);
  count = all.size();
  if (all.empty())
    rows.clear();
}

subscriptions::subscriptions(std::shared_ptr<virtual_world> world,
                             std::chrono::milliseconds first_pause)
    : state_{std::make_shared<state>()} {
  state_->world = std::move(world);
  state_->first_pause = first_pause;
}

subscriptions::~subscriptions() {
  end(std::chrono::milliseconds{0});
}

void subscriptions::begin(call_entry entry, std::shared_ptr<const log_position> position) {
  {
    const auto held = std::scoped_lock{state_->door};
    state_->entry = std::move(entry);
  }
  const auto held = std::scoped_lock{state_->mutex};
  state_->position = std::move(position);
}

result<subscription> subscriptions::add(account_id account, timeline_function call) {
  auto one = std::make_shared<subscriber>();
  one->account = account;
  one->call = std::move(call);
  const auto held = std::scoped_lock{state_->mutex};
  if (!state_->position || state_->ended)
    return make_failure(failure_kind::unavailable, "subscribe", "the engine is not ready",
                        "try again");
  if (state_->all.size() >= subscriptions_max)
    return make_failure(failure_kind::too_large, "subscribe",
                        "an engine has at most 256 subscriptions", "end others first");
  try {
    if (!state_->worker)
      state_->worker = std::make_unique<callback_worker>(1, state_->world);
  } catch (const std::system_error& problem) {
    return make_failure(failure_kind::unavailable, "subscribe",
                        std::string{"no thread can be started: "} + problem.what());
  }
  state_->all.push_back(one);
  state_->count = state_->all.size();
  // After `count` has risen: a row that the fan-out did not tell of is no newer than `newest`.
  one->done = std::max(state_->position->committed(), state_->newest.load());
  const auto handle = std::shared_ptr<void>{one.get(), [weak = std::weak_ptr{state_}, one](void*) {
                                              if (const auto alive = weak.lock())
                                                return alive->remove(one);
                                              one->end();
                                            }};
  return subscription{handle};
}

void subscriptions::apply(const log_entry& row) {
  state_->newest = row.seq;
  if (state_->count > 0 && is_new_post(row))
    state_->remember(row);
}

void subscriptions::end(std::chrono::milliseconds limit) {
  auto all = std::vector<std::shared_ptr<subscriber>>{};
  {
    const auto held = std::scoped_lock{state_->mutex};
    state_->ended = true;
    all.swap(state_->all);
    state_->count = 0;
    state_->rows.clear();
  }
  state_->changed.notify_all();
  for (const auto& one : all)
    one->end();
  {
    const auto held = std::scoped_lock{state_->door};
    state_->entry = {};
  }
  if (state_->worker)
    state_->worker->stop(limit);
  const auto held = std::scoped_lock{state_->mutex};
  state_->position.reset();
}

} // namespace trunkline
