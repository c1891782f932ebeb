// From rows of the log to subscribers: in order, each once, with a bound and without waiting.
#include "actors/event_hub.hpp"

#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using numbers = std::vector<log_seq>;

/// A reader that fails while `problem` is set, and counts what it is asked.
struct reader_mood {
  errc problem = {};
  int asked = 0;
};

reader_handle::behavior_type moody_reader(reader_handle::pointer self, reader_handle real,
                                          reader_mood* mood) {
  return {[=](const read_job& job) -> caf::result<void> {
    ++mood->asked;
    if (mood->problem != errc{})
      return make_error(mood->problem, "the reader's mood");
    return self->delegate(real, job);
  }};
}

struct event_hub_fixture {
  kit::deterministic_system actors;
  kit::test_storage storage;
  reader_mood mood;
  std::shared_ptr<event_hub> hub = std::make_shared<event_hub>(1'000);
  numbers told;    ///< Rows whose events came.
  numbers dropped; ///< Rows that are lost.

  event_hub_fixture() {
    REQUIRE(storage.open_writer()->run("INSERT INTO account(id, name, folded, uri, created_at)"
                                       " VALUES (1, 'alice', 'alice', 'a', 0)"));
    hub->subscribe({.wants_rows = true,
                    .tell =
                        [this](const engine_event& event) {
                          const auto* change = std::get_if<account_event>(&event);
                          REQUIRE(change);
                          CHECK(change->account == "alice");
                          told.push_back(change->seq);
                        },
                    .dropped = [this](const log_entry& row) { dropped.push_back(row.seq); }});
  }

  static log_entry row(log_seq seq, log_kind kind = log_kind::create_actor) {
    return {.seq = seq,
            .kind = kind,
            .author = account_id{1},
            .object = {object_kind::account, 0, 1},
            .extra = {},
            .facts = {}};
  }

  void apply(log_seq from, log_seq upto) {
    for (auto seq = from; seq <= upto; ++seq)
      hub->apply(row(seq));
  }

  event_renderer_handle begin(std::size_t rows_max = event_rows_max) {
    const auto readers = storage.start_readers(actors);
    const auto handle = actors.spawn(
        event_renderer,
        event_renderer_dependencies{
            .storage = {.readers = {actors.spawn(moody_reader, readers.front(), &mood)}},
            .hub = hub,
            .urls = urls_of("example.org")},
        event_renderer_options{.rows_max = rows_max});
    hub->begin(handle);
    actors.settle();
    return handle;
  }

  static numbers upto(log_seq from, log_seq last) {
    auto all = numbers{};
    for (auto seq = from; seq <= last; ++seq)
      all.push_back(seq);
    return all;
  }
};

} // namespace

TEST_CASE_METHOD(event_hub_fixture, "rows are told in order, each once, in batches",
                 "[event_hub]") {
  apply(1, 5); // before anybody renders
  begin(2);
  CHECK(told == upto(1, 5));
  CHECK(mood.asked == 3);
  apply(6, 7);
  actors.settle();
  CHECK(told == upto(1, 7));
  CHECK(mood.asked == 4);
  CHECK(hub->waiting() == 0);
}

TEST_CASE_METHOD(event_hub_fixture, "rows that come while a batch is read follow it",
                 "[event_hub]") {
  begin(3);
  for (auto seq = log_seq{1}; seq <= 40; ++seq) {
    hub->apply(row(seq));
    actors.settle_partly(static_cast<std::size_t>(seq % 3));
  }
  actors.settle();
  CHECK(told == upto(1, 40));
}

TEST_CASE_METHOD(event_hub_fixture, "rows that say nothing to anybody are not kept",
                 "[event_hub]") {
  for (const auto kind : {log_kind::mute, log_kind::revoke_token, log_kind::domain_block})
    hub->apply(row(1, kind));
  CHECK(hub->waiting() == 0);
}

TEST_CASE_METHOD(event_hub_fixture, "rows past the limit are lost, and subscribers know",
                 "[event_hub]") {
  apply(1, 1'003);
  CHECK(hub->waiting() == 1'000);
  CHECK(hub->dropped() == 3);
  CHECK(dropped == upto(1'001, 1'003));
  begin();
  CHECK(told == upto(1, 1'000));
  apply(1'004, 1'004);
  actors.settle();
  CHECK(told.back() == 1'004);
  CHECK(dropped.size() == 3);
}

TEST_CASE_METHOD(event_hub_fixture, "while storage is away rows wait, and are then told once",
                 "[event_hub]") {
  mood.problem = GENERATE(errc::unavailable, errc::storage_busy, errc::timed_out);
  begin(2);
  apply(1, 3);
  actors.settle();
  actors.advance(3s);
  CHECK(told.empty());
  CHECK(mood.asked == 4); // once a second
  mood.problem = {};
  actors.advance(1s);
  CHECK(told == upto(1, 3));
  CHECK(dropped.empty());
}

TEST_CASE_METHOD(event_hub_fixture, "what cannot be read is lost, and what follows is told",
                 "[event_hub]") {
  mood.problem = errc::storage_refused;
  begin(2);
  apply(1, 2);
  actors.settle();
  CHECK(dropped == upto(1, 2));
  CHECK(hub->dropped() == 2);
  mood.problem = {};
  apply(3, 3);
  actors.settle();
  CHECK(told == upto(3, 3));
}

TEST_CASE_METHOD(event_hub_fixture, "what hosts say goes at once to who wants it", "[event_hub]") {
  CHECK(hub->wants_rows());
  CHECK_FALSE(hub->wants_deliveries());
  CHECK_FALSE(hub->wants_host_states());
  auto deliveries = 0;
  auto states = 0;
  hub->subscribe({.wants_deliveries = true,
                  .tell = [&](const engine_event&) { ++deliveries; },
                  .dropped = {}});
  hub->subscribe(
      {.wants_host_states = true, .tell = [&](const engine_event&) { ++states; }, .dropped = {}});
  CHECK(hub->wants_deliveries());
  CHECK(hub->wants_host_states());
  hub->tell(delivery_event{});
  hub->tell(host_state_event{});
  hub->tell(host_state_event{});
  CHECK(deliveries == 1);
  CHECK(states == 2);
  CHECK(told.empty());
}

TEST_CASE_METHOD(event_hub_fixture, "after its end nothing is kept", "[event_hub]") {
  begin();
  hub->end();
  apply(1, 3);
  actors.settle();
  CHECK(hub->waiting() == 0);
  CHECK(told.empty());
  CHECK(dropped.empty());
}
