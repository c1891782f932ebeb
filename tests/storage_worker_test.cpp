#include "actors/messages.hpp"
#include "actors/storage_worker.hpp"
#include "actors/tasks.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

log_reader_handle::behavior_type noting_reader(log_reader_handle::pointer,
                                               std::vector<log_hint>* hints) {
  return {
      [=](log_hint& hint) { hints->push_back(std::move(hint)); },
      [](describe_log) -> caf::result<log_report> { return log_report{}; },
      [](const read_missed&) -> caf::result<found_units> { return found_units{}; },
      [](const log_has_grown&) {},
      [](poll_log) {},
      [](close_hole) {},
  };
}

/// A unit that stores one setting and appends one row to the log.
write_job note(std::string name, caf::error failure = {}) {
  return {[=](write_context& context) -> caf::error {
    auto stored = context.db.run("INSERT INTO setting(name) VALUES ($1)", {name});
    if (!stored)
      return stored.error();
    context.log.push_back({.kind = log_kind::update_actor,
                           .author = account_id{7},
                           .object = {object_kind::account, 0, 7},
                           .facts = post_facts{.id = post_id{9}}});
    return failure;
  }};
}

struct worker_fixture {
  kit::deterministic_system actors{3};
  kit::test_storage storage;
  std::vector<log_hint> hints;
  writer_handle writer;

  writer_handle start(writer_options options = {}) {
    auto reader = actors.spawn(noting_reader, &hints);
    return writer = storage.start_writer(actors, reader, options);
  }
  /// Sends all of them before the writer takes the first.
  void post(std::vector<write_job> jobs, std::vector<std::optional<errc>>& answers) {
    answers.resize(jobs.size());
    actors.spawn([this, jobs = std::move(jobs), &answers](caf::event_based_actor* self) {
      for (auto i = std::size_t{0}; i < jobs.size(); ++i)
        self->request(writer, caf::infinite, jobs[i])
            .then([&answers, i] { answers[i] = errc{}; },
                  [&answers, i](caf::error& failure) { answers[i] = code_of(failure); });
    });
  }
  std::vector<std::optional<errc>> send(std::vector<write_job> jobs) {
    auto answers = std::vector<std::optional<errc>>{};
    post(std::move(jobs), answers);
    actors.settle();
    return answers;
  }
  std::int64_t count(std::string_view table) {
    auto rows = storage.db().run("SELECT COUNT(*) FROM " + std::string{table});
    return rows->rows[0][0].integer();
  }
};

} // namespace

TEST_CASE_METHOD(worker_fixture, "what waits together is committed together", "[storage_worker]") {
  start();
  for (const auto& answer : send({note("a"), note("b"), note("c"), note("d")}))
    CHECK(answer == errc{});
  CHECK(storage.counters()->batches == 1);
  CHECK(storage.counters()->last_batch == 4);
  CHECK(storage.counters()->units == 4);
  CHECK(count("setting") == 4);
  CHECK(count("log") == 4);
}

TEST_CASE_METHOD(worker_fixture, "without its lease a node writes nothing",
                 "[storage_worker][lease]") {
  const auto lease = std::make_shared<node_lease>();
  storage.lease = lease;
  start();
  CHECK(send({note("a"), note("b")}) == std::vector<std::optional<errc>>(2, errc::unavailable));
  CHECK(count("setting") == 0);
  lease->hold_until(boot_clock::now() + 1h);
  CHECK(send({note("c")}).front() == errc{});
  lease->end();
  CHECK(send({note("d")}).front() == errc::unavailable);
  CHECK(count("setting") == 1);
  CHECK(count("log") == 1);
}

TEST_CASE_METHOD(worker_fixture, "a bad unit rolls back alone and learns why", "[storage_worker]") {
  start();
  const auto replies =
      send({note("a"), note("b", make_error(errc::invalid, "b: is bad")), note("a"), note("c")});
  CHECK(replies[0] == errc{});
  CHECK(replies[1] == errc::invalid);
  CHECK(replies[2] == errc::unique_violation);
  CHECK(replies[3] == errc{});
  CHECK(count("setting") == 2);
  CHECK(count("log") == 2);
  CHECK(storage.counters()->units_failed == 2);
}

TEST_CASE_METHOD(worker_fixture, "a unit that throws rolls back alone", "[storage_worker]") {
  start();
  auto thrown = write_job{[](write_context& context) -> caf::error {
    (void)context.db.run("INSERT INTO setting(name) VALUES ('thrown')");
    throw std::runtime_error{"scripted"};
  }};
  const auto replies = send({note("a"), thrown, note("b")});
  CHECK(replies[0] == errc{});
  CHECK(replies[1] == errc::crashed);
  CHECK(replies[2] == errc{});
  CHECK(count("setting") == 2);
}

