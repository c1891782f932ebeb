#include "actors/messages.hpp"
#include "actors/queries_deliveries.hpp"
#include "api/admin_actions.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_known_host.hpp"
#include "api/admin_services.hpp"
#include "api/handling.hpp"
#include "protocol/loose_members.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace trunkline {

namespace {

constexpr std::int64_t limit_max = 1'000'000;

std::string counted_units(const operated_host& came) {
  auto words = std::to_string(came.units) + (came.units == 1 ? " activity" : " activities");
  if (!came.is_all)
    words = "at least " + words;
  return came.kept > 0 ? words + ", " + std::to_string(came.kept) + " kept" : words;
}

json_object render(const operator_action& action, const std::string& host,
                   const operated_host& came) {
  return {{"action", action.entry.action}, {"host", host},      {"dry_run", action.dry_run},
          {"units", came.units},           {"kept", came.kept}, {"is_all", came.is_all}};
}

/// What pausing or trying again would be about.
void answer_dry_run(const operator_action& action, const host_line& host) {
  const auto waiting = operated_host{.units = host.sums.pending};
  action.reply(admin_answer_of(200, render(action, to_name(host.address), waiting)));
}

using host_act = std::function<void(const operator_action&, const host_line&)>;

/// Finds the host of the path, and calls `then` with it and the action.
void act_on_host(gateway_state& gateway, const matched_request& request,
                 const operator_action& action, host_act then) {
  with_known_host(gateway,
                  {.http = request.http,
                   .name = request.segment(),
                   .reply = action.reply,
                   .leaves = action.leaves},
                  [action, then = std::move(then)](const host_line& host) { then(action, host); });
}

/// Sends `Message` to the actor of the host, and shows the host when the change is in the database.
template <class Message>
void change_host(gateway_state& gateway, const operator_action& action, const host_line& host) {
  if (action.dry_run)
    return answer_dry_run(action, host);
  ask_region<caf::unit_t>(gateway, gateway.services->hosts, Message{host.address}, action.reply,
                          [&gateway, action, name = to_name(host.address)](caf::unit_t) {
                            finish_action(gateway, action, name, "", [&gateway, action, name] {
                              with_host_here(
                                  gateway, name, action.reply,
                                  [&gateway, reply = action.reply](const host_line& changed) {
                                    answer_with_host(gateway, changed, reply);
                                  });
                            });
                          });
}

template <class Message>
host_act changing(gateway_state& gateway) {
  return [&gateway](const operator_action& action, const host_line& host) {
    change_host<Message>(gateway, action, host);
  };
}

using order_wish = decltype(operate_host::wish);

/// Gives the order to the actor of the host, and tells how many units it reached. `said` goes to
/// the audit before the numbers.
void order(gateway_state& gateway, const operator_action& action, const host_line& host,
           order_wish wish, const std::string& said = {}) {
  ask_region<operated_host>(
      gateway, gateway.services->hosts,
      operate_host{.host = host.address, .wish = std::move(wish), .dry_run = action.dry_run},
      action.reply,
      [&gateway, action, name = to_name(host.address), said](const operated_host& came) {
        const auto detail = (said.empty() ? "" : said + ": ") + counted_units(came);
        finish_action(gateway, action, name, detail, [action, name, came] {
          action.reply(admin_answer_of(200, render(action, name, came)));
        });
      });
}

template <class Wish>
host_act ordering(gateway_state& gateway) {
  return [&gateway](const operator_action& action, const host_line& host) {
    order(gateway, action, host, Wish{});
  };
}

/// A bound that may stay as it is.
struct wanted_bound {
  bool is_given = false;
  std::optional<std::int64_t> number;

