/// The admin API of the node "n1", which serves, and other nodes beside it: each with a board and
/// books of its own, which answer, refuse or keep silent.
#pragma once

#include "api/board_answers.hpp"
#include "kit/admin_world.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace trunkline::kit {

struct fake_peer {
  host_board board;
  delivery_budget budget;
  std::function<std::vector<stuck_actor>()> stuck;
  fake_books books;
  bool is_silent = false;
  caf::error refusal;
  std::vector<board_question> asked;

  /// Answers as a node does.
  board_answer answer(const board_question& question) {
    if (const auto* wish = std::get_if<host_list_wish>(&question.what))
      return {board.list(*wish)};
    if (const auto* overview = std::get_if<ask_overview>(&question.what))
      return {overview_of({.board = &board, .budget = &budget, .stuck = &stuck}, overview->now)};
    if (const auto* lines = std::get_if<ask_lines>(&question.what))
      return {lines_of(board, lines->hosts)};
    if (std::holds_alternative<flush_books>(question.what)) {
      ++books.flushes;
      return {books_flushed{}};
    }
    auto standing =
        books_standing{.dispatched = books.dispatched, .cancelled = cancelled_hosts(board)};
    for (const auto& unit : std::get<ask_open_units>(question.what).units)
      standing.open.push_back(books.is_open(unit));
    return {standing};
  }
};

struct passed_request {
  std::string node;
  http_request request;
};

class peers_world : public admin_world {
public:
  explicit peers_world(const words& others = {"n2", "n3"}) {
    for (const auto& name : others)
      peers[name] = std::make_shared<fake_peer>();
    admin().node_id = "n1";
    admin().boards = {.others =
                          [this] {
                            auto names = words{};
                            for (const auto& [name, peer] : peers)
                              names.push_back(name);
                            return names;
                          },
                      .ask =
                          [this](const std::string& node, const board_question& question,
                                 std::chrono::milliseconds, const peer_boards::answered& answered) {
                            ask_peer_of(node, question, answered);
                          }};
    admin().owners = {
        .node_of =
            [this](const host_address& host) {
              const auto found = owners.find(host.name);
              return found == owners.end() ? std::string{} : found->second;
            },
        .pass_on =
            [this](const std::string& node, const http_request& request, const http_reply& reply) {
              passed.push_back({node, request});
              reply(answer_of_peer);
            }};
  }

  /// A host of that node: of which n1 has its row alone.
  void add_host_of(const std::string& node, int id, const std::string& name,
                   const std::function<void(host_line&)>& change = {}) {
    if (node == "n1")
      return add_host(id, name, change);
    auto line = host_line{};
    line.address = {.scheme = "https", .name = name};
    line.health.facts.id = host_id{id};
    if (change)
      change(line);
    add_row(id, line.address);
    owners[name] = node;
    peers.at(node)->board.load(std::move(line));
  }

  std::map<std::string, std::shared_ptr<fake_peer>> peers;
  std::map<std::string, std::string> owners; ///< By name of the host; others are of n1.
  std::vector<passed_request> passed;
  http_response answer_of_peer{.status = 200, .body = R"({"of":"n2"})"};
  std::vector<peer_boards::answered> unanswered;

private:
  void ask_peer_of(const std::string& node, const board_question& question,
                   const peer_boards::answered& answered) {
    auto& peer = *peers.at(node);
    peer.asked.push_back(question);
    if (peer.is_silent)
      unanswered.push_back(answered);
    else if (peer.refusal)
      answered(peer.refusal);
    else // as it comes over a link
      answered(decode_board_answer(encode(peer.answer(*decode_board_question(encode(question))))));
  }
};

} // namespace trunkline::kit
