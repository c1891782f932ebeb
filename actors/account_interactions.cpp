// What an account does with posts: boosts, favourites, bookmarks, pins and votes.
#include "actors/account_changes.hpp"
#include "actors/account_refusals.hpp"
#include "storage/graph_store.hpp"
#include "storage/interaction_store.hpp"
#include "storage/post_store.hpp"

#include <utility>

namespace trunkline {

namespace {

/// Returns the author of a post that is there.
caf::expected<account_reach> author_of(database& db, const post& row) {
  auto author = find_reach(db, row.author);
  if (!author)
    return std::move(author.error());
  if (!*author)
    return no_record();
  return std::move(**author);
}

object_key between(object_kind kind, account_id actor, post_id target) {
  return {kind, actor.value, target.value};
}

} // namespace

/// The Announce of a boost; to its followers, and its author hears of it.
plain_activity acting_account::announce_of(const post& boost, const account_reach& author,
                                           std::string object) const {
  auto announce = activity_of(urls_.activity(name_, boost.id), "Announce", std::move(object));
  announce.whom = recipients_of(boost.seen_by, urls_.followers(name_), {{author.uri, {}}});
  announce.published = boost.created_at;
  return announce;
}

caf::expected<post_id> acting_account::boost(write_context& context, post_id id,
                                             visibility seen_by) {
  if (auto failure = begin(context))
    return failure;
  const auto original = visible_post(context.db, id);
  if (!original)
    return original.error();
  const auto hidden = !is_public(original->seen_by);
  if (seen_by == visibility::direct)
    return refused("Visibility of a boost must not be direct");
  if (original->seen_by == visibility::direct || (hidden && original->author != id_))
    return not_allowed();
  const auto known = boost_by(context.db, id_, original->id);
  if (!known)
    return known.error();
  if (*known)
    return **known;
  const auto fresh = next_post_id(context.db);
  if (!fresh)
    return fresh;
  const auto row = post{.id = *fresh,
                        .author = id_,
                        .seen_by = hidden ? original->seen_by : seen_by,
                        .boost_of = original->id,
                        .boost_author = original->author,
                        .created_at = context.now};
  const auto audience_now = audience(context.db, row.seen_by, row.id);
  if (!audience_now)
    return audience_now.error();
  if (auto failure = insert_post(context.db, row, *audience_now, {}))
    return failure;
  if (auto failure = log_boost(context, row, *original, *audience_now))
    return failure;
  if (auto failure = notify(context, original->author, notification_kind::reblog, original->id))
    return failure;
  return row.id;
}

caf::error acting_account::log_boost(write_context& context, const post& boost,
                                     const post& original, audience_id audience_now) {
  auto mentions = mentions_of(context.db, original.id);
  if (!mentions)
    return std::move(mentions.error());
  const auto author = author_of(context.db, original);
  if (!author)
    return author.error();
  auto entry = post_draft_of(log_kind::announce, boost);
  entry.object = between(object_kind::announce, id_, original.id);
  entry.ap_id = urls_.activity(name_, boost.id);
  entry.facts = post_facts{.id = boost.id,
                           .author = id_,
                           .boost_of = boost.boost_of,
                           .boost_author = boost.boost_author,
                           .seen_by = boost.seen_by,
                           .mentions = std::move(*mentions)};
  auto to = addressees{.audience = audience_now};
  to.add(author->bulk());
  auto body = [&]() -> caf::expected<std::string> {
    auto uri = uri_of(context.db, original);
    if (!uri)
      return std::move(uri.error());
    return render(announce_of(boost, *author, std::move(*uri)));
  };
  if (auto failure = address(entry, std::move(to), body))
    return failure;
  context.log.push_back(std::move(entry));
  return {};
}

caf::error acting_account::erase_own_boost(write_context& context, post_id boosted) {
  const auto id = boost_by(context.db, id_, boosted);
  if (!id)
    return id.error();
  if (!*id)
    return {};
  const auto boost = own_post(context.db, **id);
  if (!boost)
    return boost.error();
  const auto original = find_post(context.db, boosted);
  if (!original)
    return original.error();
  if (!*original)
    return no_record();
  const auto author = author_of(context.db, **original);
  if (!author)
    return author.error();
  const auto own_audience = audience_of(context.db, **id);
  if (!own_audience)
    return own_audience.error();
  if (auto erased = erase_boost(context.db, id_, boosted); !erased)
    return std::move(erased.error());
  if (auto failure = unnotify(context, author->id, notification_kind::reblog, boosted))
    return failure;
  const auto undo_uri = fresh_uri("undo");
  if (!undo_uri)
    return undo_uri.error();
  auto entry = draft_of(log_kind::undo_announce, between(object_kind::announce, id_, boosted));
  entry.is_public = is_public(boost->seen_by);
  entry.ap_id = *undo_uri;
  auto to = addressees{.audience = *own_audience};
  to.add(author->bulk());
  auto body = [&]() -> caf::expected<std::string> {
    auto uri = uri_of(context.db, **original);
    if (!uri)
      return std::move(uri.error());
    const auto announce = announce_of(*boost, *author, std::move(*uri));
    auto undo = activity_of(*undo_uri, "Undo", announce.id);
    undo.whom = announce.whom;
    return render_about(undo, announce);
  };
  if (auto failure = address(entry, std::move(to), body))
    return failure;
  context.log.push_back(std::move(entry));
  return {};
}

caf::expected<caf::unit_t> acting_account::unboost(write_context& context, post_id id) {
  if (auto failure = begin(context))
    return failure;
  const auto named = find_post(context.db, id);
  if (!named)
    return named.error();
  return done(erase_own_boost(context, *named && (*named)->boost_of ? (*named)->boost_of : id));
}

/// Appends the row of a Like or its Undo, which goes to the author alone.
caf::error acting_account::log_like(write_context& context, log_kind kind, const post& liked,
                                    const account_reach& author, std::string ap_id,
                                    const std::function<std::string(const std::string&)>& says) {
  auto entry = draft_of(kind, between(object_kind::like, id_, liked.id));
  entry.is_public = false;
  entry.ap_id = std::move(ap_id);
  auto to = addressees{};
  to.add(author.personal());
  auto body = [&]() -> caf::expected<std::string> {
    const auto uri = uri_of(context.db, liked);
    if (!uri)
      return uri.error();
    return says(*uri);
  };
  if (auto failure = address(entry, std::move(to), body))
    return failure;
  context.log.push_back(std::move(entry));
  return {};
}

caf::expected<caf::unit_t> acting_account::favourite(write_context& context, post_id id) {
  if (auto failure = begin(context))
    return failure;
  const auto liked = visible_post(context.db, id);
  if (!liked)
    return liked.error();
  const auto author = author_of(context.db, *liked);
  if (!author)
    return author.error();
  const auto like_uri = fresh_uri("like");
  if (!like_uri)
    return like_uri.error();
  const auto changed = store_favourite(context.db, id_, liked->id, context.now, *like_uri);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  if (auto failure = notify(context, author->id, notification_kind::favourite, liked->id))
    return failure;
  return done(
      log_like(context, log_kind::like, *liked, *author, *like_uri, [&](const std::string& uri) {
        return render(activity_of(*like_uri, "Like", uri));
      }));
}

caf::expected<caf::unit_t> acting_account::unfavourite(write_context& context, post_id id) {
  if (auto failure = begin(context))
    return failure;
  const auto liked = marked_post(context.db, id);
  if (!liked)
    return liked.error();
  const auto like_uri = favourite_uri(context.db, id_, liked->id);
  if (!like_uri)
    return like_uri.error();
  const auto changed = erase_favourite(context.db, id_, liked->id);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done(check_visible(context.db, *liked));
  const auto author = author_of(context.db, *liked);
  if (!author)
    return author.error();
  if (auto failure = unnotify(context, author->id, notification_kind::favourite, liked->id))
    return failure;
  const auto undo_uri = fresh_uri("undo");
  if (!undo_uri)
    return undo_uri.error();
  return done(log_like(context, log_kind::undo_like, *liked, *author, *undo_uri,
                       [&](const std::string& uri) {
                         return render_about(activity_of(*undo_uri, "Undo", *like_uri),
                                             activity_of(*like_uri, "Like", uri));
                       }));
}

/// Stays on this server.
caf::expected<caf::unit_t> acting_account::bookmark(write_context& context, post_id id, bool kept) {
  if (auto failure = begin(context))
    return failure;
  const auto row = kept ? visible_post(context.db, id) : marked_post(context.db, id);
  if (!row)
    return row.error();
  const auto changed = kept ? store_bookmark(context.db, id_, row->id, context.now)
                            : erase_bookmark(context.db, id_, row->id);
  if (!changed)
    return changed.error();
  return done(*changed || kept ? caf::error{} : check_visible(context.db, *row));
}

/// What was marked may be unmarked, also when it may not be seen any more.
caf::expected<post> acting_account::marked_post(database& db, post_id id) const {
  auto found = find_post(db, id);
  if (!found)
    return std::move(found.error());
  if (!*found)
    return no_record();
  if ((*found)->boost_of)
    return marked_post(db, (*found)->boost_of);
  return std::move(**found);
}

caf::error acting_account::check_visible(database& db, const post& row) const {
  const auto seen = may_see(db, id_, row);
  if (!seen)
    return seen.error();
  return *seen ? caf::error{} : no_record();
}

caf::expected<post> acting_account::pinnable_post(database& db, post_id id) const {
  auto found = find_post(db, id);
  if (!found)
    return std::move(found.error());
  if (!*found)
    return no_record();
  const auto& row = **found;
  if (auto failure = check_visible(db, row))
    return failure;
  if (row.boost_of)
    return refused("A boost cannot be pinned");
  if (row.author != id_)
    return refused("Someone else's post cannot be pinned");
  if (row.seen_by == visibility::direct)
    return refused("Posts that are only visible to mentioned users cannot be pinned");
  return row;
}

caf::expected<caf::unit_t> acting_account::pin(write_context& context, post_id id, bool pinned) {
  if (auto failure = begin(context))
    return failure;
  const auto row = pinnable_post(context.db, id);
  if (!row)
    return row.error();
  const auto changed =
      pinned ? store_pin(context.db, id_, id, context.now) : erase_pin(context.db, id_, id);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto to = audience(context.db, row->seen_by, post_id{*fresh});
  if (!to)
    return to.error();
  auto entry =
      draft_of(pinned ? log_kind::pin : log_kind::unpin, between(object_kind::pin, id_, id));
  entry.is_public = is_public(row->seen_by);
  entry.ap_id = urls_.other(name_, pinned ? "add" : "remove", *fresh);
  auto body = [&]() -> caf::expected<std::string> {
    auto change = activity_of(*entry.ap_id, pinned ? "Add" : "Remove", urls_.post(name_, id));
    change.target = urls_.featured(name_);
    change.whom = recipients_of(row->seen_by, urls_.followers(name_), {});
    return render(change);
  };
  if (auto failure = address(entry, {.audience = *to}, body))
    return failure;
  context.log.push_back(std::move(entry));
  return done();
}

caf::expected<caf::unit_t> acting_account::vote(write_context& context, post_id id,
                                                const std::vector<std::int64_t>& choices) {
  if (auto failure = begin(context))
    return failure;
  const auto row = visible_post(context.db, id);
  if (!row)
    return row.error();
  const auto poll = find_poll(context.db, row->id, id_, context.now);
  if (!poll)
    return poll.error();
  if (row->author == id_)
    return refused("You cannot vote in your own polls");
  if (choices.empty())
    return refused("Choices can't be blank");
  const auto author = author_of(context.db, *row);
  if (!author)
    return author.error();
  // A choice that is refused takes the others back: the change is one.
  for (const auto choice : choices) {
    if (auto failure = store_vote(context.db, row->id, id_, choice, context.now))
      return failure;
    if (!author->is_local())
      if (auto failure =
              send_vote(context, *row, *author, poll->options[static_cast<std::size_t>(choice)]))
        return failure;
  }
  if (author->is_local()) {
    auto entry = draft_of(log_kind::vote, between(object_kind::vote, id_, row->id));
    entry.is_public = false;
    context.log.push_back(std::move(entry));
  }
  return done();
}

/// Appends the row of one choice, for the server that counts it.
caf::error acting_account::send_vote(write_context& context, const post& poll,
                                     const account_reach& author, const std::string& option) {
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  auto entry = draft_of(log_kind::vote, between(object_kind::vote, id_, poll.id));
  entry.cls = delivery_class::direct;
  entry.is_public = false;
  entry.ap_id = urls_.other(name_, "votes", *fresh) + "/activity";
  auto to = addressees{};
  to.add(author.personal());
  auto body = [&]() -> caf::expected<std::string> {
    const auto uri = uri_of(context.db, poll);
    if (!uri)
      return uri.error();
    return render_vote({.voter = name_,
                        .poll = *uri,
                        .poll_author = author.uri,
                        .option = option,
                        .fresh = *fresh,
                        .at = context.now},
                       urls_);
  };
  if (auto failure = address(entry, std::move(to), body))
    return failure;
  context.log.push_back(std::move(entry));
  return {};
}

} // namespace trunkline
