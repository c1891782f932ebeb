#include "engine/testing/world_account.hpp"

#include "protocol/http_signature.hpp"

#include <memory>
#include <utility>

namespace trunkline {

namespace {

constexpr auto everyone = std::string_view{"https://www.w3.org/ns/activitystreams#Public"};
constexpr auto context = std::string_view{"https://www.w3.org/ns/activitystreams"};

} // namespace

world_account::world_account(std::string name, std::string host)
    : name_{std::move(name)}, host_{std::move(host)}, uri_{"https://" + host_ + "/users/" + name_} {
}

json_object world_account::document() const {
  return {
      {"@context", json_array{context, "https://w3id.org/security/v1"}},
      {"id", uri_},
      {"type", "Person"},
      {"preferredUsername", name_},
      {"name", name_},
      {"summary", ""},
      {"url", uri_},
      {"manuallyApprovesFollowers", false},
      {"inbox", uri_ + "/inbox"},
      {"outbox", uri_ + "/outbox"},
      {"followers", followers()},
      {"following", uri_ + "/following"},
      {"endpoints", json_object{{"sharedInbox", "https://" + host_ + "/inbox"}}},
      {"publicKey",
       json_object{{"id", uri_ + "#main-key"}, {"owner", uri_}, {"publicKeyPem", public_pem_}}}};
}

json_object world_account::webfinger() const {
  return {{"subject", "acct:" + address()},
          {"links", json_array{json_object{
                        {"rel", "self"}, {"type", activity_media_type}, {"href", uri_}}}}};
}

const world_note* world_account::find_note(std::string_view path) const {
  const auto uri = "https://" + host_ + std::string{path};
  for (const auto& note : notes_)
    if (note.uri == uri)
      return &note;
  return nullptr;
}

json_object world_account::note_document(const world_note& note) const {
  if (note.deleted)
    return {{"@context", context}, {"id", note.uri}, {"type", "Tombstone"}};
  auto out = json_object{{"@context", context},
                         {"id", note.uri},
                         {"type", "Note"},
                         {"attributedTo", uri_},
                         {"content", note.html},
                         {"url", note.uri},
                         {"published", to_iso8601(note.published)},
                         {"to", json_array{everyone}},
                         {"cc", json_array{followers()}}};
  if (!note.mentioned.empty()) {
    out["cc"] = json_array{followers(), note.mentioned};
    out["tag"] = json_array{
        json_object{{"type", "Mention"}, {"href", note.mentioned}, {"name", note.mentioned_name}}};
  }
  if (note.edited)
    out["updated"] = to_iso8601(note.updated);
  return out;
}

json_object world_account::activity(std::string_view type, json_value object) {
  return {{"@context", context},
          {"id", uri_ + "/activities/" + std::to_string(++activities_)},
          {"type", type},
          {"actor", uri_},
          {"object", std::move(object)}};
}

/// To everybody who reads public posts.
json_object world_account::tell(std::string_view type, json_value object) {
  auto out = activity(type, std::move(object));
  out["to"] = json_array{everyone};
  out["cc"] = json_array{followers()};
  return out;
}

json_object world_account::publish(std::string_view html, time_point at,
                                   const std::string& mentioned,
                                   const std::string& mentioned_name) {
  notes_.push_back({.uri = uri_ + "/posts/" + std::to_string(notes_.size() + 1),
                    .html = std::string{html},
                    .published = at,
                    .updated = at,
                    .mentioned = mentioned,
                    .mentioned_name = mentioned_name});
  auto out = tell("Create", note_document(notes_.back()));
  out["published"] = to_iso8601(at);
  out["cc"] = *note_document(notes_.back()).find("cc");
  return out;
}

json_value world_account::edit_last(std::string_view html, time_point at) {
  if (notes_.empty() || notes_.back().deleted)
    return nullptr;
  auto& note = notes_.back();
  note.html = html;
  note.updated = at;
  note.edited = true;
  return tell("Update", note_document(note));
}

json_value world_account::delete_last() {
  if (notes_.empty() || notes_.back().deleted)
    return nullptr;
  notes_.back().deleted = true;
  return tell("Delete", note_document(notes_.back()));
}

std::string world_account::last_note() const {
  return notes_.empty() ? "" : notes_.back().uri;
}

json_object world_account::follow(const std::string& uri) {
  auto out = activity("Follow", uri);
  follows_[uri] = out;
  return out;
}

json_value world_account::unfollow(const std::string& uri) {
  const auto found = follows_.find(uri);
  if (found == follows_.end())
    return nullptr;
  auto out = activity("Undo", std::move(found->second));
  follows_.erase(found);
  return out;
}

outgoing_request world_account::signed_request_to(const std::string& url, std::string body,
                                                  time_point at) const {
  const auto has_body = !body.empty();
  auto prepared = prepare_signature({.method = has_body ? "POST" : "GET",
                                     .url = url,
                                     .body = body,
                                     .has_body = has_body,
                                     .body_sha256 = {},
                                     .key_id = uri_ + "#main-key",
                                     .at = at},
                                    signature_scheme::cavage);
  const auto signature = key_.sign(prepared.base);
  auto headers = add_signature(std::move(prepared), signature);
  headers.emplace_back(has_body ? "Content-Type" : "Accept", activity_media_type);
  return {.method = has_body ? http_method::post : http_method::get,
          .url = url,
          .headers = std::move(headers),
          .body = has_body ? std::make_shared<const std::string>(std::move(body)) : nullptr};
}

} // namespace trunkline
