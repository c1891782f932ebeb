// What a link holds back, refuses and promises, whatever its peer does.

#include "kit/link_scene.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

TEST_CASE("a peer that does not read costs a credit and as much again", "[link]") {
  auto made = link_scene{{.credit_frames = 10,
                          .credit_bytes = 10'000,
                          .waiting_frames = 20,
                          .waiting_bytes = 5'000,
                          .envelope_bytes = 2'000}};
  made.connect();
  made.there->passes = false; // sent, and not acknowledged
  auto asked = std::vector<std::shared_ptr<answer_box>>{};
  for (auto i = 0; i < 100; ++i) {
    asked.push_back(made.ask(made.n1, std::string(968, 'x'))); // 1,000 with its frame
    made.world.settle();
  }
  made.world.advance(500ms);
  CHECK(made.n1.facts().bytes_in_flight == 10'000);
  CHECK(made.n1.facts().bytes_waiting == 5'000);
  CHECK(made.n1.facts().refused == 85);
  CHECK_FALSE(asked[14]->answer);
  CHECK(asked[15]->code() == errc::unavailable);
  CHECK(context_of(asked[15]->answer->error()) == "the link to n2 is full");
  const auto huge = made.ask(made.n1, std::string(5'000, 'x'));
  made.world.settle();
  CHECK(huge->code() == errc::too_large);
}

TEST_CASE("what waits goes when the peer acknowledges", "[link]") {
  auto made = link_scene{{.credit_frames = 3}};
  made.connect();
  auto asked = std::vector<std::shared_ptr<answer_box>>{};
  for (auto i = 0; i < 50; ++i)
    asked.push_back(made.ask(made.n1, std::to_string(i)));
  made.world.settle();
  REQUIRE(made.n2.questions.size() == 50);
  for (auto i = std::size_t{0}; i < 50; ++i) { // in their order
    CHECK(made.n2.questions[i].body == std::to_string(i));
    made.n2.questions[i].reply("re " + made.n2.questions[i].body);
  }
  made.world.settle();
  for (auto i = std::size_t{0}; i < 50; ++i)
    CHECK(asked[i]->answer.value().value() == "re " + std::to_string(i));
  CHECK(made.n1.facts().refused == 0);
}

TEST_CASE("what comes together goes in one envelope", "[link]") {
  auto made = link_scene{};
  made.connect();
  for (auto i = 0; i < 1'000; ++i)
    made.ask(made.n1, "x");
  made.world.settle();
  CHECK(made.n2.questions.size() == 1'000);
  CHECK(count(made.there->seen, envelope_kind::frames) < 10);
  CHECK(count(made.back->seen, envelope_kind::ack) < 10);
}

TEST_CASE("an answer that finds the link full is one that says so", "[link]") {
  auto made = link_scene{{.waiting_bytes = 2'000}};
  made.connect();
  const auto asked = made.ask(made.n1, "much?");
  made.world.settle();
  made.n2.questions.at(0).reply(std::string(2'000, 'x'));
  made.world.settle();
  CHECK(asked->code() == errc::timed_out);
  made.world.advance(1s);
  CHECK(made.n2.facts().refused == 1);
}

TEST_CASE("a peer that asks and asks and reads nothing is lost, and costs no more than its link",
          "[link][A131]") {
  auto made = link_scene{{.credit_frames = 4, .waiting_frames = 10, .asks_max = 5}};
  made.connect();
  made.back->passes = false; // nothing of n2 is read
  auto asked = std::uint64_t{0};
  while (made.n2.facts().is_up && asked < 1'000) {
    const auto frame =
        link_frame{.kind = frame_kind::request, .topic = 1, .id = asked, .body = "x"};
    caf::send_as(made.there->as, made.n2.actor,
                 envelope{.kind = static_cast<std::uint8_t>(envelope_kind::frames),
                          .epoch = 11,
                          .seq = ++asked,
                          .body = encode(std::vector<link_frame>{frame, frame})});
    made.world.settle();
  }
  CHECK(asked < 20);
  CHECK(made.n2.questions.size() == 5);
  CHECK(made.n2.closes == 1);
  CHECK(made.n2.facts().bytes_waiting == 0);
  CHECK(made.n2.facts().why_down.find("does not read") != std::string::npos);
}

TEST_CASE("a refusal for a reason of a later version says that nobody knows", "[link]") {
  auto made = link_scene{};
  made.connect();
  const auto asked = made.ask(made.n1, "what?");
  made.world.settle();
  const auto frame =
      link_frame{.kind = frame_kind::refusal, .topic = 200, .id = 1, .body = "something new"};
  caf::send_as(made.back->as, made.n1.actor,
               envelope{.kind = static_cast<std::uint8_t>(envelope_kind::frames),
                        .epoch = 22,
                        .seq = 1,
                        .body = encode(std::vector<link_frame>{frame})});
  made.world.settle();
  CHECK(asked->code() == errc::timed_out);
}

TEST_CASE("questions have an end", "[link]") {
  auto made = link_scene{{.asks_max = 2}};
  made.connect();
  const auto first = made.ask(made.n1, "1", 2s);
  const auto second = made.ask(made.n1, "2", 60s);
  const auto third = made.ask(made.n1, "3");
  made.world.settle();
  CHECK(third->code() == errc::unavailable);
  made.world.advance(3s);
  CHECK(first->code() == errc::timed_out);
  CHECK_FALSE(second->answer);
  // n2 still has both in hand: it takes no third one.
  const auto fourth = made.ask(made.n1, "4");
  made.world.settle();
  CHECK(made.n2.questions.size() == 2);
  CHECK(fourth->code() == errc::unavailable);
}

TEST_CASE("whatever is lost and whenever the wire ends, each question is answered once", "[link]") {
  for (auto seed = std::uint64_t{1}; seed <= 200; ++seed) {
    auto made = link_scene{{.credit_frames = 4, .asks_max = 16}, seed};
    auto random = std::mt19937_64{seed};
    auto answers = std::map<int, int>{};
    auto right = 0;
    for (auto step = 0; step < 100; ++step) {
      if (step % 25 == 0)
        made.connect();
      if (random() % 30 == 0)
        made.there->passes = made.back->passes = false;
      auto& from = random() % 2 ? made.n1 : made.n2;
      caf::anon_send(from.actor,
                     ask_peer{.topic = link_topic::web,
                              .body = std::to_string(step),
                              .limit = 5s,
                              .reply = peer_reply{[&, step](const caf::expected<std::string>& it) {
                                ++answers[step];
                                right += it && *it == "re " + std::to_string(step) ? 1 : 0;
                              }}});
      made.world.settle_partly(random() % 40);
      for (auto* to : {&made.n1, &made.n2}) {
        for (auto& question : to->questions)
          question.reply("re " + question.body);
        to->questions.clear();
      }
      if (random() % 10 == 0)
        made.world.advance(700ms);
    }
    made.world.advance(1min);
    made.n1.questions.clear();
    made.n2.questions.clear();
    made.world.advance(1min);
    CHECK(answers.size() == 100);
    CHECK(std::ranges::all_of(answers, [](const auto& one) { return one.second == 1; }));
    CHECK(right > 0);
    CHECK(made.n1.facts().bytes_in_flight + made.n1.facts().bytes_waiting == 0);
  }
}
