#include "kit/inbox_lane_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::inbox_lane_scene;
using namespace std::chrono_literals;

TEST_CASE_METHOD(lane_fixture, "a host's arrivals are applied in their order, each once",
                 "[inbox_lane][I3]") {
  start();
  for (const auto* name : {"1", "2", "3"})
    follows(name);
  wake();
  CHECK(effects() == words{"1", "2", "3"});
  CHECK(ends() == "111");
  wake();
  wake();
  CHECK(effects() == words{"1", "2", "3"});
  CHECK(applications == 3);
  CHECK(report().applied == 3);
  CHECK(points == words{"inbox_applying", "inbox_applied", "inbox_applying", "inbox_applied",
                        "inbox_applying", "inbox_applied"});
}

TEST_CASE_METHOD(lane_fixture, "what waits since before the start is applied at the start",
                 "[inbox_lane][inbox_waker]") {
  for (const auto* name : {"a", "b", "c", "d", "e"})
    follows(name, {.scheme = "https", .name = std::string{name} + ".example", .port = 443});
  start();
  actors.settle();
  CHECK(effects().size() == 2); // a page
  actors.advance(1s);
  CHECK(effects().size() == 4);
  actors.advance(1s);
  CHECK(effects().size() == 5);
  follows("late"); // nobody tells the lane
  actors.advance(58s);
  CHECK(effects().size() == 5);
  actors.advance(4s);
  CHECK(effects().size() == 6);
}

TEST_CASE_METHOD(lane_fixture, "a lane that fails or waits holds its own host alone",
                 "[inbox_lane]") {
  script->failures["https://e.example/users/eve"] = silence;
  start();
  follows("1");
  follows("2");
  follows("other", f_example);
  wake();
  wake(f_example);
  CHECK(effects() == words{"other"});
  CHECK(ends() == "001");
}

TEST_CASE_METHOD(lane_fixture, "the sender is asked again and again, for about an hour",
                 "[inbox_lane]") {
  script->failures["https://e.example/users/eve"] = make_error(errc::unavailable, "suspended");
  start();
  follows("1");
  follows("2");
  wake();
  CHECK(script->asked.size() == 1);
  CHECK(report().last_error == "suspended");
  actors.advance(29s);
  CHECK(script->asked.size() == 1);
  actors.advance(2s);
  CHECK(script->asked.size() == 2);
  CHECK(report().failures == 2);
  actors.advance(50min);
  CHECK(ends() == "00");
  actors.advance(13min);
  CHECK(script->asked.size() == 9); // 8 tries, and one of the next that is not repeated
  CHECK(ends() == "22");
  CHECK(report().given_up == 2);
  // It is applied with what was there.
  CHECK(effects() == words{"1", "2"});

  script->failures.clear();
  follows("3");
  wake();
  CHECK(ends() == "221");
  script->failures["https://e.example/users/eve"] = make_error(errc::unavailable, "suspended");
  follows("4");
  wake();
  CHECK(ends() == "2210"); // it has answered since: it gets all its tries
}

TEST_CASE_METHOD(lane_fixture, "a try that succeeds later is enough", "[inbox_lane]") {
  script->failures["https://e.example/users/eve"] = silence;
  start();
  follows("1");
  wake();
  actors.advance(60s); // the deadline of the fetch
  CHECK(ends() == "0");
  script->failures.clear();
  actors.advance(31s);
  CHECK(ends() == "1");
}

TEST_CASE_METHOD(lane_fixture, "what cannot be had for good holds nothing", "[inbox_lane]") {
  for (const auto code : {errc::not_found, errc::gone, errc::forbidden, errc::invalid,
                          errc::malformed, errc::conflict, errc::too_large}) {
    auto here = lane_fixture{};
    here.script->failures["https://e.example/users/eve"] = make_error(code, "no");
    here.start();
    here.follows("1");
    here.wake();
    CAPTURE(to_string(code));
    CHECK(here.ends() == "1");
    CHECK(here.effects() == words{"1"});
  }
}

