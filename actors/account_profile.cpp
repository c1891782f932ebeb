// What an account says of itself, and whom it reports.
#include "actors/account_changes.hpp"
#include "actors/account_refusals.hpp"
#include "protocol/utf8.hpp"
#include "storage/federation_views.hpp"
#include "storage/post_store.hpp"
#include "storage/profile_store.hpp"
#include "storage/remote_json.hpp"
#include "storage/report_store.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t field_max = 255; ///< Characters of a name or value.
constexpr std::size_t report_comment_max = 1'000;
constexpr auto moves_apart = std::chrono::hours{24 * 7};
constexpr auto categories =
    std::to_array<std::string_view>({"spam", "legal", "violation", "other"});

caf::error check_text(std::string_view what, const std::string& text, std::size_t characters) {
  if (text.find('\0') != std::string::npos || !is_utf8(text))
    return refused(std::string{what} + " is not valid text");
  // A character takes at least a byte, so that no more is looked at than must be.
  if (text.size() > characters &&
      (text.size() > 64 * characters || count_characters(text) > characters))
    return refused(std::string{what} + " is too long (maximum is " + std::to_string(characters) +
                   " characters)");
  return {};
}

caf::error check_fields(const std::vector<std::pair<std::string, std::string>>& fields) {
  if (fields.size() > profile_fields_max)
    return refused("Fields can't be more than " + std::to_string(profile_fields_max));
  for (const auto& [name, value] : fields) {
    if (auto failure = check_text("Name of a field", name, field_max))
      return failure;
    if (auto failure = check_text("Value of a field", value, field_max))
      return failure;
  }
  return {};
}

caf::error check(const profile_changes& wanted) {
  if (wanted.display_name)
    if (auto failure = check_text("Display name", *wanted.display_name, display_name_max))
      return failure;
  if (wanted.note)
    if (auto failure = check_text("Note", *wanted.note, profile_note_max))
      return failure;
  if (wanted.fields)
    if (auto failure = check_fields(*wanted.fields))
      return failure;
  if (wanted.default_visibility == visibility::direct)
    return refused("Default privacy must not be direct");
  if (wanted.default_language && !is_language_code(*wanted.default_language))
    return refused("Default language is not a code of ISO 639");
  if (wanted.aliases && wanted.aliases->size() > aliases_max)
    return refused("Aliases can't be more than " + std::to_string(aliases_max));
  for (const auto& alias : wanted.aliases.value_or(std::vector<std::string>{}))
    if (web_address(alias).empty())
      return refused("Aliases must be addresses of accounts");
  return {};
}

/// A field without name and value is none.
std::string to_json(const std::vector<std::pair<std::string, std::string>>& fields) {
  auto kept = std::vector<profile_field>{};
  for (const auto& [name, value] : fields)
    if (!is_blank(name) || !is_blank(value))
      kept.push_back({name, value});
  return to_json_fields(kept);
}

own_profile with(own_profile profile, const profile_changes& wanted) {
  const auto take = [](auto& into, const auto& from) {
    if (from)
      into = *from;
  };
  take(profile.display_name, wanted.display_name);
  take(profile.note, wanted.note);
  take(profile.locked, wanted.locked);
  take(profile.bot, wanted.bot);
  take(profile.discoverable, wanted.discoverable);
  take(profile.default_visibility, wanted.default_visibility);
  take(profile.default_sensitive, wanted.default_sensitive);
  take(profile.default_language, wanted.default_language);
  take(profile.aliases, wanted.aliases);
  if (wanted.fields)
    profile.fields_json = to_json(*wanted.fields);
  return profile;
}

/// Tells whether others see a difference.
bool looks_the_same(const own_profile& one, own_profile other) {
  other.default_visibility = one.default_visibility;
  other.default_sensitive = one.default_sensitive;
  other.default_language = one.default_language;
  return one == other;
}

} // namespace

/// Appends the row of a changed actor; its followers get the actor as it is now.
caf::error acting_account::log_actor_update(write_context& context, log_kind kind) {
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto to = audience(context.db, visibility::everyone, post_id{*fresh});
  if (!to)
    return to.error();
  auto entry = draft_of(kind, {object_kind::account, 0, id_.value});
  entry.cls = delivery_class::direct;
  entry.ap_id = urls_.other(name_, "updates", *fresh);
  auto body = [&]() -> caf::expected<std::string> {
    const auto actor = load_local_actor(context.db, id_, urls_);
    if (!actor)
      return actor.error();
    return render_actor_update(actor->document, urls_, *fresh);
  };
  if (auto failure = address(entry, {.audience = *to}, body))
    return failure;
  context.log.push_back(std::move(entry));
  return {};
}

