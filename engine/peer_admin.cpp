#include "engine/peer_admin.hpp"

#include "actors/board_records.hpp"
#include "actors/messages.hpp"
#include "api/board_answers.hpp"
#include "api/problem.hpp"
#include "engine/forwarding.hpp"
#include "protocol/errc.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <utility>
#include <variant>

namespace trunkline {

namespace {

using parts_ptr = std::shared_ptr<const peer_admin_parts>;

/// Past every limit that a node has for a request about a host, and below that of a node that
/// stands by and has passed the request on to this one.
constexpr auto passing_limit = std::chrono::seconds{25};

/// Answers one question of a peer: an actor, for the books are one's too, and a link must not wait.
class board_answering {
public:
  board_answering(caf::event_based_actor* self, parts_ptr parts, peer_reply reply)
      : self_{self}, parts_{std::move(parts)}, reply_{std::move(reply)} {}

  void operator()(const host_list_wish& wish) const { give({parts_->board->list(wish)}); }

  void operator()(const ask_overview& question) const {
    give({overview_of(
        {.board = parts_->board.get(), .budget = parts_->budget.get(), .stuck = &parts_->stuck},
        question.now)});
  }

  void operator()(const ask_lines& question) const {
    give({lines_of(*parts_->board, question.hosts)});
  }

  void operator()(const flush_books& order) const {
    if (!parts_->dispatcher)
      return refuse(make_error(errc::unavailable, "this node has no dispatcher"));
    self_->request(parts_->dispatcher, peers_deadline, order)
        .then([answering = *this] { answering.give({books_flushed{}}); }, refusing());
  }

  /// The bound is asked for first: what is given to hosts after it is later than the answer.
  void operator()(const ask_open_units& question) const {
    if (!parts_->dispatcher)
      return refuse(make_error(errc::unavailable, "this node has no dispatcher"));
    self_->request(parts_->dispatcher, peers_deadline, describe_dispatcher{})
        .then(
            [answering = *this, question](const dispatcher_report& report) {
              answering.ask_open(question, report.dispatched);
            },
            refusing());
  }

private:
  void ask_open(const ask_open_units& question, log_seq dispatched) const {
    self_->request(parts_->dispatcher, peers_deadline, question)
        .then(
            [answering = *this, dispatched](const open_units& books) {
              answering.give(
                  {books_standing{.open = books.open,
                                  .dispatched = dispatched,
                                  .cancelled = cancelled_hosts(*answering.parts_->board)}});
            },
            refusing());
  }

  void give(const board_answer& answer) const { reply_(encode(answer)); }
  void refuse(const caf::error& why) const { reply_(why); }

  std::function<void(const caf::error&)> refusing() const {
    return [reply = reply_](const caf::error& why) { reply(why); };
  }

  caf::event_based_actor* self_;
  parts_ptr parts_;
  peer_reply reply_;
};

void answer_about_board(const parts_ptr& parts, const std::string& body, const peer_reply& reply) {
  const auto question = decode_board_question(body);
  if (!question)
    return reply(question.error());
  parts->system.spawn([parts, question = *question, reply](caf::event_based_actor* self) {
    std::visit(board_answering{self, parts, reply}, question.what);
  });
}

/// Who it is was found out by the node that passes it on, and is found out again from the same
/// headers; of a socket's peer that node alone can tell.
void answer_here(const peer_admin_parts& parts, const std::string& body, const peer_reply& reply) {
  auto request = decode_request(body);
  if (!request)
    return reply(request.error());
  if (!parts.admin)
    return reply(make_error(errc::unavailable, parts.own_name + " does not answer for others"));
  request->is_passed_on = true;
  if (request->over_unix_socket)
    request->peer_uid = parts.own_uid;
  parts.admin(std::move(*request), answering(reply));
}

/// What an operator is told whose request the host's node has not answered.
http_response unanswered_by(const std::string& node, const caf::error& why) {
  const auto code = code_of(why);
  if (code == errc::unavailable)
    return problem(503, code,
                   "The host belongs to node " + node +
                       ", which cannot be asked: " + context_of(why) + "; nothing was done");
  if (code == errc::too_large)
    return problem(413, code,
                   "The host belongs to node " + node +
                       ", and no more than 8 MiB are passed on; nothing was done");
  return problem(504, code,
                 "The host belongs to node " + node +
                     ", and whether this was done there is not known: " + context_of(why));
}

void pass_to(const peer_admin_parts& parts, const std::string& node, const http_request& request,
             const http_reply& reply) {
  parts.ask(node, {.topic = link_topic::admin_here,
                   .body = encode(request),
                   .limit = passing_limit,
                   .reply = peer_reply{[node, reply](const caf::expected<std::string>& given) {
                     if (!given)
                       return reply(unanswered_by(node, given.error()));
                     auto response = decode_response(*given);
                     reply(response ? std::move(*response) : unanswered_by(node, response.error()));
                   }}});
}

} // namespace

peer_admin::peer_admin(peer_admin_parts parts)
    : parts_{std::make_shared<const peer_admin_parts>(std::move(parts))} {}

peer_boards peer_admin::boards() const {
  return {.others = parts_->others,
          .ask = [parts = parts_](const std::string& node, const board_question& question,
                                  std::chrono::milliseconds limit,
                                  const peer_boards::answered& answered) {
            parts->ask(node,
                       {.topic = link_topic::board,
                        .body = encode(question),
                        .limit = limit,
                        .reply = peer_reply{[answered](const caf::expected<std::string>& given) {
                          answered(given ? decode_board_answer(*given) : given.error());
                        }}});
          }};
}

host_owners peer_admin::owners() const {
  return {.node_of =
              [parts = parts_](const host_address& host) {
                auto node = parts->node_of(host);
                return node == parts->own_name ? std::string{} : node;
              },
          .pass_on =
              [parts = parts_](const std::string& node, const http_request& request,
                               const http_reply& reply) { pass_to(*parts, node, request, reply); }};
}

bool peer_admin::serve(link_topic topic, const std::string& body, const peer_reply& reply) const {
  if (topic == link_topic::board)
    answer_about_board(parts_, body, reply);
  else if (topic == link_topic::admin_here)
    answer_here(*parts_, body, reply);
  else
    return false;
  return true;
}

} // namespace trunkline
