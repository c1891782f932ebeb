#include "actors/log_reader.hpp"

#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"

#include <catch2/catch.hpp>

#include <numeric>
#include <random>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

/// What a fan-out was handed; `applies` tells whether it follows.
struct noted_rows {
  std::vector<log_seq> rows;
  std::vector<std::chrono::steady_clock::time_point> ends;
  log_seq upto = -1;
  bool applies = true;
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
};

fanout_handle::behavior_type noting_fanout(fanout_handle::pointer, noted_rows* noted) {
  return {
      [=](const apply_rows& news) {
        for (const auto& row : news.rows)
          noted->rows.push_back(row.seq);
        CHECK(news.upto >= noted->upto);
        CHECK((news.rows.empty() || news.rows.back().seq == news.upto));
        noted->upto = news.upto;
        if (news.end_seen_at)
          noted->ends.push_back(*news.end_seen_at);
        if (noted->applies)
          noted->position->apply(news.upto);
      },
      [](const install_home&) { return false; },
      [](const await_applied&) -> caf::result<void> { return caf::unit; },
      [](describe_fanout) { return fanout_report{}; },
      [](continue_fanout) {},
      [](drop_unread_homes) {},
  };
}

struct held_jobs {
  std::vector<std::pair<read_job, caf::typed_response_promise<caf::unit_t>>> waiting;
};

/// Answers the oldest read when it gets an empty job: promises are kept in their actor's turn only.
reader_handle::behavior_type holding_reader(reader_handle::pointer self, held_jobs* held) {
  return {[=](const read_job& job) -> caf::result<void> {
    if (!job.run) {
      held->waiting.front().second.deliver(caf::unit);
      held->waiting.erase(held->waiting.begin());
      return caf::unit;
    }
    auto reply = self->make_response_promise<caf::unit_t>();
    held->waiting.emplace_back(job, reply);
    return reply;
  }};
}

reader_handle::behavior_type failing_reader(reader_handle::pointer self, reader_handle real,
                                            const bool* fails) {
  return {[=](const read_job& job) -> caf::result<void> {
    if (*fails)
      return make_error(errc::unavailable, "database: away");
    return self->delegate(real, job);
  }};
}

struct log_reader_fixture {
  kit::deterministic_system actors;
  kit::test_storage storage;
  noted_rows noted;
  log_reader_handle reader;
  bool failing = false;

  explicit log_reader_fixture(std::uint64_t seed = 0) : actors{seed} {}

  void start(log_reader_options options = {}) {
    const auto real = storage.start_readers(actors).front();
    reader = actors.spawn(
        log_reader,
        log_reader_dependencies{.readers = {actors.spawn(failing_reader, real, &failing)},
                                .fanout = actors.spawn(noting_fanout, &noted),
                                .position = noted.position},
        options);
    actors.settle();
  }

  void commit(log_seq seq) {
    REQUIRE(storage.db().run("INSERT INTO log(seq, at, kind, author, object_key, class, public)"
                             " VALUES ($1, 0, 18, 1, 'u/0/1', 2, 1)",
                             {seq}));
  }
  void commit(log_seq first, log_seq last) {
    for (auto seq = first; seq <= last; ++seq)
      commit(seq);
  }

  void hint(log_seq previous, const std::vector<log_seq>& seqs) {
    hint_later(previous, seqs);
    actors.settle();
  }
  void hint_later(log_seq previous, const std::vector<log_seq>& seqs) {
    auto rows = std::vector<log_entry>{};
    for (const auto seq : seqs)
      rows.push_back({.seq = seq, .kind = log_kind::update_actor, .author = {1}});
    caf::anon_send(reader, log_hint{.previous = previous, .rows = std::move(rows)});
  }

  log_report report() {
    const auto report = actors.ask<log_report>(reader, describe_log{});
    REQUIRE(report);
    return *report;
  }
};

std::vector<log_seq> numbers(log_seq first, log_seq last) {
  auto all = std::vector<log_seq>(static_cast<std::size_t>(last - first + 1));
  std::iota(all.begin(), all.end(), first);
  return all;
}

} // namespace

TEST_CASE_METHOD(log_reader_fixture, "the log is followed from its newest row on", "[log_reader]") {
  commit(1, 5);
  start();
  CHECK(noted.rows.empty());
  CHECK(noted.upto == 5);
  hint(5, {6, 7});
  CHECK(noted.rows == numbers(6, 7));
  CHECK(report().hints == 2);
}

