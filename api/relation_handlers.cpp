#include "actors/queries_views.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "api/outbound_gate.hpp"

namespace trunkline {

namespace {

constexpr std::size_t relations_max = 40;

/// Answers with how the caller and `target` now stand to each other.
void answer_relation(gateway_state& gateway, account_id viewer, account_id target,
                     const http_reply& reply) {
  ask(gateway, ask_relations(viewer, {target}, gateway.services->clock()), reply,
      [&gateway, reply](const std::vector<relation_view>& relations) {
        if (relations.empty())
          return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
        reply(json_response(to_entity(relations.front())));
      });
}

/// Sends `message` to the caller's account actor, then answers with the relation.
template <class Message>
void change_relation(gateway_state& gateway, Message message, const http_reply& reply) {
  const auto viewer = message.account;
  const auto target = message.target;
  ask_region<caf::unit_t>(gateway, gateway.services->accounts, std::move(message), reply,
                          [&gateway, reply, viewer, target](caf::unit_t) {
                            answer_relation(gateway, viewer, target, reply);
                          });
}

/// Changes the relation to the account in the path, without options.
template <class Message>
void change_plainly(gateway_state& gateway, const matched_request& request,
                    const http_reply& reply) {
  const auto target = path_id<account_id>(request);
  if (!target)
    return refuse(gateway, reply, target.error());
  change_relation(gateway, Message{.account = request.who.account, .target = *target}, reply);
}

/// Follows when the filters let it pass.
void follow_filtered(gateway_state& gateway, const follow_account& message,
                     const http_reply& reply) {
  if (!gateway.services->gate)
    return change_relation(gateway, message, reply);
  ask(gateway, ask_account_view(message.target, gateway.services->counts), reply,
      [&gateway, reply, message](const account_view& target) {
        auto shown = filtered_activity{};
        shown.type = "Follow";
        shown.object = target.uri;
        shown.object_type = target.bot ? "Service" : "Person";
        ask_filters(gateway, message.account, std::move(shown), reply,
                    [&gateway, reply, message](const gate_decision&) {
                      change_relation(gateway, message, reply);
                    });
      });
}

/// Sends `message` about a follower to the caller's account actor, then answers with the relation.
template <class Message>
void change_follower(gateway_state& gateway, Message message, const http_reply& reply) {
  const auto viewer = message.account;
  const auto follower = message.follower;
  ask_region<caf::unit_t>(gateway, gateway.services->accounts, std::move(message), reply,
                          [&gateway, reply, viewer, follower](caf::unit_t) {
                            answer_relation(gateway, viewer, follower, reply);
                          });
}

void answer_follow(gateway_state& gateway, const matched_request& request, bool accepted,
                   const http_reply& reply) {
  const auto follower = path_id<account_id>(request);
  if (!follower)
    return refuse(gateway, reply, follower.error());
  change_follower(gateway,
                  answer_follow_request{
                      .account = request.who.account, .follower = *follower, .accepted = accepted},
                  reply);
}

} // namespace

void list_relationships(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  auto targets = std::vector<account_id>{};
  for (const auto& text : reader.texts("id").value_or(std::vector<std::string>{}))
    if (const auto id = parse_id(text); id && targets.size() < relations_max)
      targets.emplace_back(*id);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  ask(gateway, ask_relations(request.who.account, targets, gateway.services->clock()), reply,
      [reply](const std::vector<relation_view>& relations) {
        auto entities = json_array{};
        for (const auto& relation : relations)
          entities.push_back(to_entity(relation));
        reply(json_response(std::move(entities)));
      });
}

void follow(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto target = path_id<account_id>(request);
  if (!target)
    return refuse(gateway, reply, target.error());
  auto reader = param_reader{request.params};
  const auto options = follow_options{.show_boosts = reader.flag("reblogs"),
                                      .notify = reader.flag("notify"),
                                      .languages = reader.texts("languages")};
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  follow_filtered(
      gateway,
      follow_account{.account = request.who.account, .target = *target, .options = options}, reply);
}

void unfollow(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_plainly<unfollow_account>(gateway, request, reply);
}

void block(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_plainly<block_account>(gateway, request, reply);
}

void unblock(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_plainly<unblock_account>(gateway, request, reply);
}

void mute(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto target = path_id<account_id>(request);
  if (!target)
    return refuse(gateway, reply, target.error());
  auto reader = param_reader{request.params};
  auto options = mute_options{.notifications = reader.flag("notifications").value_or(true)};
  if (const auto seconds = reader.number("duration"); seconds && *seconds != 0)
    options.duration = std::chrono::seconds{*seconds};
  constexpr auto longest = std::chrono::hours{24 * 365 * 100};
  if (options.duration &&
      (*options.duration < std::chrono::seconds{0} || *options.duration > longest))
    reader.fail(make_error(errc::invalid, "duration: from 0 to 100 years, in seconds"));
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  change_relation(
      gateway, mute_account{.account = request.who.account, .target = *target, .options = options},
      reply);
}

void unmute(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_plainly<unmute_account>(gateway, request, reply);
}

void end_being_followed(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto follower = path_id<account_id>(request);
  if (!follower)
    return refuse(gateway, reply, follower.error());
  change_follower(gateway, drop_follower{.account = request.who.account, .follower = *follower},
                  reply);
}

void authorize_follow(gateway_state& gateway, const matched_request& request, http_reply reply) {
  answer_follow(gateway, request, true, reply);
}

void reject_follow(gateway_state& gateway, const matched_request& request, http_reply reply) {
  answer_follow(gateway, request, false, reply);
}

} // namespace trunkline