  std::optional<std::int64_t> over(const std::optional<std::int64_t>& present) const {
    return is_given ? number : present;
  }
};

caf::expected<wanted_bound> read_bound(const matched_request& request, std::string_view name) {
  const auto number = request.params.get_int(name);
  if (!number)
    return number.error();
  if (*number && (**number < 1 || **number > limit_max))
    return make_error(errc::invalid, std::string{name} + ": must be 1 to 1000000, or null for "
                                                         "no bound");
  return wanted_bound{.is_given = request.params.has(name), .number = *number};
}

std::string words_of(std::string_view name, const std::optional<std::int64_t>& bound) {
  return std::string{name} + " " + (bound ? std::to_string(*bound) : "unbounded");
}

/// What is to be sent again, as the request says it.
struct wanted_replay {
  replay_wish wish;            ///< Empty when it is about a post.
  std::optional<post_id> post; ///< Whose object must be looked up.
  std::string words;           ///< For the audit.
};

caf::expected<wanted_replay> read_replay(const matched_request& request,
                                         const api_services& services) {
  const auto& params = request.params;
  const auto seq = params.get_int("from_seq");
  const auto from = params.get_string("from");
  const auto post = params.get_string("post");
  if (!seq || !from || !post)
    return !seq ? seq.error() : !from ? from.error() : post.error();
  if (seq->has_value() + from->has_value() + post->has_value() != 1)
    return make_error(errc::invalid, "from_seq, from, post: exactly one must be given");
  if (*seq && **seq < 1)
    return make_error(errc::invalid, "from_seq: must be a row of the log, from 1");
  if (*seq)
    return wanted_replay{
        .wish = {.from_seq = **seq}, .post = {}, .words = "from row " + std::to_string(**seq)};
  if (*post) {
    const auto id = read_own_post(**post, {services.own_urls.origin, services.options.url});
    if (!id)
      return id.error();
    return wanted_replay{.wish = {}, .post = *id, .words = "post " + to_string(*id)};
  }
  const auto at = parse_date_time(**from);
  if (!at)
    return make_error(errc::invalid, "from: must be a time such as 2026-11-25T17:19:45Z");
  return wanted_replay{.wish = {.from_time = *at}, .post = {}, .words = "from " + to_iso8601(*at)};
}

void replay(gateway_state& gateway, const operator_action& action, const host_line& host,
            const wanted_replay& wanted) {
  if (!wanted.post)
    return order(gateway, action, host, wanted.wish, wanted.words);
  ask(gateway, ask_object_of(*wanted.post), action.reply,
      [&gateway, action, host, words = wanted.words](const object_key& object) {
        order(gateway, action, host, replay_wish{.about = object}, words);
      });
}

} // namespace

void pause_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (const auto action = begin_action(gateway, request, reply, "pause"))
    act_on_host(gateway, request, *action, changing<pause_host>(gateway));
}

void resume_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (const auto action = begin_action(gateway, request, reply, "resume"))
    act_on_host(gateway, request, *action, changing<resume_host>(gateway));
}

void retry_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto try_it = [&gateway](const operator_action& action, const host_line& host) {
    if (!host.health.facts.paused)
      return change_host<retry_host>(gateway, action, host);
    refuse(gateway, action.reply,
           make_error(errc::conflict, "host " + to_name(host.address) +
                                          ": is paused; resume it, which tries at once"));
  };
  if (const auto action = begin_action(gateway, request, reply, "retry-now"))
    act_on_host(gateway, request, *action, try_it);
}

void drain_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (const auto action = begin_action(gateway, request, reply, "drain"))
    act_on_host(gateway, request, *action, ordering<drain_wish>(gateway));
}

void flush_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  if (const auto action = begin_action(gateway, request, reply, "flush"))
    act_on_host(gateway, request, *action, ordering<flush_wish>(gateway));
}

void replay_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto action = begin_action(gateway, request, reply, "replay", {"from_seq", "from", "post"});
  if (!action)
    return;
  const auto wanted = read_replay(request, *gateway.services);
  if (!wanted)
    return refuse(gateway, action->reply, wanted.error());
  act_on_host(gateway, request, *action,
              [&gateway, wanted = *wanted](const operator_action& begun, const host_line& host) {
                replay(gateway, begun, host, wanted);
              });
}

void limit_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto action = begin_action(gateway, request, reply, "limit", {"in_flight", "per_s"});
  if (!action)
    return;
  const auto in_flight = read_bound(request, "in_flight");
  const auto per_s = read_bound(request, "per_s");
  if (!in_flight || !per_s)
    return refuse(gateway, action->reply, in_flight ? per_s.error() : in_flight.error());
  if (!in_flight->is_given && !per_s->is_given)
    return refuse(gateway, action->reply,
                  make_error(errc::invalid, "in_flight, per_s: one must be given; null lifts it"));
  act_on_host(gateway, request, *action,
              [&gateway, in_flight = *in_flight, per_s = *per_s](const operator_action& begun,
                                                                 const host_line& host) {
                const auto& facts = host.health.facts;
                const auto wish = limit_wish{.in_flight = in_flight.over(facts.limit_in_flight),
                                             .per_s = per_s.over(facts.limit_per_s)};
                order(gateway, begun, host, wish,
                      words_of("in_flight", wish.in_flight) + ", " + words_of("per_s", wish.per_s));
              });
}

} // namespace trunkline