TEST_CASE_METHOD(log_reader_fixture, "the log is read from where the node says", "[log_reader]") {
  commit(1, 5);
  start({.start = 2});
  CHECK(noted.rows == numbers(3, 5));
}

TEST_CASE_METHOD(log_reader_fixture, "a doubled or late hint hands no row on twice",
                 "[log_reader]") {
  start();
  hint(0, {1, 2});
  hint(0, {1, 2});
  hint(1, {2, 3});
  hint(0, {1});
  CHECK(noted.rows == numbers(1, 3));
}

TEST_CASE_METHOD(log_reader_fixture, "hints that overtake each other are put in order",
                 "[log_reader]") {
  start();
  hint(2, {3});
  hint(1, {2});
  CHECK(noted.rows.empty());
  hint(0, {1});
  CHECK(noted.rows == numbers(1, 3));
  CHECK(report().read == 0);
}

TEST_CASE_METHOD(log_reader_fixture, "a hole is read from the log after 50 ms", "[log_reader]") {
  start();
  commit(1, 4);
  hint(2, {3, 4});
  actors.advance(49ms);
  CHECK(noted.rows.empty());
  actors.advance(1ms);
  CHECK(noted.rows == numbers(1, 4));
  CHECK(report().holes == 1);
  CHECK(report().read == 4);
}

TEST_CASE_METHOD(log_reader_fixture, "a lost tail is found by the poll", "[log_reader]") {
  start();
  commit(1, 3);
  actors.advance(499ms);
  CHECK(noted.rows.empty());
  actors.advance(1ms);
  CHECK(noted.rows == numbers(1, 3));
}

TEST_CASE_METHOD(log_reader_fixture, "a long log is read in pieces", "[log_reader]") {
  commit(1, 25);
  start({.start = 0, .rows_max = 10});
  CHECK(noted.rows == numbers(1, 25));
}

TEST_CASE_METHOD(log_reader_fixture, "every poll that finds the log's end is a tick",
                 "[log_reader]") {
  start();
  const auto first = noted.ends.size();
  CHECK(first == 1);
  actors.advance(500ms);
  actors.advance(500ms);
  REQUIRE(noted.ends.size() == first + 2);
  CHECK(noted.ends.back() - noted.ends[first] == 500ms);
  hint(0, {1});
  CHECK(noted.ends.size() == first + 2);
}

TEST_CASE_METHOD(log_reader_fixture, "rows that nobody applies wait in the log", "[log_reader]") {
  start({.outstanding_max = 3});
  noted.applies = false;
  commit(1, 6);
  hint(0, {1, 2, 3});
  hint(3, {4, 5, 6});
  actors.advance(2s);
  CHECK(noted.rows == numbers(1, 3));
  CHECK(report().dropped == 3);
  noted.position->apply(3);
  actors.advance(500ms);
  CHECK(noted.rows == numbers(1, 6));
}

TEST_CASE_METHOD(log_reader_fixture, "hints behind a hole are bounded", "[log_reader]") {
  start({.hints_max = 2});
  commit(1, 6);
  hint(1, {2});
  hint(2, {3, 4});
  hint(4, {5});
  hint(0, {1});
  CHECK(noted.rows == numbers(1, 2));
  CHECK(report().dropped == 2);
  actors.advance(50ms);
  CHECK(noted.rows == numbers(1, 6));
}

TEST_CASE_METHOD(log_reader_fixture, "a failed read is tried again by the next poll",
                 "[log_reader]") {
  commit(1, 3);
  failing = true;
  start();
  CHECK(noted.upto == -1);
  hint(3, {4});
  actors.advance(500ms);
  failing = false;
  commit(4, 5);
  actors.advance(500ms);
  // It began at the row that was the newest when it could first ask.
  CHECK(noted.upto == 5);
  commit(6);
  failing = true;
  actors.advance(500ms);
  CHECK(noted.upto == 5);
  CHECK(report().failed == 3);
  failing = false;
  actors.advance(500ms);
  CHECK(noted.rows == numbers(6, 6));
}

