/// What an account does, as changes of the database: each is one unit of the writer, with the row
/// of the log that reports it.
///
/// They run on the writer's thread, those of one account in the order in which its actor handed
/// them over. Doing what is done already writes nothing and answers the same.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/id_source.hpp"
#include "actors/storage_worker_messages.hpp"
#include "protocol/graph.hpp"
#include "protocol/names.hpp"
#include "protocol/post.hpp"
#include "protocol/status_text.hpp"

#include <caf/expected.hpp>
#include <caf/unit.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// A draft that was found to be in order, with what can be known without the database.
struct checked_draft {
  post_draft draft;
  std::vector<text_entity> entities;
  bool names_somebody = false; ///< There are mentions: the HTML waits for the database.
  std::string html;            ///< "" when it waits.
};

/// Checks what a client wants to post. Fails with `errc::invalid`: blank, longer than 500
/// characters, not UTF-8, or no language code.
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
  caf::expected<caf::unit_t> answer_request(write_context& context, account_id follower,
                                            bool accepted);
  caf::expected<caf::unit_t> drop_follower(write_context& context, account_id follower);
  caf::expected<caf::unit_t> block_domain(write_context& context, const std::string& host,
                                          bool blocked);
  caf::expected<std::int64_t> report(write_context& context, const report_account& wish);
  caf::expected<caf::unit_t> change(write_context& context, const profile_changes& changes);
  caf::expected<caf::unit_t> move(write_context& context, account_id target);
  caf::expected<caf::unit_t> rotate(write_context& context, const rotate_key& wish);

  /// How long the account's own row is believed without another look.
  static constexpr auto facts_kept = std::chrono::seconds{1};

private:
  struct resolved_links;

  caf::error begin(write_context& context);
  caf::error begin_with(write_context& context, account_id target);
  caf::expected<std::int64_t> fresh_id();
  caf::expected<post_id> next_post_id(database& db);
  caf::error clear_old_keys(write_context& context);
  caf::expected<post_id> insert(write_context& context, post row, const checked_draft& draft,
                                const std::string& idempotency_key);
  caf::expected<resolved_links> resolve(database& db, const checked_draft& draft) const;
  caf::expected<post> own_post(database& db, post_id id) const;
  caf::expected<post> visible_post(database& db, post_id id) const;
  caf::expected<audience_id> audience(database& db, visibility seen_by, post_id fresh) const;
  log_draft draft_of(log_kind kind, object_key object) const;
  log_draft post_draft_of(log_kind kind, const post& row) const;
  caf::error note_relation(write_context& context, log_kind kind, object_key object,
                           std::string_view activity);
  caf::error end_follow(write_context& context, account_id follower, account_id followee);
  caf::error erase_own_boost(write_context& context, post_id boosted);

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