TEST_CASE_METHOD(worker_fixture, "a batch takes at most batch_max units", "[storage_worker]") {
  start({.batch_max = 2});
  const auto answers = send({note("a"), note("b"), note("c"), note("d"), note("e")});
  CHECK(storage.counters()->batches == 3);
  CHECK(count("setting") == 5);
  CHECK(answers[4] == errc{});
}

TEST_CASE_METHOD(worker_fixture, "more than queue_max waiting units are refused",
                 "[storage_worker]") {
  start({.queue_max = 3});
  const auto answers = send({note("a"), note("b"), note("c"), note("d"), note("e")});
  CHECK(count("setting") == 3);
  CHECK(storage.counters()->refused == 2);
  CHECK(answers[2] == errc{});
  CHECK(answers[3] == errc::unavailable);
}

TEST_CASE_METHOD(worker_fixture, "one hint per commit carries its rows and the one before",
                 "[storage_worker]") {
  start();
  send({note("a")});
  send({note("b"), note("c")});
  auto rows = std::vector<log_seq>{};
  auto previous = log_seq{0};
  for (const auto& hint : hints) {
    CHECK(hint.previous == previous);
    for (const auto& row : hint.rows) {
      rows.push_back(row.seq);
      previous = row.seq;
      CHECK(row.kind == log_kind::update_actor);
      CHECK(row.author == account_id{7});
      REQUIRE(row.facts);
      CHECK(row.facts->id == post_id{9});
      CHECK(row.at == actors.now());
    }
  }
  CHECK(rows == std::vector<log_seq>{1, 2, 3});
}

TEST_CASE_METHOD(worker_fixture, "a commit without rows of the log gives no hint",
                 "[storage_worker]") {
  start();
  send({{[](write_context&) { return caf::error{}; }}, note("a", make_error(errc::invalid))});
  CHECK(hints.empty());
}

TEST_CASE_METHOD(worker_fixture, "a failed commit refuses its batch and the writer goes on",
                 "[storage_worker][F09]") {
  start();
  for (const auto failure : {errc::storage_full, errc::storage_busy, errc::unavailable}) {
    CAPTURE(to_string(failure));
    storage.faults().calls = 0;
    storage.faults().at_call = [=](std::int64_t call) {
      return call == 1 ? make_error(failure, "scripted") : caf::error{};
    };
    for (const auto& answer : send({note("a"), note("b")}))
      CHECK(answer == failure);
    CHECK(count("setting") == 0);
    storage.faults().at_call = nullptr;
  }
  CHECK(storage.counters()->batches_failed == 3);
  CHECK(hints.empty());
  CHECK(send({note("a")})[0] == errc{});
  CHECK(storage.broken == 0);
}

TEST_CASE_METHOD(worker_fixture, "a statement that storage refuses ends its unit alone",
                 "[storage_worker]") {
  start();
  storage.faults().at_call = [](std::int64_t call) { // the insert of the second unit
    return call == 5 ? make_error(errc::storage_busy, "scripted") : caf::error{};
  };
  const auto answers = send({note("a"), note("b"), note("c")});
  CHECK(answers[0] == errc{});
  CHECK(answers[1] == errc::storage_busy);
  CHECK(answers[2] == errc{});
  CHECK(count("setting") == 2);
  CHECK(count("log") == 2);
}

TEST_CASE_METHOD(worker_fixture, "a unit that finds storage broken ends everything",
                 "[storage_worker][I18]") {
  start();
  storage.faults().at_call = [](std::int64_t call) {
    return call == 5 ? make_error(errc::storage_broken, "scripted") : caf::error{};
  };
  for (const auto& answer : send({note("a"), note("b"), note("c")}))
    CHECK(answer == errc::storage_broken);
  CHECK(count("setting") == 0);
  CHECK(storage.broken == 1);
}

TEST_CASE_METHOD(worker_fixture, "a commit of unknown outcome is answered so", "[storage_worker]") {
  start();
  storage.faults().after_commit = [](std::int64_t) {
    return make_error(errc::commit_unknown, "scripted");
  };
  CHECK(send({note("a")})[0] == errc::commit_unknown);
  CHECK(hints.empty());
}

TEST_CASE_METHOD(worker_fixture, "after broken storage no success is reported any more",
                 "[storage_worker][I18]") {
  start();
  storage.faults().after_commit = [](std::int64_t) {
    return make_error(errc::storage_broken, "trunkline.db: scripted");
  };
  CHECK(send({note("a")})[0] == errc::storage_broken);
  CHECK(storage.broken == 1);
  storage.faults().after_commit = nullptr;
  for (const auto& reply : send({note("b"), note("c")}))
    CHECK(reply == errc::storage_broken);
  CHECK(storage.broken == 1);
  CHECK(count("setting") == 1);
}