TEST_CASE("rows come once and in order, whatever happens to hints", "[log_reader]") {
  const auto seed = GENERATE(range(1, 101));
  CAPTURE(seed);
  auto world = log_reader_fixture{static_cast<std::uint64_t>(seed)};
  auto random = std::mt19937{static_cast<unsigned>(seed)};
  world.start({.rows_max = 7, .hints_max = 20});
  auto newest = log_seq{0};
  auto kept_back = std::vector<std::pair<log_seq, std::vector<log_seq>>>{};
  while (newest < 300) {
    const auto count = static_cast<log_seq>(1 + random() % 4);
    world.commit(newest + 1, newest + count);
    kept_back.emplace_back(newest, numbers(newest + 1, newest + count));
    newest += count;
    for (auto turn = random() % 3; turn > 0; --turn) {
      const auto chosen = random() % kept_back.size();
      const auto& [previous, seqs] = kept_back[chosen];
      world.hint_later(previous, seqs);
      if (random() % 2)
        kept_back.erase(kept_back.begin() + static_cast<std::ptrdiff_t>(chosen));
      if (kept_back.empty())
        break;
    }
    world.actors.settle_partly(random() % 20);
    if (random() % 4 == 0)
      world.actors.advance(std::chrono::milliseconds{random() % 80});
  }
  world.actors.advance(1s);
  CHECK(world.noted.rows == numbers(1, newest));
}

namespace {

/// A log reader whose reads for hosts are held back, each answered by hand.
struct refill_fixture {
  kit::deterministic_system actors;
  kit::test_storage storage;
  noted_rows noted;
  held_jobs held;
  reader_handle holder;
  log_reader_handle reader;
  std::vector<std::pair<int, kit::pending_reply<found_units>>> asked; ///< Hosts that wait.

  void start(log_reader_options options) {
    options.start = 0;
    holder = actors.spawn(holding_reader, &held);
    reader = actors.spawn(log_reader,
                          log_reader_dependencies{.readers = {holder},
                                                  .fanout = actors.spawn(noting_fanout, &noted),
                                                  .position = noted.position},
                          options);
    actors.settle();
    answer(); // its own read
  }

  void answer() {
    REQUIRE_FALSE(held.waiting.empty());
    held.waiting.front().first.run(storage.db());
    caf::anon_send(holder, read_job{});
    actors.settle();
  }

  void ask(int host) {
    asked.emplace_back(
        host,
        actors.start<found_units>(
            reader, read_missed{{.host = host_id{host}, .from = 1, .upto = 0, .sources = {}}}));
    actors.settle();
  }

  /// Answers the oldest read; returns the host whose it was.
  int answer_next() {
    answer();
    const auto ready =
        std::ranges::find_if(asked, [](const auto& each) { return each.second.ready(); });
    REQUIRE(ready != asked.end());
    CHECK(ready->second.get());
    const auto host = ready->first;
    asked.erase(ready);
    return host;
  }
};

} // namespace

TEST_CASE_METHOD(refill_fixture, "a few hosts at a time read what they missed, each in turn",
                 "[log_reader][refill]") {
  start({.refills_at_once = 2});
  for (const auto host : {1, 1, 1, 1, 2, 3, 2})
    ask(host);
  CHECK(held.waiting.size() == 2);
  const auto report = *actors.ask<log_report>(reader, describe_log{});
  CHECK(report.refills_waiting == 5);
  auto order = std::vector<int>{};
  while (!asked.empty()) {
    CHECK(held.waiting.size() <= 2);
    order.push_back(answer_next());
  }
  // Host 1 asked alone at first; from then on nobody comes twice before the others.
  CHECK(order == std::vector{1, 1, 1, 2, 3, 1, 2});
  CHECK(actors.ask<log_report>(reader, describe_log{})->refills == 7);
}

TEST_CASE_METHOD(refill_fixture, "more reads than may wait are refused at once",
                 "[log_reader][refill]") {
  start({.refills_at_once = 1, .refills_max = 3});
  for (const auto host : {1, 2, 3, 4})
    ask(host);
  ask(5);
  REQUIRE(asked.back().second.ready());
  REQUIRE_FALSE(asked.back().second.get());
  CHECK(code_of(asked.back().second.get().error()) == errc::unavailable);
  asked.pop_back();
  CHECK(actors.ask<log_report>(reader, describe_log{})->refills_refused == 1);
  CHECK(answer_next() == 1);
  ask(6);
  CHECK_FALSE(asked.back().second.ready());
}
