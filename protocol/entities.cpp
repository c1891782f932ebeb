#include "protocol/entities.hpp"

#include "protocol/emoji_entities.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/plain_text.hpp"

#include <functional>

namespace trunkline {

namespace {

/// The page of an account or of somebody named: ours, or the one its own server names.
template <class Person>
std::string profile_page_of(const Person& person, const site& here) {
  if (person.domain.empty())
    return here.urls.profile_page(person.name);
  return person.page.empty() ? person.uri : person.page;
}

std::string address_of(const std::string& name, const std::string& domain) {
  return domain.empty() ? name : name + "@" + domain;
}

/// Mastodon tells the day an account was made, not the moment.
std::string day_of(time_point at) {
  return to_iso8601_date(at) + "T00:00:00.000Z";
}

json_value or_null(const std::string& text) {
  return text.empty() ? json_value{} : json_value{text};
}

json_value or_null(const std::optional<time_point>& at) {
  return at ? json_value{to_iso8601(*at)} : json_value{};
}

json_value or_null(const std::optional<std::int64_t>& number) {
  return number ? json_value{*number} : json_value{};
}

template <class Id>
json_value or_null(Id id) {
  return id ? json_value{to_string(id)} : json_value{};
}

/// The fields of a profile; `shown` turns a value into what is shown of it.
template <class Show>
json_array fields_of(const account_view& account, const Show& shown) {
  auto fields = json_array{};
  const auto parsed = parse_json(account.fields_json);
  const auto* items = parsed ? parsed->as_array() : nullptr;
  if (!items)
    return fields;
  for (const auto& item : *items)
    fields.push_back(json_object{{"name", text_of(item.find("name"))},
                                 {"value", shown(text_of(item.find("value")))},
                                 {"verified_at", nullptr}});
  return fields;
}

json_array badges_of(account_role role) {
  if (role != account_role::admin)
    return {};
  return {json_object{{"id", "1"}, {"name", "Admin"}, {"color", ""}}};
}

std::string_view word_of(medium_kind kind) {
  switch (kind) {
  case medium_kind::image:
    return "image";
  case medium_kind::gifv:
    return "gifv";
  case medium_kind::video:
    return "video";
  case medium_kind::audio:
    return "audio";
  case medium_kind::unknown:
    break;
  }
  return "unknown";
}

json_object to_entity(const medium_view& medium, bool is_ours) {
  return {{"id", std::to_string(medium.id)},
          {"type", word_of(medium.kind)},
          {"url", medium.url},
          {"preview_url", medium.url},
          {"remote_url", is_ours ? json_value{} : json_value{medium.url}},
          {"preview_remote_url", nullptr},
          {"text_url", nullptr},
          {"meta", json_object{}},
          {"description", or_null(medium.description)},
          {"blurhash", nullptr}};
}

json_array media_of(const post_view& post) {
  auto media = json_array{};
  for (const auto& medium : post.media)
    media.push_back(to_entity(medium, !post.row.uri));
  return media;
}

json_array mentions_of(const post_view& post, const site& here) {
  auto mentions = json_array{};
  for (const auto& one : post.mentions)
    mentions.push_back(json_object{{"id", to_string(one.id)},
                                   {"username", one.name},
                                   {"url", profile_page_of(one, here)},
                                   {"acct", address_of(one.name, one.domain)}});
  return mentions;
}

json_array tags_of(const post_view& post, const site& here) {
  auto tags = json_array{};
  for (const auto& name : post.tags)
    tags.push_back(json_object{{"name", name}, {"url", here.urls.tag_page(fold_tag(name))}});
  return tags;
}

json_value poll_of(const post_view& post, account_id viewer) {
  if (!post.poll)
    return nullptr;
  const auto& poll = *post.poll;
  const auto hidden = poll.hide_totals && !poll.ended;
  auto options = json_array{};
  auto total = std::int64_t{0};
  for (auto i = std::size_t{0}; i < poll.options.size(); ++i) {
    total += poll.votes[i];
    options.push_back(
        json_object{{"title", poll.options[i]},
                    {"votes_count", hidden ? json_value{} : json_value{poll.votes[i]}}});
  }
  auto entity = json_object{
      {"id", to_string(post.row.id)},  {"expires_at", or_null(poll.expires_at)},
      {"expired", poll.ended},         {"multiple", poll.multiple},
      {"votes_count", total},          {"voters_count", or_null(poll.voters)},
      {"options", std::move(options)}, {"emojis", emojis_in(post.row.emojis_json, poll.options)}};
  if (!viewer)
    return entity;
  auto own = json_array{};
  for (const auto choice : poll.own_votes)
    own.push_back(choice);
  entity["voted"] = !poll.own_votes.empty() || viewer == post.row.author;
  entity["own_votes"] = std::move(own);
  return entity;
}

void add_marks(json_object& entity, const post_view& post, account_id viewer) {
  entity["favourited"] = post.marks.favourited;
  entity["reblogged"] = post.marks.boosted;
  entity["muted"] = false; // conversations cannot be muted yet
  entity["bookmarked"] = post.marks.bookmarked;
  entity["filtered"] = json_array{};
  const auto may_pin =
      viewer == post.row.author && !post.row.boost_of && post.row.seen_by != visibility::direct;
  if (may_pin)
    entity["pinned"] = post.marks.pinned;
}

json_value application_of(const post_view& post) {
  if (!post.app)
    return nullptr;
  return json_object{{"name", post.app->name}, {"website", or_null(post.app->website)}};
}

} // namespace

std::string uri_of(const post_view& post) {
  if (post.row.uri)
    return *post.row.uri;
  const auto uri = post.author->uri + "/statuses/" + to_string(post.row.id);
  return post.row.boost_of ? uri + "/activity" : uri;
}

std::string page_of(const post_view& post, const site& here) {
  const auto is_ours = post.author->domain.empty();
  if (is_ours && !post.row.boost_of)
    return here.urls.post_page(post.author->name, post.row.id);
  return post.row.url.empty() ? uri_of(post) : post.row.url;
}

json_object to_entity(const account_view& account, const site& here) {
  const auto is_ours = account.domain.empty();
  const auto picture = [&here](const std::string& url, const char* otherwise) {
    return url.empty() ? here.urls.origin + otherwise : url;
  };
  const auto avatar = picture(account.avatar_url, "/pictures/avatar.png");
  const auto header = picture(account.header_url, "/pictures/header.png");
  auto entity = json_object{
      {"id", to_string(account.id)},
      {"username", account.name},
      {"acct", address_of(account.name, account.domain)},
      {"display_name", account.display_name},
      {"locked", account.locked},
      {"bot", account.bot},
      {"discoverable", account.discoverable},
      {"indexable", false},
      {"group", false},
      {"created_at", day_of(account.created_at)},
      {"note", is_ours ? to_html(account.note) : account.note},
      {"url", profile_page_of(account, here)},
      {"uri", account.uri},
      {"avatar", avatar},
      {"avatar_static", avatar},
      {"header", header},
      {"header_static", header},
      {"followers_count", account.followers},
      {"following_count", account.following},
      {"statuses_count", account.posts},
      {"last_status_at",
       account.last_post_at ? json_value{to_iso8601_date(*account.last_post_at)} : json_value{}},
      {"hide_collections", false},
      {"emojis",
       emojis_in(account.emojis_json, {account.display_name, account.note, account.fields_json})},
      {"fields", is_ours ? fields_of(account, to_html) : fields_of(account, std::identity{})}};
  if (is_ours) {
    entity["noindex"] = false;
    entity["roles"] = badges_of(account.role);
  }
  return entity;
}

json_object to_entity(const own_account_view& account, const site& here) {
  auto entity = to_entity(account.shown, here);
  const auto as_written = [](const std::string& text) { return text; };
  entity["source"] = json_object{{"privacy", to_string(account.defaults.seen_by)},
                                 {"sensitive", account.defaults.sensitive},
                                 {"language", or_null(account.defaults.language)},
                                 {"note", account.shown.note},
                                 {"fields", fields_of(account.shown, as_written)},
                                 {"follow_requests_count", account.follow_requests},
                                 {"hide_collections", false},
                                 {"discoverable", account.shown.discoverable},
                                 {"indexable", false},
                                 {"attribution_domains", json_array{}},
                                 {"quote_policy", "nobody"}};
  entity["role"] = to_entity(account.shown.role);
  return entity;
}

json_object to_entity(account_role role) {
  const auto is_admin = role == account_role::admin;
  return {{"id", is_admin ? "1" : "-99"},
          {"name", is_admin ? "Admin" : ""},
          {"color", ""},
          {"permissions", is_admin ? "1" : "0"},
          {"highlighted", is_admin}};
}

json_object to_entity(const post_view& post, account_id viewer, const site& here) {
  const auto& row = post.row;
  auto entity = json_object{{"id", to_string(row.id)},
                            {"created_at", to_iso8601(row.created_at)},
                            {"in_reply_to_id", or_null(row.reply_to)},
                            {"in_reply_to_account_id", or_null(row.reply_author)},
                            {"sensitive", row.sensitive},
                            {"spoiler_text", row.spoiler},
                            {"visibility", to_string(row.seen_by)},
                            {"language", or_null(row.language)},
                            {"uri", uri_of(post)},
                            {"url", page_of(post, here)},
                            {"replies_count", post.replies},
                            {"reblogs_count", post.boosts},
                            {"favourites_count", post.favourites},
                            {"quotes_count", 0},
                            {"edited_at", or_null(row.edited_at)},
                            {"content", row.html},
                            {"reblog", nullptr},
                            {"application", application_of(post)},
                            {"account", to_entity(*post.author, here)},
                            {"media_attachments", media_of(post)},
                            {"mentions", mentions_of(post, here)},
                            {"tags", tags_of(post, here)},
                            {"emojis", emojis_in(row.emojis_json, {row.spoiler, row.html})},
                            {"quote", nullptr},
                            {"card", nullptr},
                            {"poll", poll_of(post, viewer)},
                            {"quote_approval", json_object{{"automatic", json_array{}},
                                                           {"manual", json_array{}},
                                                           {"current_user", "denied"}}}};
  if (post.boosted)
    entity["reblog"] = to_entity(*post.boosted, viewer, here);
  if (viewer)
    add_marks(entity, post, viewer);
  return entity;
}

json_array to_entities(std::span<const post_view> posts, account_id viewer, const site& here) {
  auto entities = json_array{};
  for (const auto& post : posts)
    entities.push_back(to_entity(post, viewer, here));
  return entities;
}

json_object to_entity(const thread_view& thread, account_id viewer, const site& here) {
  return {{"ancestors", to_entities(thread.ancestors, viewer, here)},
          {"descendants", to_entities(thread.descendants, viewer, here)}};
}

json_object to_entity(const relation_view& relation) {
  auto languages = json_array{};
  for (const auto& language : relation.languages)
    languages.push_back(language);
  const auto limited = relation.following && !relation.languages.empty();
  return {{"id", to_string(relation.target)},
          {"following", relation.following},
          {"showing_reblogs", relation.show_boosts},
          {"notifying", relation.notifying},
          {"languages", limited ? json_value{std::move(languages)} : json_value{}},
          {"followed_by", relation.followed_by},
          {"blocking", relation.blocking},
          {"blocked_by", relation.blocked_by},
          {"muting", relation.muting},
          {"muting_notifications", relation.muting_notifications},
          {"muting_expires_at", or_null(relation.muting_ends)},
          {"requested", relation.requested},
          {"requested_by", relation.requested_by},
          {"domain_blocking", relation.blocking_domain},
          {"endorsed", false},
          {"note", ""}};
}

json_object to_source(const post& shown) {
  return {{"id", to_string(shown.id)}, {"text", shown.text}, {"spoiler_text", shown.spoiler}};
}

json_array to_entities(std::span<const edit_view> edits, const post_view& current,
                       const site& here) {
  auto entities = json_array{};
  for (const auto& edit : edits)
    entities.push_back(json_object{{"content", edit.html},
                                   {"spoiler_text", edit.spoiler},
                                   {"sensitive", edit.sensitive},
                                   {"created_at", to_iso8601(edit.at)},
                                   {"account", to_entity(*current.author, here)},
                                   {"media_attachments", media_of(current)},
                                   {"emojis", json_array{}},
                                   {"quote", nullptr}});
  return entities;
}

json_object to_preferences(const own_account_view& account) {
  return {{"posting:default:visibility", to_string(account.defaults.seen_by)},
          {"posting:default:sensitive", account.defaults.sensitive},
          {"posting:default:language", or_null(account.defaults.language)},
          {"posting:default:quote_policy", "nobody"},
          {"reading:expand:media", "default"},
          {"reading:expand:spoilers", false},
          {"reading:autoplay:gifs", false}};
}

json_object to_entity(const stored_app& app, const std::string& secret) {
  auto uris = json_array{};
  auto scopes = json_array{};
  auto lines = std::string{};
  for (const auto& uri : split_lines(app.redirect_uris)) {
    uris.push_back(uri);
    lines += (lines.empty() ? "" : "\n") + uri;
  }
  for (auto start = std::size_t{0}; start < app.scopes.size();) {
    const auto end = std::min(app.scopes.find(' ', start), app.scopes.size());
    scopes.push_back(app.scopes.substr(start, end - start));
    start = end + 1;
  }
  auto entity = json_object{{"id", to_string(app.id)},
                            {"name", app.name},
                            {"website", or_null(app.website)},
                            {"scopes", std::move(scopes)},
                            {"redirect_uris", std::move(uris)},
                            {"redirect_uri", lines},
                            {"vapid_key", ""}}; // push is not offered yet
  if (secret.empty())
    return entity;
  entity["client_id"] = app.client_id;
  entity["client_secret"] = secret;
  entity["client_secret_expires_at"] = 0;
  return entity;
}

} // namespace trunkline
