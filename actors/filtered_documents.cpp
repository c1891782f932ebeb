#include "actors/filtered_documents.hpp"

#include "protocol/activity_out.hpp"
#include "protocol/loose_members.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

bool brings_a_post(const activity& said) {
  return said.inlined && (said.type == activity_type::create || said.type == activity_type::update);
}

bool is_post_with_words(const remote_note& note) {
  return note.type == "Note" || note.type == "Question";
}

/// The author's followers are among the recipients when somebody is whom the post does not name.
std::string visibility_word(const std::vector<std::string>& to, const std::vector<std::string>& cc,
                            const std::vector<std::string>& named) {
  const auto known = visibility_of(to, cc, {});
  if (known != visibility::direct)
    return std::string{to_string(known)};
  const auto is_named = [&](const std::string& id) {
    return std::ranges::find(named, id) != named.end();
  };
  const auto is_direct = std::ranges::all_of(to, is_named) && std::ranges::all_of(cc, is_named);
  return std::string{to_string(is_direct ? visibility::direct : visibility::followers)};
}

void show_note(filtered_activity& shown, const remote_note& note) {
  shown.object_type = note.type;
  shown.in_reply_to = note.in_reply_to;
  shown.visibility = visibility_word(note.to, note.cc, note.mentions);
  shown.mentions = note.mentions;
  shown.tags = note.tags;
  for (const auto& attachment : note.attachments)
    shown.attachments.push_back(attachment.url);
  if (note.poll)
    for (const auto& option : note.poll->options)
      shown.poll_options.push_back(option.name);
  shown.content = note.content;
  shown.summary = note.spoiler;
  shown.language = note.language;
  shown.sensitive = note.sensitive;
}

json_value list_of(const std::vector<std::string>& ids) {
  auto list = json_array{};
  for (const auto& id : ids)
    list.emplace_back(id);
  return list;
}

/// Moves the public collection from `to` to `cc`. Returns whether it was there.
bool delist(std::vector<std::string>& to, std::vector<std::string>& cc) {
  if (std::erase(to, public_collection) == 0)
    return false;
  if (std::ranges::find(cc, public_collection) == cc.end())
    cc.emplace(cc.begin(), public_collection); // at the front: a long list is cut
  return true;
}

void delist(json_object& post) {
  auto to = recipients_of(post.find("to"));
  auto cc = recipients_of(post.find("cc"));
  if (!delist(to, cc))
    return;
  post["to"] = list_of(to);
  post["cc"] = list_of(cc);
}

/// What has a title and a link in place of words becomes a Note: nothing else shows what the filter
/// wrote. Maps of languages would say again what was there before.
void rewrite(json_object& post, const remote_note& note, const filtered_activity& wanted) {
  if (!is_post_with_words(note))
    post["type"] = "Note";
  post["name"] = nullptr; // a Note with a name and no words would be a vote
  post["nameMap"] = nullptr;
  post["content"] = wanted.content;
  post["contentMap"] = nullptr;
  if (!wanted.language.empty())
    post["contentMap"] = json_object{{wanted.language, wanted.content}};
  post["summary"] = wanted.summary;
  post["summaryMap"] = nullptr;
  post["sensitive"] = wanted.sensitive;
}

} // namespace

filtered_activity show_to_filters(const json_value& document, const activity& said) {
  auto shown = filtered_activity{};
  shown.id = said.id;
  shown.type = types_of(document).front(); // `read_activity` wants one
  shown.actor = said.actor;
  shown.object = said.object;
  shown.content = said.content;
  if (said.type == activity_type::announce)
    shown.visibility = visibility_word(said.to, said.cc, {});
  if (!said.inlined)
    return shown;
  if (const auto types = types_of(*said.inlined); !types.empty())
    shown.object_type = types.front();
  if (!brings_a_post(said))
    return shown;
  auto note = read_note(*said.inlined);
  if (!note)
    return shown;
  if (note->to.empty() && note->cc.empty()) { // it is addressed as the activity is
    note->to = said.to;
    note->cc = said.cc;
  }
  show_note(shown, *note);
  return shown;
}

filtered_activity show_to_filters(const remote_note& fetched) {
  auto shown = filtered_activity{};
  shown.type = "Create";
  shown.actor = fetched.attributed_to;
  shown.object = fetched.id;
  show_note(shown, fetched);
  return shown;
}

void apply_decision(const gate_decision& decided, activity& said) {
  if (decided.delisted)
    delist(said.to, said.cc);
  if (decided.rewritten && said.type == activity_type::flag)
    said.content = clamp_characters(decided.activity.content, flag_comment_max);
  if (brings_a_post(said))
    apply_decision(decided, *said.inlined);
}

void apply_decision(const gate_decision& decided, json_value& post) {
  const auto note = read_note(post);
  if (!note || is_vote(*note))
    return;
  auto& members = *post.as_object();
  if (decided.rewritten)
    rewrite(members, *note, decided.activity);
  if (decided.sensitive)
    members["sensitive"] = true;
  if (decided.delisted)
    delist(members);
}

gate_reason reason_of(const gate_decision& decided) {
  const auto colon = decided.reason.find(": ");
  if (colon == std::string::npos)
    return {.filter = {}, .words = decided.reason};
  return {.filter = decided.reason.substr(0, colon), .words = decided.reason.substr(colon + 2)};
}

} // namespace trunkline
