// What every change of an account begins and ends with; the changes themselves are in
// account_posts.cpp, account_interactions.cpp, account_relations.cpp and account_profile.cpp.
#include "actors/account_changes.hpp"

#include "actors/account_refusals.hpp"
#include "storage/audience_store.hpp"
#include "storage/graph_store.hpp"
#include "storage/notification_store.hpp"
#include "storage/post_store.hpp"

#include <utility>

namespace trunkline {

namespace {

delivery_class class_of(visibility seen_by) {
  return seen_by == visibility::direct ? delivery_class::direct : delivery_class::bulk;
}

} // namespace

acting_account::acting_account(account_id id, std::string domain, url_space urls,
                               std::shared_ptr<id_source> ids)
    : id_{id}, domain_{std::move(domain)}, urls_{std::move(urls)}, ids_{std::move(ids)} {}

caf::error acting_account::begin(write_context& context) {
  const auto is_known =
      looked_at_ && *looked_at_ <= context.now && context.now - *looked_at_ < facts_kept;
  if (is_known)
    return {};
  auto facts = find_account_facts(context.db, id_);
  if (!facts)
    return std::move(facts.error());
  if (!*facts || !(*facts)->is_local)
    return no_record();
  if ((*facts)->disabled)
    return make_error(errc::forbidden, "Your login is currently disabled");
  name_ = (*facts)->name;
  looked_at_ = context.now;
  return {};
}

caf::expected<std::int64_t> acting_account::fresh_id() {
  return ids_->next();
}

/// Returns the id of an activity that nobody has yet; `activity` is its lower-case word.
caf::expected<std::string> acting_account::fresh_uri(std::string_view activity) {
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  return urls_.other(name_, activity, *fresh);
}

caf::expected<post> acting_account::own_post(database& db, post_id id) const {
  auto found = find_post(db, id);
  if (!found)
    return std::move(found.error());
  if (!*found || (*found)->author != id_)
    return no_record();
  return std::move(**found);
}

/// A boost stands for what it boosts.
caf::expected<post> acting_account::visible_post(database& db, post_id id) const {
  auto found = find_post(db, id);
  if (!found)
    return std::move(found.error());
  if (!*found)
    return no_record();
  if ((*found)->boost_of)
    return visible_post(db, (*found)->boost_of);
  const auto seen = may_see(db, id_, **found);
  if (!seen)
    return seen.error();
  if (!*seen)
    return no_record();
  return std::move(**found);
}

caf::expected<std::string> acting_account::uri_of(database& db, const post& row) const {
  if (row.uri)
    return *row.uri;
  if (row.author == id_)
    return urls_.post(name_, row.id);
  const auto author = find_reach(db, row.author);
  if (!author)
    return author.error();
  if (!*author)
    return no_record();
  return urls_.post((*author)->name, row.id);
}

caf::expected<audience_id> acting_account::audience(database& db, visibility seen_by,
                                                    post_id fresh) const {
  if (seen_by == visibility::direct) // it goes to the persons named
    return audience_id{};
  return audience_for_next_post(db, id_, audience_id{fresh.value});
}

log_draft acting_account::draft_of(log_kind kind, object_key object) const {
  return {.kind = kind, .author = id_, .object = object};
}

log_draft acting_account::post_draft_of(log_kind kind, const post& row) const {
  auto draft = draft_of(kind, {object_kind::post, 0, row.id.value});
  draft.cls = class_of(row.seen_by);
  draft.is_public = is_public(row.seen_by);
  return draft;
}

/// Says whom a row goes to. What it says is rendered only when somebody hears it.
caf::error acting_account::address(log_draft& entry, addressees to, const body_source& body) const {
  to.settle();
  if (to.is_nobody())
    return {};
  auto text = body();
  if (!text)
    return std::move(text.error());
  entry.audience = to.audience;
  entry.extra = std::move(to.extra);
  entry.signer = id_;
  entry.body = std::move(*text);
  return {};
}

plain_activity acting_account::activity_of(std::string id, std::string_view type,
                                           std::string object) const {
  return {.id = std::move(id),
          .type = std::string{type},
          .actor = urls_.actor(name_),
          .object = std::move(object)};
}

caf::error acting_account::notify(write_context& context, account_id owner, notification_kind kind,
                                  post_id post) {
  if (owner == id_)
    return {};
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  auto told = add_notification(
      context.db,
      {.id = *fresh, .owner = owner, .kind = kind, .from = id_, .post = post, .at = context.now});
  return told ? caf::error{} : std::move(told.error());
}

caf::error acting_account::unnotify(write_context& context, account_id owner,
                                    notification_kind kind, post_id post) const {
  auto removed = remove_notification(
      context.db, {.owner = owner, .kind = kind, .from = id_, .post = post, .at = context.now});
  return removed ? caf::error{} : std::move(removed.error());
}

} // namespace trunkline
