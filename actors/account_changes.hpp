/// What an account does, as changes of the database: each is one unit of the writer, with the row
/// of the log that reports it, and what that row says to other servers.
///
/// They run on the writer's thread, those of one account in the order in which its actor handed
/// them over. Doing what is done already writes nothing and answers the same. A body is rendered
/// only when somebody on another server hears it.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/addressees.hpp"
#include "actors/id_source.hpp"
#include "actors/storage_worker_messages.hpp"
#include "protocol/activity_out.hpp"
#include "protocol/names.hpp"
#include "protocol/notification.hpp"
#include "protocol/status_text.hpp"

#include <caf/expected.hpp>
#include <caf/unit.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct ended_follow;
enum class follow_change;

/// A draft that was found to be in order, with what can be known without the database.
struct checked_draft {
  post_draft draft;
  std::vector<text_entity> entities;
  bool names_somebody = false; ///< There are mentions: the HTML waits for the database.
  std::string html;            ///< "" when it waits.
};

/// Tells whether `code` is a language: "de", "zh-TW"; "" is unknown.
bool is_language_code(std::string_view code);

/// Checks what a client wants to post. Fails with `errc::invalid`: blank, longer than 500
/// characters, not UTF-8, no language code, or a poll outside the limits of `protocol/post.hpp`.
caf::expected<checked_draft> check_draft(post_draft draft, const url_space& urls);

/// The account that acts: who it is, and what its changes remember of it from one to the next. Its
/// members are touched on the writer's thread alone.
class acting_account {
public:
  acting_account(account_id id, std::string domain, url_space urls, std::shared_ptr<id_source> ids);

  account_id id() const { return id_; }
  const url_space& urls() const { return urls_; }

  /// Each fails with `forbidden` when the account is disabled and with `not_found` when it is
  /// deleted, as it was at most `facts_kept` ago; what else is said in `account_messages.hpp`.
  caf::expected<post_id> publish(write_context& context, const checked_draft& draft,
                                 const std::string& idempotency_key);
  caf::expected<post_id> edit(write_context& context, post_id post, const checked_draft& draft);
  caf::expected<caf::unit_t> remove(write_context& context, post_id post);
  caf::expected<post_id> boost(write_context& context, post_id post, visibility seen_by);
  caf::expected<caf::unit_t> unboost(write_context& context, post_id post);
  caf::expected<caf::unit_t> follow(write_context& context, account_id target,
                                    const follow_options& options);
  caf::expected<caf::unit_t> unfollow(write_context& context, account_id target);
  caf::expected<caf::unit_t> block(write_context& context, account_id target);
  caf::expected<caf::unit_t> unblock(write_context& context, account_id target);
  caf::expected<caf::unit_t> mute(write_context& context, account_id target,
                                  const mute_options& options);
  caf::expected<caf::unit_t> unmute(write_context& context, account_id target);
  caf::expected<caf::unit_t> favourite(write_context& context, post_id post);
  caf::expected<caf::unit_t> unfavourite(write_context& context, post_id post);
  caf::expected<caf::unit_t> bookmark(write_context& context, post_id post, bool kept);
  caf::expected<caf::unit_t> pin(write_context& context, post_id post, bool pinned);
  caf::expected<caf::unit_t> vote(write_context& context, post_id post,
                                  const std::vector<std::int64_t>& choices);
  /// Tells other servers of the votes in a poll of the account: an Update, or nothing when nobody
  /// elsewhere has it.
  caf::expected<caf::unit_t> tell_votes(write_context& context, post_id post);
  caf::expected<caf::unit_t> answer_request(write_context& context, account_id follower,
                                            bool accepted);
  caf::expected<caf::unit_t> drop_follower(write_context& context, account_id follower);
  /// One round: returns whether follows with the domain are left, for another one.
  caf::expected<bool> block_domain(write_context& context, const std::string& host, bool blocked);
  caf::expected<std::int64_t> report(write_context& context, const report_account& wish);
  caf::expected<caf::unit_t> change(write_context& context, const profile_changes& changes);
  caf::expected<caf::unit_t> move(write_context& context, account_id target);
  caf::expected<caf::unit_t> rotate(write_context& context, const rotate_key& wish);

  /// How long the account's own row is believed without another look.
  static constexpr auto facts_kept = std::chrono::seconds{1};

private:
  struct followed_pair;
  struct resolved_links;
  using body_source = std::function<caf::expected<std::string>()>;

