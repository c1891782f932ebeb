#include "actors/messages.hpp"
#include "actors/queries_deliveries.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_post_views.hpp"
#include "api/admin_services.hpp"
#include "api/board_answers.hpp"
#include "api/handling.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace trunkline {

namespace {

/// Of the three rounds in which other nodes are asked.
constexpr auto flush_limit = std::chrono::milliseconds{500};
constexpr auto open_limit = std::chrono::milliseconds{350};
constexpr auto lines_limit = std::chrono::milliseconds{150};
static_assert(flush_limit + open_limit + lines_limit <= peers_deadline);

struct post_question {
  post_id post;
  std::optional<post_state> state; ///< Only hosts in it.
  std::optional<post_recipient> after;
  std::size_t limit = 0;
  std::string link;
};

caf::expected<post_question> read_question(const matched_request& request,
                                           const api_services& services) {
  const auto post =
      read_own_post(request.segment(), {services.own_urls.origin, services.options.url});
  const auto limit = read_limit(request);
  if (!post || !limit)
    return post ? limit.error() : post.error();
  auto question = post_question{
      .post = *post, .limit = static_cast<std::size_t>(*limit), .link = link_to_next(request)};
  if (const auto text = query_value(request, "state"); !text.empty()) {
    question.state = post_state_of(text);
    if (!question.state)
      return make_error(errc::invalid,
                        "state: must be dead, exception, pending, cancelled, unclear or delivered");
  }
  if (const auto text = query_value(request, "after"); !text.empty()) {
    auto place = read_place(text);
    if (!place)
      return std::move(place.error());
    question.after = std::move(*place);
  }
  return question;
}

/// One answer, as far as it is known.
struct post_look {
  post_question question;
  http_reply reply;
  peers_asked_ptr peers;
  post_deliveries found;
  std::vector<bool> open;
  log_seq dispatched = 0;                      ///< By every node's word.
  std::map<host_address, host_line> cancelled; ///< Of other nodes.
  bool is_all = true;
  post_standing standing;
  std::vector<post_host_standing> shown;
  bool is_cut = false; ///< There is a next page.
};
using post_look_ptr = std::shared_ptr<post_look>;

/// Who delivers to a host has been heard, or nothing of it counts as delivered.
std::function<bool(const host_address&)> unheard_in(const api_services& services,
                                                    const peers_asked& peers) {
  if (!services.admin->owners.node_of)
    return
        [is_one_missing = !peers.missing.empty()](const host_address&) { return is_one_missing; };
  auto heard = std::set<std::string>{peers.nodes.begin(), peers.nodes.end()};
  heard.insert(services.admin->node_id);
  return [heard = std::move(heard), node_of = finder_in(services)](const host_address& host) {
    return !heard.contains(node_of(host));
  };
}

void choose_page(post_look& look) {
  const auto& question = look.question;
  for (const auto& host : look.standing.hosts) {
    if ((question.state && host.state != *question.state) ||
        (question.after && !(*question.after < place_of(host))))
      continue;
    look.is_cut = look.shown.size() == question.limit;
    if (look.is_cut)
      return;
    look.shown.push_back(host);
  }
}

void answer_page(const api_services& services, const post_look& look) {
  const auto now = services.clock();
  auto list = json_array{};
  for (const auto& host : look.shown)
    list.emplace_back(render(host, now));
  auto shown = json_object{{"post", to_string(look.question.post)},
                           {"totals", look.standing.totals},
                           {"rows", look.standing.rows},
                           {"hosts", std::move(list)}};
  add_completeness(shown, *look.peers, now, look.is_all && look.standing.is_all);
  auto response = admin_answer_of(200, shown);
  if (look.is_cut)
    add_next_page(response, look.question.link, to_mark(place_of(look.shown.back())));
  look.reply(std::move(response));
}

/// Hosts that are shown are shown as their own nodes' boards have them.
void ask_lines_of(gateway_state& gateway, const post_look_ptr& look) {
  auto wish = ask_lines{};
  const auto node_of = finder_in(*gateway.services);
  for (const auto& host : look->shown)
    if (node_of(host.address) != gateway.services->admin->node_id)
      wish.hosts.push_back(host.address);
  if (wish.hosts.empty())
    return answer_page(*gateway.services, *look);
  ask_peers(gateway, look->peers, {wish}, lines_limit,
            [&gateway, look, node_of](const peer_answers& answers) {
              for (const auto& [node, answer] : answers)
                for (const auto& line : std::get<std::vector<host_line>>(answer.what))
                  for (auto& host : look->shown)
                    if (host.address == line.address && node_of(line.address) == node)
                      host.line = line;
              answer_page(*gateway.services, *look);
            });
}

/// A unit is open when any node says so: the host may be on its way between two.
void take_standing(post_look& look, const books_standing& said) {
  for (auto i = std::size_t{0}; i < look.open.size(); ++i)
    look.open[i] = look.open[i] || said.open[i];
  look.dispatched = std::min(look.dispatched, said.dispatched);
  for (const auto& line : said.cancelled)
    look.cancelled.emplace(line.address, line);
  look.is_all = look.is_all && said.cancelled.size() < board_lines_max;
}

void show_standing(gateway_state& gateway, const post_look_ptr& look, const peer_answers& answers) {
  const auto& services = *gateway.services;
  for (const auto& [node, answer] : answers)
    take_standing(*look, std::get<books_standing>(answer.what));
  const auto line_of = [&](const host_address& host) -> std::optional<host_line> {
    const auto found = look->cancelled.find(host);
    if (found != look->cancelled.end())
      return found->second;
    return services.board ? services.board->find(host) : std::nullopt;
  };
  look->standing = standing_of(look->found,
                               {.open = look->open,
                                .dispatched = look->dispatched,
                                .is_unheard = unheard_in(services, *look->peers)},
                               line_of);
  choose_page(*look);
  ask_lines_of(gateway, look);
}

/// What the books do not know any more is settled; what they do not know yet waits.
void ask_books(gateway_state& gateway, const post_look_ptr& look) {
  const auto questions = questions_about(look->found);
  ask_region<open_units>(gateway, gateway.services->dispatcher, questions, look->reply,
                         [&gateway, look, questions](const open_units& books) {
                           look->open = books.open;
                           ask_peers(gateway, look->peers, {questions}, open_limit,
                                     [&gateway, look](const peer_answers& answers) {
                                       show_standing(gateway, look, answers);
                                     });
                         });
}

void ask_dispatched(gateway_state& gateway, const post_look_ptr& look) {
  ask_region<dispatcher_report>(gateway, gateway.services->dispatcher, describe_dispatcher{},
                                look->reply, [&gateway, look](const dispatcher_report& report) {
                                  look->dispatched = report.dispatched;
                                  ask_books(gateway, look);
                                });
}

void ask_rows(gateway_state& gateway, const post_look_ptr& look) {
  ask(gateway,
      ask_post_deliveries({.post = look->question.post, .after = {}, .limit = post_hosts_max}),
      look->reply, [&gateway, look](const post_deliveries& found) {
        look->found = found;
        ask_dispatched(gateway, look);
      });
}

/// What has become an exception in this second stands in no row yet, at no node.
void flush_all(gateway_state& gateway, const post_look_ptr& look) {
  ask_region<caf::unit_t>(gateway, gateway.services->dispatcher, flush_books{}, look->reply,
                          [&gateway, look](caf::unit_t) {
                            ask_peers(
                                gateway, look->peers, {flush_books{}}, flush_limit,
                                [&gateway, look](const peer_answers&) { ask_rows(gateway, look); });
                          });
}

} // namespace

void show_post_deliveries(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  auto question = read_question(request, *gateway.services);
  if (!question)
    return refuse(gateway, reply, question.error());
  if (!gateway.services->dispatcher)
    return refuse(gateway, reply, make_error(errc::unavailable, "dispatcher: this node has none"));
  const auto look = std::make_shared<post_look>();
  look->question = std::move(*question);
  look->reply = reply;
  look->peers = all_peers(*gateway.services);
  flush_all(gateway, look);
}

} // namespace trunkline
