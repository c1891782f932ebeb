// Links that come up, end and come up again.

#include "kit/link_scene.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

TEST_CASE("a link asks and answers in both directions", "[link]") {
  auto made = link_scene{};
  CHECK(made.n1.dials == 1);
  CHECK(made.n2.dials == 0);
  CHECK_FALSE(made.n1.facts().is_up);
  made.connect();
  CHECK(made.n1.facts().is_up);
  CHECK(made.n2.facts().is_up);

  const auto first = made.ask(made.n1, "what?");
  const auto second = made.ask(made.n2, "and you?");
  made.world.settle();
  REQUIRE(made.n2.questions.size() == 1);
  CHECK(made.n2.questions[0].topic == link_topic::web);
  CHECK(made.n2.questions[0].body == "what?");
  made.n2.questions[0].reply("that");
  made.n1.questions.at(0).reply(make_error(errc::not_found, "nothing"));
  made.world.settle();
  CHECK(first->answer.value().value() == "that");
  CHECK(second->code() == errc::not_found);
  CHECK(context_of(second->answer->error()) == "nothing");
  made.world.advance(1s);
  CHECK(made.n1.facts().round_trip);
  CHECK(made.n1.facts().bytes_in_flight == 0);
}

TEST_CASE("without a connection a question fails at once, and was not asked", "[link]") {
  auto made = link_scene{};
  const auto asked = made.ask(made.n1, "what?");
  made.world.settle();
  CHECK(asked->code() == errc::unavailable);
  made.connect();
  CHECK(made.n2.questions.empty());
}

TEST_CASE("what was asked when the connection ends is not known, and is not asked again",
          "[link]") {
  auto made = link_scene{};
  made.connect();
  const auto asked = made.ask(made.n1, "what?");
  made.world.settle();
  REQUIRE(made.n2.questions.size() == 1);
  caf::anon_send(made.n1.actor, link_lost{"cut"});
  made.world.settle();
  CHECK(asked->code() == errc::timed_out);
  CHECK(made.n1.facts().why_down == "cut");
  made.connect();
  CHECK(made.n1.facts().is_up);
  made.n2.questions[0].reply("late"); // to a connection that is over
  made.world.settle();
  CHECK(made.n2.questions.size() == 1);
  const auto other = made.ask(made.n1, "again?");
  made.world.settle();
  made.n2.questions.at(1).reply("yes");
  made.world.settle();
  CHECK(other->answer.value().value() == "yes");
}

TEST_CASE("a peer that falls silent is given up within seconds", "[link][F14]") {
  auto made = link_scene{};
  made.connect();
  const auto asked = made.ask(made.n1, "what?", 60s);
  made.world.settle();
  made.there->passes = made.back->passes = false;
  made.world.advance(3s);
  CHECK(made.n1.facts().is_up);
  CHECK_FALSE(asked->answer);
  made.world.advance(2s);
  CHECK_FALSE(made.n1.facts().is_up);
  CHECK(asked->code() == errc::timed_out);
  CHECK(made.n1.closes == 1);
  CHECK(made.n2.closes == 1);
  CHECK(made.n1.facts().why_down.find("silent") != std::string::npos);
}

TEST_CASE("a link that is well is never given up", "[link]") {
  auto made = link_scene{};
  made.connect();
  made.world.advance(10min);
  CHECK(made.n1.facts().is_up);
  CHECK(made.n1.dials == 1);
  CHECK(made.n1.closes == 0);
}

TEST_CASE("who dials tries again, ever more slowly and for ever", "[link]") {
  auto made = link_scene{};
  for (auto i = 0; i < 200; ++i) {
    caf::anon_send(made.n1.actor, link_lost{"refused"});
    made.world.advance(1s);
  }
  // 0.25, 0.5, 1, 2, 4 s, then every 5 s at looks half a second apart.
  CHECK(made.n1.dials > 30);
  CHECK(made.n1.dials < 50);
  made.connect();
  const auto dials = made.n1.dials;
  made.world.advance(1min);
  CHECK(made.n1.dials == dials);
}

TEST_CASE("who dials does so at once when the peer is there again", "[link]") {
  auto made = link_scene{};
  for (auto i = 0; i < 60; ++i) { // until it waits for 5 s
    caf::anon_send(made.n1.actor, link_lost{"refused"});
    made.world.advance(500ms);
  }
  const auto dials = made.n1.dials;
  caf::anon_send(made.n1.actor, link_lost{"refused"});
  caf::anon_send(made.n1.actor, caf::connect_atom_v);
  made.world.advance(500ms);
  CHECK(made.n1.dials == dials + 1);
}