  // account_changes.cpp
  caf::error begin(write_context& context);
  caf::expected<std::int64_t> fresh_id();
  caf::expected<std::string> fresh_uri(std::string_view activity);
  caf::expected<post> own_post(database& db, post_id id) const;
  caf::expected<post> visible_post(database& db, post_id id) const;
  caf::expected<std::string> uri_of(database& db, const post& row) const;
  caf::expected<audience_id> audience(database& db, visibility seen_by, post_id fresh) const;
  log_draft draft_of(log_kind kind, object_key object) const;
  log_draft post_draft_of(log_kind kind, const post& row) const;
  caf::error address(log_draft& entry, addressees to, const body_source& body) const;
  plain_activity activity_of(std::string id, std::string_view type, std::string object) const;
  caf::error notify(write_context& context, account_id owner, notification_kind kind, post_id post);
  caf::error unnotify(write_context& context, account_id owner, notification_kind kind,
                      post_id post) const;

  // account_posts.cpp
  caf::expected<post_id> next_post_id(database& db);
  caf::error clear_old_keys(write_context& context);
  caf::expected<post_id> insert(write_context& context, post row, const checked_draft& draft,
                                const std::string& idempotency_key);
  caf::expected<resolved_links> resolve(database& db, const checked_draft& draft) const;
  caf::error address_create(write_context& context, log_draft& entry, const post& row,
                            audience_id audience, const resolved_links& resolved) const;
  caf::error log_update(write_context& context, const post& after, const resolved_links& resolved,
                        const std::vector<account_reach>& named_before);
  caf::error keep_unnamed(write_context& context, const post& row,
                          const std::vector<account_reach>& before, const resolved_links& resolved);
  caf::error notify_named(write_context& context, const post& row,
                          const std::vector<account_reach>& named,
                          const std::vector<account_reach>& named_before);
  caf::error notify_boosters(write_context& context, post_id post);

  // account_interactions.cpp
  plain_activity announce_of(const post& boost, const account_reach& author,
                             std::string object) const;
  caf::error log_boost(write_context& context, const post& boost, const post& original,
                       audience_id audience_now);
  caf::error erase_own_boost(write_context& context, post_id boosted);
  caf::error log_like(write_context& context, log_kind kind, const post& liked,
                      const account_reach& author, std::string ap_id,
                      const std::function<std::string(const std::string&)>& says);
  caf::expected<post> marked_post(database& db, post_id id) const;
  caf::error check_visible(database& db, const post& row) const;
  caf::expected<post> pinnable_post(database& db, post_id id) const;
  caf::error send_vote(write_context& context, const post& poll, const account_reach& author,
                       const std::string& option);

  // account_polls.cpp
  caf::expected<addressees> who_has(database& db, const post& row) const;

  // account_relations.cpp
  caf::expected<account_reach> begin_with(write_context& context, account_id target);
  caf::error check_followable(database& db, const account_reach& target) const;
  caf::error log_relation(write_context& context, log_draft entry, const account_reach& other,
                          const std::function<std::string()>& says);
  caf::error log_follow(write_context& context, follow_change change, const account_reach& target,
                        const std::string& follow_uri);
  caf::error log_about_follow(write_context& context, log_kind kind, std::string_view activity,
                              const followed_pair& pair);
  caf::error end_follow(write_context& context, const account_reach& follower,
                        const account_reach& followee);
  caf::error log_ended(write_context& context, const ended_follow& ended);
  caf::error notify_of_acceptance(write_context& context, account_id follower);
  caf::error log_mute(write_context& context, log_kind kind, account_id target);
  account_reach self() const;
  caf::expected<bool> end_follows_with_domain(write_context& context, const std::string& host);

  // account_profile.cpp
  caf::error log_actor_update(write_context& context, log_kind kind);
  caf::expected<std::vector<std::string>> reported_posts(database& db,
                                                         const report_account& wish) const;

  const account_id id_;
  const std::string domain_;
  const url_space urls_;
  const std::shared_ptr<id_source> ids_;
  std::string name_;
  std::optional<time_point> looked_at_; ///< When the account's own row was read.
  std::optional<post_id> newest_;       ///< Not read yet: nothing.
  std::optional<time_point> keys_cleared_at_;
};

} // namespace trunkline
