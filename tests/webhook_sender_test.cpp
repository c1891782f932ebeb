#include "kit/webhook_sender_fixture.hpp"
#include "protocol/webhook_signature.hpp"

#include <algorithm>
#include <map>

using namespace trunkline;
using namespace trunkline::kit::webhook_scene;

TEST_CASE_METHOD(sender_fixture, "events are sent signed, in the order of the log",
                 "[webhook_sender]") {
  start();
  write(3);
  actors.advance(1s);
  CHECK(receiver->ids() == expected_ids(1, 3));
  const auto& request = receiver->requests.front().request;
  CHECK(request.method == http_method::post);
  CHECK(request.url == "https://hooks.example/in");
  CHECK(find_header(request.headers, "content-type") == "application/json");
  const auto headers =
      webhook_headers{.id = find_header(request.headers, "webhook-id"),
                      .timestamp = find_header(request.headers, "webhook-timestamp"),
                      .signature = find_header(request.headers, "webhook-signature")};
  CHECK_FALSE(check_webhook(headers, *request.body, secret, actors.now()));
  CHECK(check_webhook(headers, *request.body, "another secret, 24 bytes long", actors.now()));
  CHECK(report().mark == 3);
  CHECK(report().delivered == 6);
  CHECK(report().failures == 0);
}

TEST_CASE_METHOD(sender_fixture, "a new webhook begins at the end of the log", "[webhook_sender]") {
  write(5);
  start();
  actors.advance(5s);
  CHECK(receiver->requests.empty());
  write();
  actors.advance(1s);
  CHECK(receiver->ids() == expected_ids(6, 6));
}

TEST_CASE_METHOD(sender_fixture, "the mark moves after a 2xx alone", "[webhook_sender][I5]") {
  start();
  receiver->stalls = true;
  write();
  actors.advance(5s);
  REQUIRE(receiver->held.size() == 1);
  CHECK(stored_marks().mark == 0);
  CHECK(report().mark == 0);
  receiver->held[0](answer(204));
  receiver->held.clear();
  actors.advance(5s);
  CHECK(stored_marks().mark == 0); // of two events of the row one was taken
  REQUIRE(receiver->held.size() == 1);
  receiver->held[0](answer(204));
  actors.advance(2s);
  CHECK(stored_marks().mark == 1);
}

TEST_CASE_METHOD(sender_fixture, "a kill between the answer and the mark repeats the event",
                 "[webhook_sender][kill]") {
  start();
  write(2);
  actors.advance(2s);
  REQUIRE(stored_marks().mark == 2);
  receiver->requests.clear();
  write();
  write();
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::storage_busy, "busy"); };
  actors.advance(10s); // taken, but no mark can be written
  storage.faults().at_call = nullptr;
  CHECK(receiver->ids() == expected_ids(3, 4));
  CHECK(stored_marks().mark == 2);
  kill();
  actors.advance(1s);
  auto twice = expected_ids(3, 4);
  const auto again = twice;
  twice.insert(twice.end(), again.begin(), again.end());
  CHECK(receiver->ids() == twice);
}

TEST_CASE_METHOD(sender_fixture, "a kill while a request is under way repeats it",
                 "[webhook_sender][kill]") {
  start();
  receiver->stalls = true;
  write(2);
  actors.advance(2s);
  REQUIRE(receiver->requests.size() == 1);
  receiver->stalls = false;
  kill();
  actors.advance(10s);
  CHECK(first_times(receiver->ids()) == expected_ids(1, 2));
}

TEST_CASE_METHOD(sender_fixture, "an end writes the mark, and nothing comes twice",
                 "[webhook_sender]") {
  start();
  write(3);
  actors.advance(600ms);
  REQUIRE(receiver->requests.size() == 6);
  auto closed = actors.start_done(sender, close_webhook{});
  actors.settle();
  REQUIRE(closed.ready());
  CHECK_FALSE(closed.failure());
  CHECK(stored_marks().mark == 3);
  write();
  actors.advance(10s);
  CHECK(receiver->requests.size() == 6); // nothing more is sent
  kill();
  actors.advance(1s);
  CHECK(receiver->ids() == expected_ids(1, 4));
}

TEST_CASE_METHOD(sender_fixture, "an end waits for the request under way, not for its success",
                 "[webhook_sender]") {
  start();
  write();
  actors.advance(600ms);
  receiver->stalls = true;
  write();
  actors.advance(600ms);
  REQUIRE(receiver->held.size() == 1);
  const auto answered = GENERATE(200, 500);
  auto closed = actors.start_done(sender, close_webhook{});
  actors.settle();
  CHECK_FALSE(closed.ready());
  CHECK(stored_marks().mark == 1); // whatever comes
  receiver->held[0](answer(answered));
  actors.settle();
  CHECK(closed.ready());
  CHECK(lines.empty());
  actors.advance(1min);
  CHECK(receiver->requests.size() == 3);
}

