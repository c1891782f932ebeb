#include "api/peer_boards.hpp"

#include "actors/messages.hpp"
#include "api/admin_services.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace trunkline {

namespace {

/// Tells whether it is an answer to that question.
bool fits(const board_question& question, const board_answer& answer) {
  if (std::holds_alternative<ask_overview>(question.what))
    return std::holds_alternative<board_overview>(answer.what);
  if (std::holds_alternative<flush_books>(question.what))
    return std::holds_alternative<books_flushed>(answer.what);
  if (const auto* units = std::get_if<ask_open_units>(&question.what)) {
    const auto* standing = std::get_if<books_standing>(&answer.what);
    return standing && standing->open.size() == units->units.size();
  }
  const auto* lines = std::get_if<std::vector<host_line>>(&answer.what);
  const auto* wish = std::get_if<host_list_wish>(&question.what);
  return lines && (!wish || lines->size() <= wish->limit);
}

/// Lives in the gateway: what comes from other threads comes as a `gateway_turn`.
struct peer_round {
  peers_asked_ptr peers;
  board_question question;
  peer_answers given;
  std::size_t open = 0;
  std::function<void(peer_answers)> then; ///< Null: it is over.

  void take(const std::string& node, const caf::expected<board_answer>& answer) {
    if (!then)
      return;
    if (answer && fits(question, *answer))
      given.emplace(node, *answer);
    if (--open == 0)
      finish();
  }

  void finish() {
    if (!then)
      return;
    for (const auto& node : std::exchange(peers->nodes, {}))
      (given.contains(node) ? peers->nodes : peers->missing).push_back(node);
    std::ranges::sort(peers->missing);
    std::exchange(then, nullptr)(std::move(given));
  }
};

} // namespace

peers_asked_ptr all_peers(const api_services& services) {
  auto peers = std::make_shared<peers_asked>();
  const auto& boards = services.admin->boards;
  if (boards.others && boards.ask)
    peers->nodes = boards.others();
  return peers;
}

void ask_peers(gateway_state& gateway, const peers_asked_ptr& peers, const board_question& question,
               std::chrono::milliseconds limit, std::function<void(peer_answers)> then) {
  if (peers->nodes.empty())
    return then({});
  const auto round = std::make_shared<peer_round>(peer_round{.peers = peers,
                                                             .question = question,
                                                             .given = {},
                                                             .open = peers->nodes.size(),
                                                             .then = std::move(then)});
  const auto self = gateway_handle{gateway.self};
  for (const auto& node : peers->nodes)
    gateway.services->admin->boards.ask(
        node, question, limit, [self, round, node](caf::expected<board_answer> answer) {
          caf::anon_send(self, gateway_turn{[round, node, answer = std::move(answer)] {
                           round->take(node, answer);
                         }});
        });
  gateway.self->delayed_send(gateway.self, limit, gateway_turn{[round] { round->finish(); }});
}

void add_completeness(json_object& shown, const peers_asked& peers, time_point now, bool is_all) {
  auto missing = json_array{};
  for (const auto& node : peers.missing)
    missing.emplace_back(node);
  shown["as_of"] = to_iso8601(now);
  shown["complete"] = is_all && missing.empty();
  shown["missing_nodes"] = std::move(missing);
}

} // namespace trunkline
