#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "api/outbound_gate.hpp"
#include "api/shown_post.hpp"

namespace trunkline {

namespace {

constexpr std::size_t idempotency_key_bytes_max = 255;

/// What a client asks for, with gaps where it said nothing.
struct wanted_post {
  std::optional<std::string> text;
  std::optional<std::string> spoiler;
  std::optional<bool> sensitive;
  std::optional<visibility> seen_by;
  std::optional<std::string> language;
  post_id reply_to;
  std::optional<poll_draft> poll;
};

/// Things of a post that this server does not have yet are refused, not dropped.
void refuse_missing_parts(param_reader& reader, const request_params& params) {
  const auto media = reader.texts("media_ids");
  if (media && !media->empty())
    reader.fail(make_error(errc::invalid, "Validation failed: media_ids: there is no such medium"));
  for (const auto* name : {"scheduled_at", "quoted_status_id"})
    if (const auto* value = params.find(name); value && !value->is_null())
      reader.fail(make_error(errc::invalid, std::string{"Validation failed: "} + name +
                                                " is not offered by this server"));
}

std::optional<poll_draft> read_poll(param_reader& reader, const request_params& params) {
  const auto* value = params.find("poll");
  if (!value || value->is_null())
    return std::nullopt;
  return poll_draft{.options = reader.texts("poll.options").value_or(std::vector<std::string>{}),
                    .life = std::chrono::seconds{reader.number("poll.expires_in").value_or(0)},
                    .multiple = reader.flag("poll.multiple").value_or(false),
                    .hide_totals = reader.flag("poll.hide_totals").value_or(false)};
}

std::optional<visibility> read_visibility(param_reader& reader) {
  const auto word = reader.text("visibility");
  if (!word || word->empty())
    return std::nullopt;
  const auto seen_by = parse_visibility(*word);
  if (!seen_by)
    reader.fail(make_error(errc::invalid, "Validation failed: Visibility is not included in the"
                                          " list"));
  return seen_by;
}

caf::expected<wanted_post> read_wanted(const matched_request& request) {
  auto reader = param_reader{request.params};
  auto wanted = wanted_post{.text = reader.text("status"),
                            .spoiler = reader.text("spoiler_text"),
                            .sensitive = reader.flag("sensitive"),
                            .seen_by = read_visibility(reader),
                            .language = reader.text("language"),
                            .reply_to = reader.id<post_id>("in_reply_to_id"),
                            .poll = read_poll(reader, request.params)};
  refuse_missing_parts(reader, request.params);
  if (reader.failure())
    return reader.failure();
  return wanted;
}

void publish(gateway_state& gateway, publish_post message, const http_reply& reply) {
  const auto viewer = message.account;
  ask_region<post_id>(
      gateway, gateway.services->accounts, std::move(message), reply,
      [&gateway, reply, viewer](post_id made) { answer_post(gateway, viewer, made, reply); });
}

/// Publishes what the filters let pass; `answered` is the id of the post that it answers.
void publish_filtered(gateway_state& gateway, publish_post message, const std::string& answered,
                      const http_reply& reply) {
  const auto show = [&message, &answered] {
    auto shown = show_draft(message.draft);
    shown.in_reply_to = answered;
    return shown;
  };
  const auto author = message.account;
  pass_filters(gateway, author, reply, show,
               [&gateway, reply, message](const gate_decision& decided) {
                 auto wanted = message;
                 apply_decision(decided, wanted.draft);
                 publish(gateway, std::move(wanted), reply);
               });
}

/// Filters see which post is answered.
void publish_reply(gateway_state& gateway, publish_post message, const http_reply& reply) {
  if (!gateway.services->gate || !message.draft.reply_to)
    return publish_filtered(gateway, std::move(message), {}, reply);
  ask(gateway, ask_post(message.account, message.draft.reply_to, gateway.services->viewing()),
      reply, [&gateway, reply, message](const post_view& answered) {
        publish_filtered(gateway, message, id_of(answered, *gateway.services), reply);
      });
}

publish_post to_message(const wanted_post& wanted, const post_defaults& defaults, const caller& who,
                        std::string key) {
  return {.account = who.account,
          .draft = {.text = wanted.text.value_or(""),
                    .spoiler = wanted.spoiler.value_or(""),
                    .sensitive = wanted.sensitive.value_or(defaults.sensitive),
                    .seen_by = wanted.seen_by.value_or(defaults.seen_by),
                    .language = wanted.language.value_or(defaults.language),
                    .reply_to = wanted.reply_to,
                    .app = who.app,
                    .poll = wanted.poll},
          .idempotency_key = std::move(key)};
}

/// An edit changes no visibility: a filter that delists changes nothing of it.
void change_filtered(gateway_state& gateway, edit_post message, const post_view& post,
                     const http_reply& reply) {
  const auto show = [&] {
    auto shown = show_draft(message.draft);
    shown.type = "Update";
    shown.object = id_of(post, *gateway.services);
    shown.object_type = object_type_of(post);
    return shown;
  };
  const auto author = message.account;
  pass_filters(gateway, author, reply, show,
               [&gateway, reply, author, message](const gate_decision& decided) {
                 auto wanted = message;
                 apply_decision(decided, wanted.draft);
                 ask_region<post_id>(gateway, gateway.services->accounts, std::move(wanted), reply,
                                     [&gateway, reply, author](post_id edited) {
                                       answer_post(gateway, author, edited, reply);
                                     });
               });
}

/// Boosts what the filters let pass; delisted, a public boost is an unlisted one.
void boost_filtered(gateway_state& gateway, boost_post message, const post_view& original,
                    const http_reply& reply) {
  const auto show = [&] {
    auto shown = filtered_activity{};
    shown.type = "Announce";
    shown.object = id_of(original, *gateway.services);
    shown.object_type = object_type_of(original);
    shown.visibility = to_string(message.seen_by);
    return shown;
  };
  const auto viewer = message.account;
  pass_filters(gateway, viewer, reply, show,
               [&gateway, reply, viewer, message](const gate_decision& decided) {
                 auto wanted = message;
                 if (decided.delisted && wanted.seen_by == visibility::everyone)
                   wanted.seen_by = visibility::unlisted;
                 ask_region<post_id>(gateway, gateway.services->accounts, std::move(wanted), reply,
                                     [&gateway, reply, viewer](post_id made) {
                                       answer_post(gateway, viewer, made, reply);
                                     });
               });
}

/// Finds the caller's own post in the path, hands it to `then`, and answers 404 for every other.
template <class Then>
void with_own_post(gateway_state& gateway, const matched_request& request, const http_reply& reply,
                   Then then) {
  const auto viewer = request.who.account;
  with_post(gateway, request, reply, [&gateway, reply, viewer, then](const post_view& post) {
    if (post.row.author != viewer)
      return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
    then(post);
  });
}

} // namespace

void create_status(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto wanted = read_wanted(request);
  if (!wanted)
    return refuse(gateway, reply, wanted.error());
  auto key = std::string{request.http.header("Idempotency-Key")};
  if (key.size() > idempotency_key_bytes_max)
    return refuse(gateway, reply, make_error(errc::invalid, "Idempotency-Key: at most 255 bytes"));
  ask(gateway, ask_post_defaults(request.who.account), reply,
      [&gateway, reply, wanted = *wanted, who = request.who,
       key = std::move(key)](const post_defaults& defaults) {
        publish_reply(gateway, to_message(wanted, defaults, who, key), reply);
      });
}

/// What the client does not mention stays as it is.
void edit_status(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto wanted = read_wanted(request);
  if (!wanted)
    return refuse(gateway, reply, wanted.error());
  with_own_post(
      gateway, request, reply, [&gateway, reply, wanted = *wanted](const post_view& post) {
        const auto& row = post.row;
        auto message = edit_post{.account = row.author,
                                 .post = row.id,
                                 .draft = {.text = wanted.text.value_or(row.text),
                                           .spoiler = wanted.spoiler.value_or(row.spoiler),
                                           .sensitive = wanted.sensitive.value_or(row.sensitive),
                                           .seen_by = row.seen_by,
                                           .language = wanted.language.value_or(row.language)}};
        change_filtered(gateway, std::move(message), post, reply);
      });
}

/// Answers with the post as it was and its source, so that a client can draft it again.
void delete_status(gateway_state& gateway, const matched_request& request, http_reply reply) {
  with_own_post(gateway, request, reply, [&gateway, reply](const post_view& post) {
    auto entity = to_entity(post, post.row.author, gateway.services->here);
    entity["text"] = post.row.text;
    ask_region<caf::unit_t>(gateway, gateway.services->accounts,
                            delete_post{.account = post.row.author, .post = post.row.id}, reply,
                            [reply, entity](caf::unit_t) { reply(json_response(entity)); });
  });
}

void reblog(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto seen_by = read_visibility(reader).value_or(visibility::everyone);
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto viewer = request.who.account;
  with_original(
      gateway, request, reply, [&gateway, reply, viewer, seen_by](const post_view& original) {
        boost_filtered(gateway,
                       boost_post{.account = viewer, .post = original.row.id, .seen_by = seen_by},
                       original, reply);
      });
}

void unreblog(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto viewer = request.who.account;
  with_original(gateway, request, reply, [&gateway, reply, viewer](const post_view& boosted) {
    const auto original = boosted.row.id;
    ask_region<caf::unit_t>(gateway, gateway.services->accounts,
                            unboost_post{.account = viewer, .post = original}, reply,
                            [&gateway, reply, viewer, original](caf::unit_t) {
                              answer_post(gateway, viewer, original, reply);
                            });
  });
}

} // namespace trunkline