TEST_CASE_METHOD(sender_fixture, "a failure is tried again after 5 s, doubling up to an hour",
                 "[webhook_sender]") {
  start();
  receiver->status = 500;
  write();
  actors.advance(24h);
  auto waits = std::vector<std::int64_t>{};
  for (auto index = std::size_t{1}; index < receiver->requests.size() && index <= 13; ++index) {
    const auto& [before, at] =
        std::pair{receiver->requests[index - 1].at, receiver->requests[index].at};
    waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(at - before).count());
  }
  CHECK(waits ==
        std::vector<std::int64_t>{5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600});
  CHECK(std::set<std::string>{receiver->requests[0].id} == [&] {
    const auto ids = receiver->ids();
    return std::set<std::string>(ids.begin(), ids.end());
  }());
  CHECK(report().last_error == "answered 500");
  CHECK(report().failures == receiver->requests.size());
  CHECK(report().behind > 23h);
  CHECK(lines.size() == 1); // not one for each try
  receiver->status = 200;
  actors.advance(1h);
  CHECK(report().mark == 1);
  CHECK(report().behind == 0s);
  CHECK(lines.size() == 2);
}

TEST_CASE_METHOD(sender_fixture, "each try is signed with its own time", "[webhook_sender]") {
  start();
  receiver->status = 503;
  write();
  actors.advance(20s);
  REQUIRE(receiver->requests.size() >= 3);
  auto times = std::set<std::string>{};
  for (const auto& one : receiver->requests) {
    const auto& headers = one.request.headers;
    times.emplace(find_header(headers, "webhook-timestamp"));
    CHECK_FALSE(check_webhook({one.id, find_header(headers, "webhook-timestamp"),
                               find_header(headers, "webhook-signature")},
                              *one.request.body, secret, one.at));
  }
  CHECK(times.size() == receiver->requests.size());
}

TEST_CASE_METHOD(sender_fixture, "Retry-After is respected, up to an hour", "[webhook_sender]") {
  start();
  auto wish = std::string{"120"};
  receiver->rule = [&](const outgoing_request&) { return answer(429, {{"Retry-After", wish}}); };
  write();
  actors.advance(119s);
  CHECK(receiver->requests.size() == 1);
  wish = "86400";
  actors.advance(2s);
  CHECK(receiver->requests.size() == 2);
  actors.advance(59min);
  CHECK(receiver->requests.size() == 2);
  receiver->rule = nullptr;
  actors.advance(2min);
  CHECK(receiver->requests.size() >= 3);
  CHECK(report().mark == 1);
}

TEST_CASE_METHOD(sender_fixture, "nothing is lost with a receiver that does everything wrong",
                 "[webhook_sender]") {
  start();
  auto tries = std::map<std::string, int>{};
  receiver->rule = [&](const outgoing_request& request) -> exchange_outcome {
    const auto id = std::string{find_header(request.headers, "webhook-id")};
    switch (++tries[id]) {
    case 1:
      return answer(500);
    case 2:
      return answer(410);
    case 3:
      return answer(429, {{"Retry-After", "7"}});
    case 4:
      return answer(301, {{"Location", "https://elsewhere.example/"}});
    case 5:
      return {.result = exchange_failure{.phase = exchange_phase::first_byte,
                                         .timed_out = true,
                                         .reason = "no answer in time"}};
    default:
      return answer(202);
    }
  };
  for (auto round = 0; round < 5; ++round) {
    write(4);
    actors.advance(1h);
  }
  actors.advance(24h);
  CHECK(first_times(receiver->ids()) == expected_ids(1, 20));
  CHECK(receiver->requests.size() == 40 * 6);
  CHECK(report().delivered == 40);
  CHECK(report().failures == 40 * 5);
  CHECK(stored_marks().mark == 20);
}