TEST_CASE_METHOD(lane_fixture, "a reply is applied without a parent that cannot be had now",
                 "[inbox_lane]") {
  script->failures["https://v.example/n/0"] = make_error(errc::unavailable, "suspended");
  start();
  arrives("1", R"("type":"Create","object":{"id":"https://e.example/n/1",)"
               R"("inReplyTo":"https://v.example/n/0"})");
  wake();
  CHECK(script->asked == words{"https://e.example/users/eve", "https://v.example/n/0"});
  CHECK(ends() == "1");
}

TEST_CASE_METHOD(lane_fixture, "A76: whom nobody follows makes us fetch nothing else's",
                 "[inbox_lane][A76]") {
  must(storage.db().run("DELETE FROM follow"));
  start();
  boosts("1", "https://v.example/n/1");
  arrives("2", R"("type":"Create","object":"https://v.example/n/2")", e_example,
          "https://v.example/users/victor");
  arrives("3", R"("type":"Create","to":"https://example.org/users/alice","object":)"
               R"({"id":"https://e.example/n/3","inReplyTo":"https://v.example/n/3"})");
  wake();
  CHECK(ends() == "111");
  CHECK(effects() == words{"1", "3"});
  const auto eve = std::string{"https://e.example/users/eve"};
  CHECK(script->asked == words{eve, eve, "https://v.example/n/3"}); // to one of ours: read in full
}

TEST_CASE_METHOD(lane_fixture, "arrivals do not wait for what others fetch elsewhere",
                 "[inbox_lane]") {
  script->failures["https://v.example/n/1"] = silence;
  start();
  boosts("boost", "https://v.example/n/1");
  follows("follow");
  arrives("undo", R"("type":"Undo","object":"https://e.example/a/boost")");
  wake();
  CHECK(effects() == words{"follow", "undo"});
  CHECK(ends() == "011");
  script->failures.clear();
  actors.advance(60s + 31s);
  CHECK(effects() == words{"follow", "undo", "boost"});
  CHECK(ends() == "111");
}

TEST_CASE_METHOD(lane_fixture, "at most so many arrivals wait aside; more are tried once",
                 "[inbox_lane]") {
  options.aside_max = 2;
  for (const auto* post : {"1", "2", "3", "4"})
    script->failures["https://v.example/n/" + std::string{post}] = silence;
  start();
  for (const auto* post : {"1", "2", "3", "4"})
    boosts(post, "https://v.example/n/" + std::string{post});
  follows("last");
  wake();
  CHECK(effects().empty());
  CHECK(script->unanswered_posts.size() == 3);
  actors.advance(60s); // the third is given up; the fourth begins
  CHECK(ends() == "00200");
  actors.advance(60s);
  CHECK(ends() == "00221");
  actors.advance(10min); // four tries of the first two
  CHECK(ends() == "22221");
}

TEST_CASE_METHOD(lane_fixture, "A36: a hint is fetched and never applied", "[inbox_lane][A36]") {
  const auto victor = std::string{"https://v.example/users/victor"};
  start();
  arrives("1", R"("type":"Create","object":{"id":"https://v.example/n/1","content":"lies"})",
          e_example, victor);
  arrives("2", R"("type":"Delete","object":"https://v.example/n/2")", e_example, victor);
  script->failures["https://v.example/n/2"] = make_error(errc::gone, "it is");
  wake();
  CHECK(script->asked == words{"https://v.example/n/1", "!https://v.example/n/2"});
  CHECK(applications == 0);
  CHECK(ends() == "11");
}

TEST_CASE_METHOD(lane_fixture, "what storage refuses is tried until it is taken", "[inbox_lane]") {
  start();
  for (const auto code : {errc::unavailable, errc::storage_busy, errc::storage_full}) {
    refused["https://e.example/a/1"] = make_error(code, "not now");
    if (ends().empty())
      follows("1");
    wake();
    actors.advance(1h);
    CHECK(ends() == "0");
    CHECK(effects().empty());
  }
  refused.clear();
  actors.advance(6s);
  CHECK(ends() == "1");
  CHECK(effects() == words{"1"});
}

TEST_CASE_METHOD(lane_fixture, "what can never be applied is given up, and holds nothing",
                 "[inbox_lane]") {
  refused["https://e.example/a/1"] = make_error(errc::storage_refused, "a defect");
  start();
  follows("1");
  follows("2");
  wake();
  CHECK(ends() == "21");
  CHECK(effects() == words{"2"});
  CHECK(logged == words{"inbox e.example gave up https://e.example/a/1: a defect"});
  CHECK(report().given_up == 1);
}

TEST_CASE_METHOD(lane_fixture, "a row that cannot be read is given up", "[inbox_lane]") {
  start();
  arrives("1", R"("type":7)");
  arrives("2", R"("type":"Follow",,)");
  follows("3");
  wake();
  CHECK(ends() == "221");
}

TEST_CASE_METHOD(lane_fixture, "a lane with nothing to do asks to be stopped", "[inbox_lane]") {
  start();
  follows("1");
  wake();
  script->asked.clear();
  actors.advance(119s);
  CHECK(report().applied == 1); // still the same lane
  actors.advance(121s);
  CHECK(report().applied == 0);
  follows("2");
  wake();
  CHECK(effects() == words{"1", "2"});
}

TEST_CASE_METHOD(lane_fixture, "what was applied is kept for a week, what is open for ever",
                 "[inbox_lane][housekeeper]") {
  follows("1");
  follows("2");
  must(remember_undo(*storage.open_writer(), "early", actors.now()));
  must(end_arrival(*storage.open_writer(), 1, arrival_end::done));
  actors.spawn(housekeeper, storage.start(actors), housekeeper_options{});
  actors.advance(7 * 24h - 1h);
  CHECK(ends() == "10");
  CHECK(must(storage.db().run("SELECT 1 FROM early_undo")).rows.empty());
  actors.advance(2h);
  CHECK(ends() == "0");
}
