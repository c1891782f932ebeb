/// Documents of other servers: what is read keeps to the limits, is text, and says of nobody else
/// what only he may say. Seeds beside corpus/activity: tests/fixtures/activities.
#include "protocol/activity_rules.hpp"
#include "protocol/host_address.hpp"
#include "protocol/key_document.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/safe_remote.hpp"
#include "protocol/utf8.hpp"
#include "tests/kit/html_fault.hpp"

#include <algorithm>
#include <cstdlib>

using namespace trunkline;

namespace {

constexpr auto any_web = url_rules{.allow_http = true};
constexpr auto own_origin = std::string_view{"https://local.example"};
constexpr auto safe_growth_max = std::size_t{16}; ///< Of HTML, by what is escaped and closed.

void require(bool holds) {
  if (!holds)
    std::abort();
}

void require_text(const std::string& text, std::size_t bytes_max) {
  require(text.size() <= bytes_max && is_utf8(text));
}

void require_url(const std::string& text) {
  require(text.empty() || parse_remote_url(text, any_web));
}

void require_urls(const std::vector<std::string>& all, std::size_t count_max) {
  require(all.size() <= count_max);
  for (const auto& one : all)
    require(!one.empty() && parse_remote_url(one, any_web));
}

void require_html(const std::string& html) {
  require_text(html, safe_growth_max * note_content_bytes_max);
  require(kit::fault_of(html).empty());
}

bool is_beside(std::string_view one, std::string_view other) {
  return is_same_origin(one, other, any_web);
}

/// What is applied is the actor's own word; what is fetched lies at home.
void check_judgement(const activity& said, const std::string& signer) {
  const auto [verdict, reason] = judge_activity(said, signer, own_origin);
  require(reason.empty() == (verdict == activity_verdict::apply));
  if (is_own_id(said.actor, own_origin))
    require(verdict == activity_verdict::refuse);
  if (verdict == activity_verdict::apply) {
    require(said.actor == signer && (said.id.empty() || is_beside(said.id, signer)));
    if (said.type == activity_type::create || said.type == activity_type::update ||
        said.type == activity_type::remove)
      require(is_beside(said.object, signer));
    if (said.type == activity_type::follow || said.type == activity_type::like)
      require(is_own_id(said.object, own_origin));
  }
  if (verdict == activity_verdict::fetch)
    require(said.actor != signer && is_beside(said.object, said.actor));
}

void check_activity(const json_value& document) {
  const auto said = read_activity(document);
  if (!said)
    return;
  require(!said->actor.empty());
  for (const auto& url : {said->id, said->actor, said->object, said->target})
    require_url(url);
  require_urls(said->objects, 100);
  require_urls(said->to, note_recipients_max);
  require_urls(said->cc, note_recipients_max);
  require_text(said->content, 4 * flag_comment_max);
  for (const auto& signer : {said->actor, said->object, std::string{"https://other.example/bob"}})
    check_judgement(*said, signer);
}

void check_actor(const json_value& document) {
  auto actor = read_actor(document);
  require(actor.engaged() <= is_actor_document(document));
  if (!actor)
    return;
  require(!actor->id.empty() && !actor->name.empty() && is_beside(actor->id, actor->inbox));
  for (const auto& place :
       {actor->shared_inbox, actor->outbox, actor->followers, actor->following, actor->featured})
    require(place.empty() || is_beside(actor->id, place));
  for (const auto& url : {actor->url, actor->avatar_url, actor->header_url, actor->moved_to})
    require_url(url);
  require_urls(actor->aliases, actor_aliases_max);
  require_text(actor->name, actor_name_max);
  require_text(actor->note, actor_note_bytes_max);
  require(actor->keys.size() <= actor_keys_max && actor->fields.size() <= actor_fields_max &&
          actor->emojis.size() <= note_emojis_max);
  make_safe(*actor);
  require_text(actor->display_name, actor_name_max);
  require_html(actor->note);
  for (const auto& field : actor->fields) {
    require_text(field.name, actor_name_max);
    require_html(field.value);
  }
}

void check_poll(const remote_poll& poll) {
  require(!poll.options.empty() && poll.options.size() <= poll_options_max);
  require(poll.voters >= 0 && poll.voters <= document_count_max);
  for (const auto& option : poll.options) {
    require(option.votes >= 0 && option.votes <= document_count_max);
    require_text(option.name, remote_option_bytes_max);
  }
}

void check_note(const json_value& document) {
  auto note = read_note(document);
  if (!note)
    return;
  require(!note->id.empty() && !note->url.empty());
  for (const auto& url :
       {note->id, note->url, note->attributed_to, note->in_reply_to, note->replies})
    require_url(url);
  require_urls(note->to, note_recipients_max);
  require_urls(note->cc, note_recipients_max);
  require_urls(note->mentions, note_mentions_max);
  require(note->tags.size() <= note_tags_max && note->emojis.size() <= note_emojis_max &&
          note->attachments.size() <= note_attachments_max);
  make_safe(*note);
  require_html(note->content);
  require_text(note->spoiler, remote_spoiler_bytes_max);
  require_text(note->title, remote_spoiler_bytes_max);
  for (const auto& medium : note->attachments) {
    require(!medium.url.empty());
    require_url(medium.url);
    require_text(medium.description, remote_description_bytes_max);
  }
  if (note->poll)
    check_poll(*note->poll);
}

void check_collection(const json_value& document) {
  for (const auto limit : {std::size_t{3}, std::size_t{500}}) {
    const auto page = read_collection(document, limit);
    if (!page)
      continue;
    require(page->items.size() <= limit);
    require(page->total >= 0 && page->total <= document_count_max);
    require(page->next.empty() || page->next != id_of(&document));
    require_url(page->next);
    require_url(page->first);
  }
}

void check_key(const json_value& document) {
  const auto* id = document.find("id");
  for (const auto& key_id : {text_of(id), text_of(id) + "#main-key"})
    if (const auto key = read_key_document(document, key_id))
      require(is_beside(key_id, key->actor));
}

void check_document(const json_value& document) {
  check_activity(document);
  check_actor(document);
  check_note(document);
  check_collection(document);
  check_key(document);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const auto document = parse_json({reinterpret_cast<const char*>(bytes), size});
  if (!document)
    return 0;
  check_document(*document);
  if (const auto* object = document->find("object"))
    check_document(*object);
  return 0;
}
