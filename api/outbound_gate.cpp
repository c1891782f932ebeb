#include "api/outbound_gate.hpp"

#include "actors/filtered_documents.hpp"
#include "actors/gate_question.hpp"
#include "actors/queries_views.hpp"
#include "api/handling.hpp"
#include "protocol/status_text.hpp"

#include <utility>

namespace trunkline {

namespace {

void refuse_by_filter(gateway_state& gateway, const http_reply& reply,
                      const gate_decision& decided) {
  const auto reason = reason_of(decided);
  auto answer = json_response(
      json_object{{"error", "Validation failed: " + reason.words}, {"rejected_by", reason.filter}});
  answer.status = status_of(errc::invalid);
  gateway.services->counters.refused(errc::invalid);
  reply(std::move(answer));
}

void name_entities(filtered_activity& shown, const std::string& text) {
  for (const auto& entity : find_entities(text)) {
    if (entity.kind == text_entity::kind_of::tag)
      shown.tags.push_back(entity.name);
    else if (entity.kind == text_entity::kind_of::mention)
      shown.mentions.push_back(entity.name + (entity.domain.empty() ? "" : "@" + entity.domain));
  }
}

} // namespace

void ask_filters(gateway_state& gateway, account_id who, filtered_activity what,
                 const http_reply& reply, std::function<void(const gate_decision&)> then) {
  ask(gateway, ask_account_view(who, gateway.services->counts), reply,
      [&gateway, reply, then = std::move(then), what = std::move(what)](const account_view& actor) {
        auto shown = what;
        shown.actor = actor.uri;
        ask_gate(gateway.self, gateway.services->gate,
                 {.local = true, .host = {}, .actor = actor.uri}, std::move(shown),
                 [&gateway, reply, then](const gate_decision& decided) {
                   switch (decided.what) {
                   case gate_decision::kind::passed:
                     return then(decided);
                   case gate_decision::kind::refused:
                     return refuse_by_filter(gateway, reply, decided);
                   case gate_decision::kind::later:
                     return refuse(gateway, reply,
                                   make_error(errc::unavailable, "filter " + decided.reason));
                   }
                 });
      });
}

filtered_activity show_draft(const post_draft& draft) {
  auto shown = filtered_activity{};
  shown.type = "Create";
  shown.object_type = draft.poll ? "Question" : "Note";
  shown.visibility = to_string(draft.seen_by);
  if (draft.poll)
    shown.poll_options = draft.poll->options;
  shown.content = draft.text;
  shown.summary = draft.spoiler;
  shown.language = draft.language;
  shown.sensitive = draft.sensitive;
  name_entities(shown, draft.text);
  return shown;
}

void apply_decision(const gate_decision& decided, post_draft& draft) {
  if (decided.rewritten) {
    draft.text = decided.activity.content;
    draft.spoiler = decided.activity.summary;
    draft.language = decided.activity.language;
    draft.sensitive = decided.activity.sensitive;
  }
  if (decided.sensitive)
    draft.sensitive = true;
  if (decided.delisted && draft.seen_by == visibility::everyone)
    draft.seen_by = visibility::unlisted;
}

std::string id_of(const post_view& post, const api_services& services) {
  if (post.row.uri)
    return *post.row.uri;
  return services.own_urls.post(post.author->name, post.row.id);
}

std::string object_type_of(const post_view& post) {
  return post.poll ? "Question" : "Note";
}

} // namespace trunkline
