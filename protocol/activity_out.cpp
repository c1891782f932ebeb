#include "protocol/activity_out.hpp"

#include "protocol/loose_members.hpp"
#include "protocol/plain_text.hpp"

#include <utility>

namespace trunkline {

namespace {

constexpr auto activity_streams = "https://www.w3.org/ns/activitystreams";
constexpr auto security = "https://w3id.org/security/v1";

/// A term whose values are ids.
json_object id_term(const char* name) {
  return {{"@id", name}, {"@type", "@id"}};
}

/// The terms of posts that ActivityStreams itself does not have.
json_value post_context() {
  return json_array{activity_streams, json_object{{"toot", "http://joinmastodon.org/ns#"},
                                                  {"sensitive", "as:sensitive"},
                                                  {"Hashtag", "as:Hashtag"},
                                                  {"Emoji", "toot:Emoji"},
                                                  {"votersCount", "toot:votersCount"}}};
}

json_value actor_context() {
  return json_array{activity_streams, security,
                    json_object{{"toot", "http://joinmastodon.org/ns#"},
                                {"schema", "http://schema.org#"},
                                {"Hashtag", "as:Hashtag"},
                                {"Emoji", "toot:Emoji"},
                                {"PropertyValue", "schema:PropertyValue"},
                                {"value", "schema:value"},
                                {"manuallyApprovesFollowers", "as:manuallyApprovesFollowers"},
                                {"movedTo", id_term("as:movedTo")},
                                {"alsoKnownAs", id_term("as:alsoKnownAs")},
                                {"featured", id_term("toot:featured")},
                                {"discoverable", "toot:discoverable"}}};
}

json_array to_array(const std::vector<std::string>& texts) {
  return json_array(texts.begin(), texts.end());
}

json_value or_null(const std::string& text) {
  return text.empty() ? json_value{} : json_value{text};
}

/// Whom nobody is told leaves both lists out.
void add_recipients(json_object& document, const recipients& whom) {
  if (whom.to.empty() && whom.cc.empty())
    return;
  document["to"] = to_array(whom.to);
  document["cc"] = to_array(whom.cc);
}

recipients recipients_of(const outgoing_note& note, const url_space& urls) {
  return recipients_of(note.row.seen_by, urls.followers(note.author), note.mentions);
}

json_array tags_of(const outgoing_note& note, const url_space& urls) {
  auto tags = json_array{};
  for (const auto& mention : note.mentions)
    tags.push_back(
        json_object{{"type", "Mention"}, {"href", mention.uri}, {"name", mention.handle}});
  for (const auto& tag : note.tags)
    tags.push_back(json_object{
        {"type", "Hashtag"}, {"href", urls.tag_page(fold_tag(tag))}, {"name", "#" + tag}});
  return tags;
}

json_array attachments_of(const outgoing_note& note) {
  auto attachments = json_array{};
  for (const auto& medium : note.media)
    attachments.push_back(json_object{{"type", "Document"},
                                      {"mediaType", medium.media_type},
                                      {"url", medium.url},
                                      {"name", or_null(medium.description)}});
  return attachments;
}

void add_poll(json_object& document, const note_poll& poll) {
  auto options = json_array{};
  for (auto i = std::size_t{0}; i < poll.options.size(); ++i) {
    const auto votes = i < poll.votes.size() ? poll.votes[i] : 0;
    options.push_back(
        json_object{{"type", "Note"},
                    {"name", poll.options[i]},
                    {"replies", json_object{{"type", "Collection"}, {"totalItems", votes}}}});
  }
  document["type"] = "Question";
  document[poll.multiple ? "anyOf" : "oneOf"] = std::move(options);
  document["votersCount"] = poll.voters;
  if (!poll.ends_at)
    return;
  document["endTime"] = to_iso8601(*poll.ends_at);
  if (poll.ended)
    document["closed"] = to_iso8601(*poll.ends_at);
}

/// Returns `document` with a context before its own members.
json_object within(json_value context, json_object document) {
  auto whole = json_object{{"@context", std::move(context)}};
  for (const auto& [key, value] : document)
    whole.append(key, value);
  return whole;
}

std::string page_address(const std::string& collection, std::int64_t max_id) {
  return collection + (max_id ? "?max_id=" + std::to_string(max_id) + "&page=true" : "?page=true");
}

/// A profile's field as HTML: a link stays one, which is how servers verify it.
std::string field_html(const std::string& value) {
  const auto is_link = (value.starts_with("https://") || value.starts_with("http://")) &&
                       value.find_first_of(" \t\r\n") == std::string::npos;
  const auto escaped = escape_html(value);
  return is_link ? "<a href=\"" + escaped + "\" rel=\"me nofollow noopener\" target=\"_blank\">" +
                       escaped + "</a>"
                 : escaped;
}

json_array fields_of(const std::string& fields_json) {
  auto fields = json_array{};
  const auto parsed = parse_json(fields_json);
  const auto* items = parsed ? parsed->as_array() : nullptr;
  if (!items)
    return fields;
  for (const auto& item : *items)
    fields.push_back(json_object{{"type", "PropertyValue"},
                                 {"name", text_of(item.find("name"))},
                                 {"value", field_html(text_of(item.find("value")))}});
  return fields;
}

json_object key_of(const std::string& owner, const std::string& pem) {
  return {{"id", owner + "#main-key"}, {"owner", owner}, {"publicKeyPem", pem}};
}

/// An activity of the author about the post itself.
json_object activity_about(const outgoing_note& note, const url_space& urls, std::string id,
                           const char* type) {
  auto document =
      json_object{{"id", std::move(id)}, {"type", type}, {"actor", urls.actor(note.author)}};
  document["published"] = to_iso8601(note.row.edited_at.value_or(note.row.created_at));
  add_recipients(document, recipients_of(note, urls));
  document["object"] = to_note(note, urls, true);
  return document;
}

} // namespace

json_object to_note(const outgoing_note& note, const url_space& urls, bool embedded) {
  const auto& row = note.row;
  auto document = json_object{
      {"id", urls.post(note.author, row.id)},    {"type", "Note"},
      {"summary", or_null(row.spoiler)},         {"inReplyTo", or_null(note.reply_to_uri)},
      {"published", to_iso8601(row.created_at)}, {"url", urls.post_page(note.author, row.id)},
      {"attributedTo", urls.actor(note.author)}};
  add_recipients(document, recipients_of(note, urls));
  document["sensitive"] = row.sensitive || !row.spoiler.empty();
  document["content"] = row.html;
  if (!row.language.empty())
    document["contentMap"] = json_object{{row.language, row.html}};
  if (row.edited_at)
    document["updated"] = to_iso8601(*row.edited_at);
  document["attachment"] = attachments_of(note);
  document["tag"] = tags_of(note, urls);
  if (note.poll)
    add_poll(document, *note.poll);
  return embedded ? document : within(post_context(), std::move(document));
}

json_object to_create(const outgoing_note& note, const url_space& urls, bool embedded) {
  auto document = activity_about(note, urls, urls.activity(note.author, note.row.id), "Create");
  return embedded ? document : within(post_context(), std::move(document));
}

std::string render_create(const outgoing_note& note, const url_space& urls) {
  return to_json(to_create(note, urls, false));
}

std::string render_update(const outgoing_note& note, const url_space& urls, std::int64_t fresh) {
  const auto id = urls.update(note.author, note.row.id, fresh);
  return to_json(within(post_context(), activity_about(note, urls, id, "Update")));
}

recipients recipients_of(visibility seen_by, const std::string& followers,
                         const std::vector<note_mention>& mentions) {
  auto named = std::vector<std::string>{};
  for (const auto& mention : mentions)
    named.push_back(mention.uri);
  auto whom = recipients{};
  switch (seen_by) {
  case visibility::everyone:
    whom = {.to = {public_collection}, .cc = {followers}};
    break;
  case visibility::unlisted:
    whom = {.to = {followers}, .cc = {public_collection}};
    break;
  case visibility::followers:
    whom = {.to = {followers}, .cc = {}};
    break;
  case visibility::direct:
    return {.to = std::move(named), .cc = {}};
  }
  whom.cc.insert(whom.cc.end(), named.begin(), named.end());
  return whom;
}

std::string render_delete(const url_space& urls, std::string_view author, post_id id,
                          const recipients& whom) {
  auto document = json_object{{"@context", activity_streams},
                              {"id", urls.remove(author, id)},
                              {"type", "Delete"},
                              {"actor", urls.actor(author)}};
  add_recipients(document, whom);
  document["object"] = json_object{{"id", urls.post(author, id)}, {"type", "Tombstone"}};
  return to_json(document);
}

std::string render_tombstone(const std::string& id) {
  return to_json(json_object{{"@context", activity_streams}, {"id", id}, {"type", "Tombstone"}});
}

std::string render(const plain_activity& activity) {
  return to_json(within(activity_streams, to_activity(activity)));
}

json_object to_activity(const plain_activity& activity) {
  auto document = json_object{};
  if (!activity.id.empty())
    document["id"] = activity.id;
  document["type"] = activity.type;
  document["actor"] = activity.actor;
  if (activity.published)
    document["published"] = to_iso8601(*activity.published);
  add_recipients(document, activity.whom);
  document["object"] = activity.object;
  if (!activity.target.empty())
    document["target"] = activity.target;
  return document;
}

std::string render_about(const plain_activity& outer, const plain_activity& inner) {
  auto document = within(activity_streams, to_activity(outer));
  document["object"] = to_activity(inner);
  return to_json(document);
}

std::string render_flag(const std::string& id, const std::string& actor,
                        const std::vector<std::string>& objects, const std::string& comment) {
  return to_json(json_object{{"@context", activity_streams},
                             {"id", id},
                             {"type", "Flag"},
                             {"actor", actor},
                             {"content", comment},
                             {"object", to_array(objects)}});
}

std::string render_vote(const outgoing_vote& vote, const url_space& urls) {
  const auto actor = urls.actor(vote.voter);
  const auto id = urls.other(vote.voter, "votes", vote.fresh);
  const auto to = json_array{vote.poll_author};
  return to_json(json_object{{"@context", activity_streams},
                             {"id", id + "/activity"},
                             {"type", "Create"},
                             {"actor", actor},
                             {"published", to_iso8601(vote.at)},
                             {"to", to},
                             {"object", json_object{{"id", id},
                                                    {"type", "Note"},
                                                    {"name", vote.option},
                                                    {"attributedTo", actor},
                                                    {"inReplyTo", vote.poll},
                                                    {"to", to}}}});
}

json_object to_actor(const outgoing_actor& actor, const url_space& urls, bool embedded) {
  const auto& name = actor.name;
  const auto id = urls.actor(name);
  auto document = json_object{{"id", id},
                              {"type", actor.bot ? "Service" : "Person"},
                              {"following", urls.following(name)},
                              {"followers", urls.followers(name)},
                              {"inbox", urls.inbox(name)},
                              {"outbox", urls.outbox(name)},
                              {"featured", urls.featured(name)},
                              {"preferredUsername", name},
                              {"name", actor.display_name.empty() ? name : actor.display_name},
                              {"summary", actor.note_html},
                              {"url", urls.profile_page(name)},
                              {"manuallyApprovesFollowers", actor.locked},
                              {"discoverable", actor.discoverable},
                              // The day, as in the API.
                              {"published", to_iso8601_date(actor.created_at) + "T00:00:00Z"},
                              {"publicKey", key_of(id, actor.public_key_pem)},
                              {"tag", json_array{}},
                              {"attachment", fields_of(actor.fields_json)},
                              {"endpoints", json_object{{"sharedInbox", urls.shared_inbox()}}}};
  if (!actor.moved_to.empty())
    document["movedTo"] = actor.moved_to;
  if (!actor.aliases.empty())
    document["alsoKnownAs"] = to_array(actor.aliases);
  return embedded ? document : within(actor_context(), std::move(document));
}

std::string render_actor_update(const outgoing_actor& actor, const url_space& urls,
                                std::int64_t fresh) {
  return to_json(json_object{{"@context", actor_context()},
                             {"id", urls.other(actor.name, "updates", fresh)},
                             {"type", "Update"},
                             {"actor", urls.actor(actor.name)},
                             {"to", json_array{public_collection}},
                             {"cc", json_array{urls.followers(actor.name)}},
                             {"object", to_actor(actor, urls, true)}});
}

std::string instance_name(std::string_view domain) {
  return std::string{domain.substr(0, domain.find(':'))};
}

json_object to_instance_actor(const std::string& domain, const std::string& public_key_pem,
                              const url_space& urls) {
  const auto id = urls.instance_actor();
  return {{"@context", actor_context()},
          {"id", id},
          {"type", "Application"},
          {"inbox", urls.shared_inbox()},
          {"outbox", id + "/outbox"},
          {"preferredUsername", instance_name(domain)},
          {"name", domain},
          {"url", urls.origin + "/"},
          {"manuallyApprovesFollowers", true},
          {"publicKey", key_of(id, public_key_pem)},
          {"endpoints", json_object{{"sharedInbox", urls.shared_inbox()}}}};
}

json_object to_collection(const std::string& id, std::int64_t total) {
  return {{"@context", activity_streams},
          {"id", id},
          {"type", "OrderedCollection"},
          {"totalItems", total},
          {"first", page_address(id, 0)}};
}

json_object to_collection_page(const collection_page_place& place, json_array items) {
  auto page = json_object{{"@context", post_context()},
                          {"id", page_address(place.collection, place.max_id)},
                          {"type", "OrderedCollectionPage"},
                          {"partOf", place.collection},
                          {"totalItems", place.total}};
  if (place.next)
    page["next"] = page_address(place.collection, place.next);
  page["orderedItems"] = std::move(items);
  return page;
}

json_object to_whole_collection(const std::string& id, json_array items) {
  return {{"@context", post_context()},
          {"id", id},
          {"type", "OrderedCollection"},
          {"totalItems", items.size()},
          {"orderedItems", std::move(items)}};
}

} // namespace trunkline
