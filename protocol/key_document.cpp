#include "protocol/key_document.hpp"

#include "protocol/activity.hpp"
#include "protocol/errc.hpp"
#include "protocol/host_address.hpp"
#include "protocol/loose_members.hpp"

#include <algorithm>

namespace trunkline {

namespace {

caf::error refused(const std::string& key_id, const char* why) {
  return make_error(errc::unauthenticated, "key " + key_id + ": " + why);
}

bool is_beside(const std::string& key_id, const std::string& actor) {
  return is_same_origin(key_id, actor, {.allow_http = true}); // judged by whoever fetched it
}

caf::expected<key_document> key_of_actor(const json_value& document, const std::string& key_id) {
  const auto actor = read_actor(document);
  if (!actor)
    return actor.error();
  if (!is_beside(key_id, actor->id))
    return refused(key_id, "its owner is on another server");
  const auto is_it = [&](const actor_key& key) {
    return key.id == key_id && (key.owner.empty() || key.owner == actor->id);
  };
  const auto found = std::ranges::find_if(actor->keys, is_it);
  if (found == actor->keys.end())
    return refused(key_id, "is no key of the actor in its document");
  return key_document{.actor = actor->id, .pem = found->pem};
}

} // namespace

caf::expected<key_document> read_key_document(const json_value& document,
                                              const std::string& key_id) {
  if (document.find("publicKey"))
    return key_of_actor(document, key_id);
  if (text_of(document.find("publicKeyPem")).empty())
    return make_error(errc::malformed, "key " + key_id + ": its document has no key");
  if (text_of(document.find("id")) != key_id)
    return refused(key_id, "its document is of another key");
  auto owner = only_web_id_of(document.find("owner"));
  if (!is_beside(key_id, owner))
    return refused(key_id, "its owner is on another server");
  return key_document{.actor = std::move(owner), .pem = {}};
}

} // namespace trunkline
