/// Two links in one actor system: what BASP would carry goes from mailbox to mailbox.
#pragma once

#include "actors/link.hpp"
#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

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

inline caf::behavior wire(caf::event_based_actor*, const std::shared_ptr<wire_end>& end) {
  return {[end](const envelope& letter) {
    end->seen.push_back(letter);
    if (end->passes)
      caf::send_as(end->as, end->to, letter);
  }};
}

/// n1 dials n2, on a wire of its own each time.
struct link_scene {
  explicit link_scene(link_options options = {}, std::uint64_t seed = 0) : world{seed} {
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
                                  std::chrono::milliseconds limit = std::chrono::seconds{10}) {
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

  deterministic_system world;
  side n1;
  side n2;
  std::shared_ptr<wire_end> there;
  std::shared_ptr<wire_end> back;
};

inline std::size_t count(const std::vector<envelope>& seen, envelope_kind kind) {
  return static_cast<std::size_t>(
      std::ranges::count(seen, static_cast<std::uint8_t>(kind), &envelope::kind));
}

} // namespace trunkline::kit