TEST_CASE_METHOD(sender_fixture, "a receiver that stalls holds one request and one batch",
                 "[webhook_sender]") {
  start();
  receiver->stalls = true;
  const auto reads_before = storage.counters()->reads.load();
  write(1'000);
  actors.advance(50s);
  CHECK(receiver->requests.size() == 1);
  CHECK(storage.counters()->reads.load() - reads_before <= 2);
  actors.advance(20s); // an answer that never comes is given up
  CHECK(receiver->requests.size() == 2);
  CHECK(receiver->requests[0].id == receiver->requests[1].id);
  receiver->stalls = false;
  receiver->held[0](answer(200)); // too late: it is no answer to the second try
  actors.advance(1s);
  CHECK(report().delivered == 0);
  receiver->held[1](answer(200));
  actors.advance(10s);
  CHECK(first_times(receiver->ids()) == expected_ids(1, 1'000));
}

TEST_CASE_METHOD(sender_fixture, "only what is wanted is sent, and the mark moves past the rest",
                 "[webhook_sender]") {
  kinds = event_kinds{};
  kinds.add(event_kind::post);
  start();
  write(2);
  write(300, log_kind::mute);
  write(1);
  tell("far.example");
  actors.advance(3s);
  CHECK(receiver->requests.size() == 3);
  CHECK(report().mark == 303);
  CHECK(stored_marks() == webhook_marks{303, std::nullopt});
}

TEST_CASE_METHOD(sender_fixture, "events of the outbox come between those of the log, by time",
                 "[webhook_sender]") {
  start();
  receiver->stalls = true;
  write();
  actors.advance(1s); // holds the first, so that the rest is one batch
  tell("one.example");
  actors.advance(1s);
  write();
  actors.advance(1s);
  tell("two.example");
  tell("three.example");
  receiver->stalls = false;
  receiver->held[0](answer(200));
  actors.advance(2s);
  auto types = std::vector<std::string>{};
  for (const auto& one : receiver->requests)
    types.push_back(one.id.substr(one.id.find('-', source().size() + 1)));
  CHECK(types == std::vector<std::string>{
                     "-activity-Create", "-post-created", "-host_state-changed", "-activity-Create",
                     "-post-created", "-host_state-changed", "-host_state-changed"});
  CHECK(stored_marks() == webhook_marks{2, 3});
}

TEST_CASE_METHOD(sender_fixture, "events of the outbox are repeated after a kill, with their ids",
                 "[webhook_sender][kill]") {
  start();
  for (const auto* host : {"one.example", "two.example", "three.example"})
    tell(host);
  receiver->status = 500;
  actors.advance(2s);
  REQUIRE(receiver->requests.size() == 1);
  receiver->status = 200;
  kill();
  actors.advance(2s);
  CHECK(receiver->requests.size() == 4);
  CHECK(receiver->ids()[0] == receiver->ids()[1]);
  CHECK(first_times(receiver->ids()).size() == 3);
  CHECK(*stored_marks().told == 3);
}

TEST_CASE_METHOD(sender_fixture, "what was purged before it was sent is counted and logged",
                 "[webhook_sender]") {
  start();
  receiver->status = 500;
  write(100);
  actors.advance(2s); // 64 rows are in the batch
  write(100);
  for (auto number = 0; number < 10; ++number)
    tell("host" + std::to_string(number));
  kit::must(storage.open_writer()->run("DELETE FROM log WHERE seq <= 150"));
  outbox->add(host_state_event{.at = actors.now(), .host = "last.example"});
  store(4);
  receiver->status = 200;
  actors.advance(1min);
  CHECK(report().lost == 86 + 7);
  CHECK(lines.size() >= 2);
  CHECK(std::ranges::any_of(
      lines, [](const auto& line) { return line.find("purged") != std::string::npos; }));
  CHECK(report().mark == 200);
  CHECK(report().delivered == 114 * 2 + 4);
}

TEST_CASE_METHOD(sender_fixture, "the mark is written at most once a second", "[webhook_sender]") {
  start();
  actors.advance(2s);
  const auto calls_before = storage.faults().commits;
  for (auto step = 0; step < 100; ++step) {
    write();
    actors.advance(100ms);
  }
  CHECK(receiver->requests.size() >= 190);
  CHECK(storage.faults().commits - calls_before <= 11);
}

TEST_CASE_METHOD(sender_fixture, "an idle node is asked for nothing", "[webhook_sender]") {
  start();
  write(3);
  actors.advance(5s);
  const auto reads = storage.counters()->reads.load();
  const auto commits = storage.faults().commits;
  actors.advance(1h);
  CHECK(storage.counters()->reads.load() == reads);
  CHECK(storage.faults().commits == commits);
}

TEST_CASE_METHOD(sender_fixture, "storage that fails for a while costs nothing but time",
                 "[webhook_sender]") {
  start();
  write(5);
  storage.faults().at_call = [](std::int64_t call) {
    return call % 3 == 0 ? caf::error{} : make_error(errc::storage_busy, "busy");
  };
  actors.advance(10s);
  storage.faults().at_call = nullptr;
  write(5);
  actors.advance(10s);
  CHECK(receiver->ids() == expected_ids(1, 10));
}

TEST_CASE_METHOD(sender_fixture, "a database that gives no events is told of, once",
                 "[webhook_sender]") {
  start();
  kit::must(storage.open_writer()->run("ALTER TABLE log RENAME TO log_away"));
  position->commit(5);
  actors.advance(1min);
  CHECK(lines.size() == 1);
  CHECK_THAT(report().last_error, Catch::Contains("log"));
  kit::must(storage.open_writer()->run("ALTER TABLE log_away RENAME TO log"));
  write(5);
  actors.advance(5s);
  CHECK(receiver->ids() == expected_ids(1, 5));
}

TEST_CASE("a webhook does the same on both databases", "[webhook_sender]") {
  const auto answers = kit::equal_on_both([](kit::test_database& fresh) {
    auto on = sender_fixture{kit::test_storage{
        [&](bool writer) { return writer ? fresh.connect() : fresh.connect_reader(); }}};
    on.start();
    on.receiver->status = 500;
    on.write(70);
    on.tell("far.example");
    on.actors.advance(3s);
    on.kill();
    on.receiver->status = 200;
    on.actors.advance(10s);
    auto seen = on.receiver->ids();
    seen.push_back(std::to_string(on.stored_marks().mark));
    seen.push_back(std::to_string(*on.stored_marks().told));
    return seen;
  });
  CHECK(first_times(answers).size() == 141 + 2);
}