TEST_CASE_METHOD(worker_fixture, "a writer that is stopped answers what waits",
                 "[storage_worker]") {
  start();
  auto answers = std::vector<std::optional<errc>>{};
  post({note("a")}, answers);
  while (storage.counters()->waiting == 0)
    actors.settle_partly(1);
  actors.kill(writer);
  actors.settle();
  CHECK(answers[0] == errc::unavailable);
  CHECK(count("setting") == 0);
}

TEST_CASE_METHOD(worker_fixture, "what storage never answers ends after ten seconds, once",
                 "[storage_worker][tasks]") {
  auto held = std::vector<caf::typed_response_promise<caf::unit_t>>{};
  auto handles = storage_handles{};
  handles.readers = storage.start_readers(actors);
  handles.writer =
      actors.spawn([&held](writer_handle::pointer self) -> writer_handle::behavior_type {
        return {[self, &held](write_job&) -> caf::result<void> {
                  return held.emplace_back(self->make_response_promise<caf::unit_t>());
                },
                [&held](flush_batch) { held[0].deliver(caf::unit); }};
      });
  auto answers = std::vector<errc>{};
  const auto note_answer = [&](const caf::expected<int>& answer) {
    answers.push_back(answer ? errc{} : code_of(answer.error()));
  };
  const auto ask_both = [&] {
    actors.spawn([&](caf::event_based_actor* self) {
      // An actor lives as long as it waits for something.
      ask_storage(self, handles, command<int>{[](write_context&) { return 1; }}, note_answer);
      ask_storage(self, handles, query<int>{[](database&) { return 2; }}, note_answer);
    });
    actors.settle();
  };
  ask_both();
  CHECK(answers == std::vector{errc{}}); // the reader answered
  actors.advance(9s);
  ask_both();
  CHECK(answers.size() == 2);
  actors.advance(1s);
  ask_both(); // whoever asks next looks at the deadlines
  CHECK(answers == std::vector{errc{}, errc{}, errc{}, errc::timed_out});
  caf::anon_send(handles.writer, flush_batch{}); // too late: nobody waits any more
  actors.settle();
  CHECK(answers.size() == 4);
  held.clear();
}

TEST_CASE_METHOD(worker_fixture, "questions and changes are asked as values",
                 "[storage_worker][tasks]") {
  const auto handles = storage.start(actors);
  auto changed = std::optional<caf::expected<int>>{};
  auto refused = std::optional<caf::expected<int>>{};
  auto read = std::optional<caf::expected<std::int64_t>>{};
  auto threw = std::optional<caf::expected<int>>{};
  actors.system().spawn([&](caf::event_based_actor* self) {
    ask_storage(self, handles, command<int>{[](write_context& context) -> caf::expected<int> {
                  auto done = context.db.run("INSERT INTO setting(name) VALUES ('x')");
                  return done ? caf::expected<int>{5} : caf::expected<int>{done.error()};
                }},
                [&](caf::expected<int> answer) { changed.emplace(std::move(answer)); });
    ask_storage(self, handles, command<int>{[](write_context&) -> caf::expected<int> {
                  return make_error(errc::conflict, "x");
                }},
                [&](caf::expected<int> answer) { refused.emplace(std::move(answer)); });
    ask_storage(self, handles, query<int>{[](database&) -> caf::expected<int> {
                  throw std::runtime_error{"scripted"};
                }},
                [&](caf::expected<int> answer) { threw.emplace(std::move(answer)); });
  });
  actors.settle();
  actors.system().spawn([&](caf::event_based_actor* self) {
    ask_storage(self, handles, query<std::int64_t>{[](database& db) -> caf::expected<std::int64_t> {
                  auto rows = db.run("SELECT COUNT(*) FROM setting");
                  return rows->rows[0][0].integer();
                }},
                [&](caf::expected<std::int64_t> answer) { read.emplace(std::move(answer)); });
  });
  actors.settle();
  REQUIRE(changed);
  REQUIRE(*changed);
  CHECK(**changed == 5);
  REQUIRE(refused);
  CHECK(code_of(refused->error()) == errc::conflict);
  REQUIRE(read);
  REQUIRE(*read);
  CHECK(**read == 1);
  REQUIRE(threw);
  CHECK(code_of(threw->error()) == errc::crashed);
  CHECK(storage.counters()->reads == 2);
}
