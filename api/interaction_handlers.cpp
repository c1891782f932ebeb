// What a person does with somebody's post: favourites, bookmarks, pins, votes, reports.
#include "actors/messages.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "api/outbound_gate.hpp"
#include "api/shown_post.hpp"

namespace trunkline {

namespace {

/// Sends `message` to the caller's account actor, then shows the post.
template <class Message>
void store_change(gateway_state& gateway, Message message, const http_reply& reply) {
  const auto viewer = message.account;
  const auto target = message.post;
  ask_region<caf::unit_t>(gateway, gateway.services->accounts, std::move(message), reply,
                          [&gateway, reply, viewer, target](caf::unit_t) {
                            answer_post(gateway, viewer, target, reply);
                          });
}

/// Does `make(account, post)` with the post in the path, or what it boosts, and shows it.
template <class Make>
void change_post(gateway_state& gateway, const matched_request& request, const http_reply& reply,
                 Make make) {
  with_original(gateway, request, reply,
                [&gateway, reply, viewer = request.who.account, make](const post_view& post) {
                  store_change(gateway, make(viewer, post.row.id), reply);
                });
}

void answer_poll(gateway_state& gateway, account_id viewer, const post_view& post,
                 const http_reply& reply) {
  const auto entity = to_entity(post, viewer, gateway.services->here);
  const auto* poll = entity.find("poll");
  if (!poll || poll->is_null())
    return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
  reply(json_response(*poll));
}

/// The report as it was made.
json_object report_entity(std::int64_t id, const report_account& made, const account_view& target,
                          const api_services& services) {
  auto posts = json_array{};
  for (const auto post : made.posts)
    posts.emplace_back(to_string(post));
  return {{"id", std::to_string(id)},
          {"action_taken", false},
          {"action_taken_at", nullptr},
          {"category", made.category},
          {"comment", made.comment},
          {"forwarded", made.forward},
          {"created_at", to_iso8601(services.clock())},
          {"status_ids", std::move(posts)},
          {"rule_ids", nullptr},
          {"target_account", to_entity(target, services.here)}};
}

} // namespace

void favourite(gateway_state& gateway, const matched_request& request, http_reply reply) {
  with_original(gateway, request, reply,
                [&gateway, reply, viewer = request.who.account](const post_view& post) {
                  const auto show = [&] {
                    auto shown = filtered_activity{};
                    shown.type = "Like";
                    shown.object = id_of(post, *gateway.services);
                    shown.object_type = object_type_of(post);
                    return shown;
                  };
                  pass_filters(
                      gateway, viewer, reply, show,
                      [&gateway, reply, viewer, target = post.row.id](const gate_decision&) {
                        store_change(gateway, favourite_post{.account = viewer, .post = target},
                                     reply);
                      });
                });
}

void unfavourite(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_post(gateway, request, reply, [](account_id who, post_id post) {
    return unfavourite_post{.account = who, .post = post};
  });
}

void bookmark(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_post(gateway, request, reply, [](account_id who, post_id post) {
    return bookmark_post{.account = who, .post = post, .kept = true};
  });
}

void unbookmark(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_post(gateway, request, reply, [](account_id who, post_id post) {
    return bookmark_post{.account = who, .post = post, .kept = false};
  });
}

void pin(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_post(gateway, request, reply, [](account_id who, post_id post) {
    return pin_post{.account = who, .post = post, .pinned = true};
  });
}

void unpin(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_post(gateway, request, reply, [](account_id who, post_id post) {
    return pin_post{.account = who, .post = post, .pinned = false};
  });
}

/// A poll's id is its post's.
void show_poll(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = path_id<post_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  const auto viewer = request.who.account;
  ask(gateway, ask_post(viewer, *id, gateway.services->viewing()), reply,
      [&gateway, reply, viewer](const post_view& post) {
        answer_poll(gateway, viewer, post, reply);
      });
}

void vote(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = path_id<post_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  auto reader = param_reader{request.params};
  auto wish = vote_in_poll{.account = request.who.account, .post = *id};
  for (const auto& text : reader.texts("choices").value_or(std::vector<std::string>{})) {
    const auto choice = text == "0" ? caf::expected<std::int64_t>{0} : parse_id(text);
    if (!choice)
      reader.fail(make_error(errc::invalid, "choices: must be numbers of options, from 0"));
    else
      wish.choices.push_back(*choice);
  }
  if (wish.choices.empty())
    reader.fail(make_error(errc::invalid, "choices: at least one option must be named"));
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto viewer = request.who.account;
  ask_region<caf::unit_t>(gateway, gateway.services->accounts, std::move(wish), reply,
                          [&gateway, reply, viewer, poll = *id](caf::unit_t) {
                            ask(gateway, ask_post(viewer, poll, gateway.services->viewing()), reply,
                                [&gateway, reply, viewer](const post_view& post) {
                                  answer_poll(gateway, viewer, post, reply);
                                });
                          });
}

void report(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  auto wish = report_account{.account = request.who.account,
                             .target = reader.id<account_id>("account_id"),
                             .comment = reader.text("comment").value_or(""),
                             .category = reader.text("category").value_or("other"),
                             .forward = reader.flag("forward").value_or(false)};
  for (const auto& text : reader.texts("status_ids").value_or(std::vector<std::string>{})) {
    const auto post = parse_id(text);
    if (!post)
      reader.fail(make_error(errc::not_found, "Record not found"));
    else
      wish.posts.emplace_back(*post);
  }
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  ask(gateway, ask_account_view(wish.target, gateway.services->counts), reply,
      [&gateway, reply, wish](const account_view& target) {
        ask_region<std::int64_t>(
            gateway, gateway.services->accounts, wish, reply,
            [&gateway, reply, wish, target](std::int64_t id) {
              reply(json_response(report_entity(id, wish, target, *gateway.services)));
            });
      });
}

} // namespace trunkline
