/// Mastodon's entities (4.5): views as the JSON that clients read, every key with its true value.
///
/// What this server does not have yet has the value that says so: no quotes, no cards, no filters,
/// no custom emojis but those of other servers' posts and accounts.
#pragma once

#include "protocol/access.hpp"
#include "protocol/graph.hpp"
#include "protocol/json.hpp"
#include "protocol/names.hpp"
#include "protocol/views.hpp"

#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Where links of entities lead.
struct site {
  std::string domain; ///< `server.domain`
  url_space urls;     ///< At `server.url`: pages, pictures, the API.
};

json_object to_entity(const account_view& account, const site& here);

/// CredentialAccount: with `source` and `role`.
json_object to_entity(const own_account_view& account, const site& here);

/// Status. `viewer` 0 is a stranger: the marks are left out, as in Mastodon.
json_object to_entity(const post_view& post, account_id viewer, const site& here);

json_array to_entities(std::span<const post_view> posts, account_id viewer, const site& here);

json_object to_entity(const relation_view& relation);
json_object to_entity(const thread_view& thread, account_id viewer, const site& here);

/// StatusSource.
json_object to_source(const post& shown);

/// StatusEdit, for each version.
json_array to_entities(std::span<const edit_view> edits, const post_view& current,
                       const site& here);

/// Preferences.
json_object to_preferences(const own_account_view& account);

/// Application; `secret` is "" but for the answer to its registration (CredentialApplication).
json_object to_entity(const stored_app& app, const std::string& secret);

/// Role, of an account's owner.
json_object to_entity(account_role role);

/// Returns the URI of a post: its own, or one below its author's.
std::string uri_of(const post_view& post);

/// Returns the page of a post, or of a boost its URI, as Mastodon does.
std::string page_of(const post_view& post, const site& here);

} // namespace trunkline
