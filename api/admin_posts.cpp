#include "actors/messages.hpp"
#include "actors/queries_deliveries.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_post_views.hpp"
#include "api/admin_services.hpp"
#include "api/handling.hpp"

#include <memory>

namespace trunkline {

namespace {

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

http_response page_of(const post_question& question, const post_standing& standing,
                      time_point now) {
  auto list = json_array{};
  auto last = post_recipient{};
  auto is_cut = false;
  for (const auto& host : standing.hosts) {
    if ((question.state && host.state != *question.state) ||
        (question.after && !(*question.after < place_of(host))))
      continue;
    if (list.size() == question.limit) {
      is_cut = true;
      break;
    }
    list.emplace_back(render(host, now));
    last = place_of(host);
  }
  auto response = admin_answer_of(200, {{"post", to_string(question.post)},
                                        {"totals", standing.totals},
                                        {"rows", standing.rows},
                                        {"hosts", std::move(list)},
                                        {"as_of", to_iso8601(now)},
                                        {"complete", standing.is_all},
                                        {"missing_nodes", json_array{}}});
  if (is_cut)
    add_next_page(response, question.link, to_mark(last));
  return response;
}

using found_deliveries = std::shared_ptr<const post_deliveries>;

/// What the books do not know any more is settled; what they do not know yet waits.
void ask_books(gateway_state& gateway, const post_question& question, const found_deliveries& found,
               const http_reply& reply) {
  const auto& dispatcher = gateway.services->dispatcher;
  ask_region<dispatcher_report>(
      gateway, dispatcher, describe_dispatcher{}, reply,
      [&gateway, question, found, reply](const dispatcher_report& report) {
        ask_region<open_units>(
            gateway, gateway.services->dispatcher, questions_about(*found), reply,
            [&gateway, question, found, reply,
             dispatched = report.dispatched](const open_units& books) {
              const auto now = gateway.services->clock();
              const auto board = gateway.services->board;
              reply(page_of(
                  question,
                  standing_of(*found, {.open = books.open, .dispatched = dispatched}, board.get()),
                  now));
            });
      });
}

void ask_rows(gateway_state& gateway, const post_question& question, const http_reply& reply) {
  ask(gateway, ask_post_deliveries({.post = question.post, .after = {}, .limit = post_hosts_max}),
      reply, [&gateway, question, reply](const post_deliveries& found) {
        ask_books(gateway, question, std::make_shared<const post_deliveries>(found), reply);
      });
}

} // namespace

void show_post_deliveries(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  const auto question = read_question(request, *gateway.services);
  if (!question)
    return refuse(gateway, reply, question.error());
  const auto& dispatcher = gateway.services->dispatcher;
  if (!dispatcher)
    return refuse(gateway, reply, make_error(errc::unavailable, "dispatcher: this node has none"));
  // What has become an exception in this second stands in no row yet.
  ask_region<caf::unit_t>(
      gateway, dispatcher, flush_books{}, reply,
      [&gateway, question = *question, reply](caf::unit_t) { ask_rows(gateway, question, reply); });
}

} // namespace trunkline