TEST_CASE("an envelope of an earlier process, or out of turn, is not taken", "[link][A131]") {
  auto made = link_scene{};
  made.connect();
  const auto frames = encode(
      std::vector<link_frame>{{.kind = frame_kind::request, .topic = 1, .id = 1, .body = "x"}});
  const auto letter = [&](std::uint64_t epoch, std::uint64_t seq) {
    return envelope{.kind = static_cast<std::uint8_t>(envelope_kind::frames),
                    .epoch = epoch,
                    .seq = seq,
                    .body = frames};
  };
  caf::send_as(made.there->as, made.n2.actor, letter(10, 1));
  caf::anon_send(made.n2.actor, letter(11, 1)); // of nobody
  made.world.settle();
  CHECK(made.n2.questions.empty());
  CHECK(made.n2.facts().is_up);
  caf::send_as(made.there->as, made.n2.actor, letter(11, 1));
  made.world.settle();
  CHECK(made.n2.questions.size() == 1);
  caf::send_as(made.there->as, made.n2.actor, letter(11, 3)); // 2 is missing
  made.world.settle();
  CHECK(made.n2.questions.size() == 1);
  CHECK_FALSE(made.n2.facts().is_up);
  CHECK(made.n2.closes == 1);
  CHECK(made.n2.facts().why_down == "envelope 2 is missing");
}

TEST_CASE("a peer is refused that has another name or speaks no common format", "[link][A130]") {
  auto made = link_scene{};
  made.connect();
  const auto greet = [&](link_hello hello) {
    caf::send_as(made.there->as, made.n2.actor,
                 envelope{.kind = static_cast<std::uint8_t>(envelope_kind::hello),
                          .epoch = 5,
                          .body = encode(hello)});
    made.world.settle();
  };
  greet({.node = "n3"});
  CHECK(made.n2.facts().why_down == "it calls itself n3");
  greet({.node = "n1", .version_min = 2, .version_max = 3});
  CHECK(made.n2.facts().why_down.find("speaks formats 2 to 3") != std::string::npos);
  CHECK_FALSE(made.n2.facts().is_up);
  greet({.node = "n1", .version_min = 1, .version_max = 2}); // a newer one that knows ours
  CHECK(made.n2.facts().is_up);
}

TEST_CASE("who ends says goodbye: what it was asked and has not answered was not done", "[link]") {
  auto made = link_scene{};
  made.connect();
  const auto answered = made.ask(made.n1, "1");
  made.world.settle();
  made.n2.questions.at(0).reply("yes");
  made.there->passes = false; // what is asked now does not arrive
  const auto open = made.ask(made.n1, "2");
  caf::anon_send(made.n2.actor, caf::leave_atom_v);
  made.world.settle();
  CHECK(answered->answer.value().value() == "yes");
  CHECK(open->code() == errc::unavailable);
  CHECK_FALSE(made.n1.facts().is_up);
  CHECK(made.n1.facts().why_down == "it has ended");
  caf::anon_send(made.n1.actor, link_lost{"this node has ended it"});
  made.world.settle();
  CHECK(made.n1.facts().why_down == "it has ended"); // the first word counts
}

TEST_CASE("who ends with an answer open does not say what it cannot know", "[link]") {
  auto made = link_scene{};
  made.connect();
  const auto open = made.ask(made.n1, "1");
  made.world.settle();
  caf::anon_send(made.n2.actor, caf::leave_atom_v);
  made.world.settle();
  CHECK_FALSE(open->answer);
  CHECK(count(made.back->seen, envelope_kind::goodbye) == 0);
}

TEST_CASE("a peer that was restarted replaces itself", "[link]") {
  auto made = link_scene{};
  made.connect();
  const auto asked = made.ask(made.n2, "what?");
  made.world.settle();
  made.connect(); // anew, without a word about the end of the old one
  CHECK(asked->code() == errc::timed_out);
  CHECK(made.n2.facts().is_up);
  CHECK(made.n1.facts().is_up);
  const auto other = made.ask(made.n2, "what?");
  made.world.settle();
  made.n1.questions.back().reply("that");
  made.world.settle();
  CHECK(other->answer.value().value() == "that");
}
