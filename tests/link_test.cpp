// Two links in one system: what BASP would carry goes from mailbox to mailbox.

#include "actors/link.hpp"
#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct served_question {
  link_topic topic;
  std::string body;
  peer_reply reply;
};

/// One end: what it is asked, and what it did.
struct side {
  std::vector<served_question> questions;
  int dials = 0;
  int closes = 0;
  std::shared_ptr<link_board> board = std::make_shared<link_board>();
  link_handle actor;

  link_facts facts() const {
    const auto all = board->all();
    return all.empty() ? link_facts{} : all.begin()->second;
  }
};

struct answer_box {
  std::optional<caf::expected<std::string>> answer;

  errc code() const { return code_of(answer.value().error()); }
};

/// What A believes to be B, and B to be A: envelopes pass from one to the other while it stands.
struct wire_end {
  link_handle to;
  caf::actor as; ///< The receiver sees this as the sender.
  bool passes = true;
  std::vector<envelope> seen;
};

caf::behavior wire(caf::event_based_actor*, const std::shared_ptr<wire_end>& end) {
  return {[end](const envelope& letter) {
    end->seen.push_back(letter);
    if (end->passes)
      caf::send_as(end->as, end->to, letter);
  }};
}

/// n1 dials n2, on a wire of its own each time.
struct scene {
  explicit scene(link_options options = {}, std::uint64_t seed = 0) : world{seed} {
    n1.actor = make(n1, "n1", "n2", 11, options, true);
    n2.actor = make(n2, "n2", "n1", 22, options, false);
    world.settle();
  }

  link_handle make(side& of, const std::string& own, const std::string& peer, std::uint64_t epoch,
                   const link_options& options, bool dials) {
    auto needs =
        link_dependencies{.own_name = own,
                          .peer = peer,
                          .epoch = epoch,
                          .close = [&of] { ++of.closes; },
                          .serve =
                              [&of](link_topic topic, std::string body, peer_reply reply) {
                                of.questions.push_back({topic, std::move(body), std::move(reply)});
                              },
                          .board = of.board};
    if (dials)
      needs.dial = [&of] { ++of.dials; };
    return world.spawn(trunkline::link, std::move(needs), options);
  }

  void connect() {
    there = std::make_shared<wire_end>();
    back = std::make_shared<wire_end>();
    const auto to_n2 = world.spawn(wire, there);
    const auto to_n1 = world.spawn(wire, back);
    *there = {.to = n2.actor, .as = to_n1};
    *back = {.to = n1.actor, .as = to_n2};
    caf::anon_send(n1.actor, caf::connect_atom_v, caf::actor_cast<caf::strong_actor_ptr>(to_n2));
    world.settle();
  }

  std::shared_ptr<answer_box> ask(side& from, std::string body,
                                  std::chrono::milliseconds limit = 10s) {
    auto box = std::make_shared<answer_box>();
    caf::anon_send(from.actor,
                   ask_peer{.topic = link_topic::web,
                            .body = std::move(body),
                            .limit = limit,
                            .reply = peer_reply{[box](caf::expected<std::string> given) {
                              box->answer = std::move(given);
                            }}});
    return box;
  }

  kit::deterministic_system world;
  side n1;
  side n2;
  std::shared_ptr<wire_end> there;
  std::shared_ptr<wire_end> back;
};

std::size_t count(const std::vector<envelope>& seen, envelope_kind kind) {
  return static_cast<std::size_t>(
      std::ranges::count(seen, static_cast<std::uint8_t>(kind), &envelope::kind));
}

} // namespace

TEST_CASE("a link asks and answers in both directions", "[link]") {
  auto made = scene{};
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
  auto made = scene{};
  const auto asked = made.ask(made.n1, "what?");
  made.world.settle();
  CHECK(asked->code() == errc::unavailable);
  made.connect();
  CHECK(made.n2.questions.empty());
}

TEST_CASE("what was asked when the connection ends is not known, and is not asked again",
          "[link]") {
  auto made = scene{};
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
  auto made = scene{};
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
  auto made = scene{};
  made.connect();
  made.world.advance(10min);
  CHECK(made.n1.facts().is_up);
  CHECK(made.n1.dials == 1);
  CHECK(made.n1.closes == 0);
}

TEST_CASE("who dials tries again, ever more slowly and for ever", "[link]") {
  auto made = scene{};
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
  auto made = scene{};
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

TEST_CASE("a peer that does not read costs a credit and as much again", "[link]") {
  auto made = scene{{.credit_frames = 10,
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
  auto made = scene{{.credit_frames = 3}};
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
  auto made = scene{};
  made.connect();
  for (auto i = 0; i < 1'000; ++i)
    made.ask(made.n1, "x");
  made.world.settle();
  CHECK(made.n2.questions.size() == 1'000);
  CHECK(count(made.there->seen, envelope_kind::frames) < 10);
  CHECK(count(made.back->seen, envelope_kind::ack) < 10);
}

TEST_CASE("an answer that finds the link full is one that says so", "[link]") {
  auto made = scene{{.waiting_bytes = 2'000}};
  made.connect();
  const auto asked = made.ask(made.n1, "much?");
  made.world.settle();
  made.n2.questions.at(0).reply(std::string(2'000, 'x'));
  made.world.settle();
  CHECK(asked->code() == errc::timed_out);
  made.world.advance(1s);
  CHECK(made.n2.facts().refused == 1);
}

TEST_CASE("questions have an end", "[link]") {
  auto made = scene{{.asks_max = 2}};
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

TEST_CASE("an envelope of an earlier process, or out of turn, is not taken", "[link][A131]") {
  auto made = scene{};
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
  auto made = scene{};
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
  auto made = scene{};
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
  auto made = scene{};
  made.connect();
  const auto open = made.ask(made.n1, "1");
  made.world.settle();
  caf::anon_send(made.n2.actor, caf::leave_atom_v);
  made.world.settle();
  CHECK_FALSE(open->answer);
  CHECK(count(made.back->seen, envelope_kind::goodbye) == 0);
}

TEST_CASE("a peer that was restarted replaces itself", "[link]") {
  auto made = scene{};
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

TEST_CASE("whatever is lost and whenever the wire ends, each question is answered once", "[link]") {
  for (auto seed = std::uint64_t{1}; seed <= 200; ++seed) {
    auto made = scene{{.credit_frames = 4, .asks_max = 16}, seed};
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
