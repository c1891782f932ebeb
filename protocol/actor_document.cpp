#include "protocol/activity.hpp"
#include "protocol/errc.hpp"
#include "protocol/host_address.hpp"
#include "protocol/loose_members.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace trunkline {

namespace {

constexpr auto actor_types =
    std::to_array<std::string_view>({"Person", "Service", "Application", "Group", "Organization"});

constexpr std::size_t key_pem_bytes_max = 16'384;

caf::error bad_actor(std::string_view why) {
  return make_error(errc::malformed, "actor: " + std::string{why});
}

/// A handle holds what may stand in "@name@host": nothing that ends it, hides or turns it round.
bool is_handle(std::string_view name) {
  if (name.empty() || name != display_line(name, actor_name_max) ||
      name.find_first_of("@/:?#%\\\"'<>&") != std::string_view::npos)
    return false;
  while (!name.empty()) {
    auto letter = std::int32_t{0};
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(name.data()),
                                       static_cast<utf8proc_ssize_t>(name.size()), &letter);
    const auto category = utf8proc_category(letter);
    if (size < 1 || category == UTF8PROC_CATEGORY_CN || category >= UTF8PROC_CATEGORY_ZS)
      return false; // separators, controls, format characters, surrogates, private use
    name.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

/// Returns the id in `value` when it lies on the origin of `actor_id`, else "".
std::string id_beside(const std::string& actor_id, const json_value* value) {
  if (!value || value->as_array())
    return {};
  auto id = web_id_of(value);
  return is_same_origin(actor_id, id, {.allow_http = true}) ? std::move(id) : std::string{};
}

std::string shared_inbox_of(const std::string& actor_id, const json_value& document) {
  const auto* endpoints = document.find("endpoints");
  const auto* inside = endpoints ? endpoints->find("sharedInbox") : nullptr;
  return id_beside(actor_id, inside ? inside : document.find("sharedInbox"));
}

std::vector<profile_field> fields_of(const json_value& document) {
  auto fields = std::vector<profile_field>{};
  for (const auto& item : items_of(document.find("attachment"))) {
    if (fields.size() == actor_fields_max)
      break;
    if (has_type(item, "PropertyValue"))
      fields.push_back({.name = display_line(text_of(item.find("name")), actor_name_max),
                        .value = clamp_bytes(text_of(item.find("value")), actor_name_max)});
  }
  return fields;
}

std::vector<actor_key> keys_of(const json_value& document) {
  auto keys = std::vector<actor_key>{};
  for (const auto& item : items_of(document.find("publicKey"))) {
    if (keys.size() == actor_keys_max)
      break;
    auto key = actor_key{.id = web_id_of(&item),
                         .owner = web_id_of(item.find("owner")),
                         .pem = text_of(item.find("publicKeyPem"))};
    if (!key.id.empty() && !key.pem.empty() && key.pem.size() <= key_pem_bytes_max)
      keys.push_back(std::move(key));
  }
  return keys;
}

void read_places(remote_actor& actor, const json_value& document) {
  actor.shared_inbox = shared_inbox_of(actor.id, document);
  actor.outbox = id_beside(actor.id, document.find("outbox"));
  actor.followers = id_beside(actor.id, document.find("followers"));
  actor.following = id_beside(actor.id, document.find("following"));
  actor.featured = id_beside(actor.id, document.find("featured"));
  actor.url = url_of(document.find("url"), "text/html");
  if (actor.url.empty())
    actor.url = actor.id;
  actor.avatar_url = url_of(document.find("icon"));
  actor.header_url = url_of(document.find("image"));
}

void read_profile(remote_actor& actor, const json_value& document) {
  actor.display_name = display_line(mapped_text_of(document, "name"), actor_name_max);
  actor.note = clamp_bytes(mapped_text_of(document, "summary"), actor_note_bytes_max);
  actor.locked = is_true(document.find("manuallyApprovesFollowers"));
  actor.bot = actor.type == "Service" || actor.type == "Application";
  actor.discoverable = is_true(document.find("discoverable"));
  actor.fields = fields_of(document);
  actor.emojis = emojis_of(document);
  actor.aliases = ids_of(document.find("alsoKnownAs"), actor_aliases_max);
  actor.moved_to = web_id_of(document.find("movedTo"));
  actor.published = time_of(document.find("published"));
  actor.keys = keys_of(document);
}

} // namespace

caf::expected<remote_actor> read_actor(const json_value& document) {
  auto actor = remote_actor{};
  actor.type = first_type_of(document, actor_types);
  if (actor.type.empty())
    return bad_actor("type: is none of an actor");
  actor.id = web_url(text_of(document.find("id")));
  if (actor.id.empty())
    return bad_actor("id: is no URL");
  actor.inbox = id_beside(actor.id, document.find("inbox"));
  if (actor.inbox.empty())
    return bad_actor("inbox: is no URL on the origin of the actor's id");
  actor.name = text_of(document.find("preferredUsername"));
  if (!is_handle(actor.name))
    return bad_actor("preferredUsername: is no name that can be part of a handle");
  read_places(actor, document);
  read_profile(actor, document);
  return actor;
}

} // namespace trunkline