caf::expected<caf::unit_t> acting_account::change(write_context& context,
                                                  const profile_changes& changes) {
  if (auto failure = begin(context))
    return failure;
  if (auto failure = check(changes))
    return failure;
  const auto before = find_profile(context.db, id_);
  if (!before)
    return before.error();
  const auto after = with(*before, changes);
  if (after == *before)
    return done();
  if (auto failure = store_profile(context.db, id_, after))
    return failure;
  return done(looks_the_same(*before, after) ? caf::error{}
                                             : log_actor_update(context, log_kind::update_actor));
}

/// Says first that it has moved, in its document, and then that followers should follow.
caf::expected<caf::unit_t> acting_account::move(write_context& context, account_id target) {
  const auto there = begin_with(context, target);
  if (!there)
    return there.error();
  const auto own = find_move(context.db, id_);
  if (!own)
    return own.error();
  if (own->moved_to == target)
    return done();
  if (own->moved_at && context.now - *own->moved_at < moves_apart)
    return refused("You have moved within the last 7 days");
  const auto theirs = find_move(context.db, target);
  if (!theirs)
    return theirs.error();
  const auto me = urls_.actor(name_);
  if (target == id_ || theirs->moved_to || std::ranges::count(theirs->aliases, me) == 0)
    return refused("The account you move to must name this one as an alias");
  if (auto failure = store_move(context.db, id_, target, context.now))
    return failure;
  if (auto failure = log_actor_update(context, log_kind::update_actor))
    return failure;
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto to = audience(context.db, visibility::everyone, post_id{*fresh});
  if (!to)
    return to.error();
  auto entry = draft_of(log_kind::move_account, {object_kind::account, 0, id_.value});
  entry.cls = delivery_class::direct;
  entry.ap_id = urls_.other(name_, "move", *fresh);
  auto body = [&]() -> caf::expected<std::string> {
    auto moved = activity_of(*entry.ap_id, "Move", me);
    moved.target = there->uri;
    moved.whom = {.to = {urls_.followers(name_)}, .cc = {}};
    return render(moved);
  };
  if (auto failure = address(entry, {.audience = *to}, body))
    return failure;
  context.log.push_back(std::move(entry));
  return done();
}

caf::expected<caf::unit_t> acting_account::rotate(write_context& context, const rotate_key& wish) {
  if (auto failure = begin(context))
    return failure;
  const auto changed =
      replace_key(context.db, id_, {wish.public_pem, wish.sealed_private_key}, context.now);
  if (!changed)
    return changed.error();
  return done(*changed ? log_actor_update(context, log_kind::rotate_key) : caf::error{});
}

/// Reads the posts of a report, which are the target's and may be seen. Returns their ids.
caf::expected<std::vector<std::string>>
acting_account::reported_posts(database& db, const report_account& wish) const {
  auto uris = std::vector<std::string>{};
  for (const auto id : wish.posts) {
    const auto row = find_post(db, id);
    if (!row)
      return row.error();
    if (!*row || (*row)->author != wish.target)
      return no_record();
    if (auto failure = check_visible(db, **row))
      return failure;
    auto uri = uri_of(db, **row);
    if (!uri)
      return std::move(uri.error());
    uris.push_back(std::move(*uri));
  }
  return uris;
}

caf::expected<std::int64_t> acting_account::report(write_context& context,
                                                   const report_account& wish) {
  const auto target = begin_with(context, wish.target);
  if (!target)
    return target.error();
  const auto category = wish.category.empty() ? std::string{"other"} : wish.category;
  if (std::ranges::find(categories, category) == categories.end())
    return refused("Category is not included in the list");
  if (auto failure = check_text("Comment", wish.comment, report_comment_max))
    return failure;
  if (wish.posts.size() > report_posts_max)
    return refused("Posts can't be more than " + std::to_string(report_posts_max));
  auto objects = reported_posts(context.db, wish);
  if (!objects)
    return std::move(objects.error());
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh;
  const auto forwarded = wish.forward && !target->is_local();
  const auto stored = insert_report(context.db, {.id = *fresh,
                                                 .reporter = id_,
                                                 .target = wish.target,
                                                 .posts = wish.posts,
                                                 .category = category,
                                                 .comment = wish.comment,
                                                 .forwarded = forwarded,
                                                 .at = context.now});
  if (!stored)
    return stored.error();
  if (!forwarded)
    return *fresh;
  objects->insert(objects->begin(), target->uri);
  auto entry = draft_of(log_kind::flag, {object_kind::report, id_.value, wish.target.value});
  entry.ap_id = urls_.instance_actor() + "#flag/" + std::to_string(*fresh);
  if (auto failure = log_relation(context, entry, *target, [&] {
        return render_flag(*entry.ap_id, urls_.instance_actor(), *objects, wish.comment);
      }))
    return failure;
  // Whoever is reported is not told by whom: the server itself says it.
  context.log.back().signer = account_id{};
  return *fresh;
}

} // namespace trunkline
