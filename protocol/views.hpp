/// What a client is shown of accounts, posts and relations: values loaded from storage, before
/// they become JSON. Counts and flags are those of the moment and of the viewer.
#pragma once

#include "protocol/admin.hpp"
#include "protocol/codes.hpp"
#include "protocol/counts.hpp"
#include "protocol/ids.hpp"
#include "protocol/post.hpp"
#include "protocol/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct account_view {
  account_id id;
  std::string name;
  std::string domain; ///< "" for ours.
  std::string uri;
  std::string page; ///< Of a remote one, as its server names it; "" for ours.
  std::string display_name;
  std::string note;        ///< Ours: as written. Remote: HTML.
  std::string fields_json; ///< `[{"name":..,"value":..}, ..]`
  std::string avatar_url;  ///< "" for none.
  std::string header_url;  ///< "" for none.
  std::string emojis_json; ///< `[{"name":..,"url":..}, ..]`; "" for ours.
  bool locked = false;
  bool bot = false;
  bool discoverable = false;
  account_role role = account_role::user;
  time_point created_at;
  std::int64_t followers = 0;
  std::int64_t following = 0;
  std::int64_t posts = 0; ///< But for direct ones.
  std::optional<time_point> last_post_at;
};

/// What only the owner of an account sees.
/// What a post is where its author says nothing else.
struct post_defaults {
  visibility seen_by = visibility::everyone;
  bool sensitive = false;
  std::string language; ///< "" for none.
};

struct own_account_view {
  account_view shown;
  post_defaults defaults;
  std::int64_t follow_requests = 0;
};

struct app_view {
  std::string name;
  std::string website; ///< "" for none.
};

struct mention_view {
  account_id id;
  std::string name;
  std::string domain; ///< "" for ours.
  std::string uri;
  std::string page; ///< As in `account_view`.
};

/// The column `medium.kind`.
enum class medium_kind : std::uint8_t { unknown = 0, image = 1, gifv = 2, video = 3, audio = 4 };

struct medium_view {
  std::int64_t id = 0;
  medium_kind kind = medium_kind::unknown;
  std::string url;
  std::string description; ///< "" for none.
};

struct poll_view {
  std::vector<std::string> options;
  std::vector<std::int64_t> votes;    ///< Of each option.
  std::optional<std::int64_t> voters; ///< Nothing when its server does not tell.
  std::vector<std::int64_t> own_votes;
  bool multiple = false;
  bool hide_totals = false; ///< Until it has ended.
  bool ended = false;
  std::optional<time_point> expires_at;
};

/// What the viewer did with a post.
struct viewer_marks {
  bool favourited = false;
  bool boosted = false;
  bool bookmarked = false;
  bool pinned = false;
};

struct post_view {
  post row;
  std::shared_ptr<const account_view> author;
  std::optional<app_view> app;
  std::vector<mention_view> mentions;
  std::vector<std::string> tags; ///< As first written.
  std::vector<medium_view> media;
  std::optional<poll_view> poll;
  std::int64_t boosts = 0;
  std::int64_t favourites = 0;
  std::int64_t replies = 0; ///< Public and unlisted ones.
  viewer_marks marks;
  std::shared_ptr<const post_view> boosted; ///< Of a boost: what it boosts.
};

/// How the viewer and another account stand to each other.
struct relation_view {
  account_id target;
  bool following = false;
  bool requested = false;
  bool show_boosts = false;
  bool notifying = false;
  std::vector<std::string> languages; ///< Empty: all.
  bool followed_by = false;
  bool requested_by = false;
  bool blocking = false;
  bool blocked_by = false;
  bool muting = false;
  bool muting_notifications = false;
  std::optional<time_point> muting_ends;
  bool blocking_domain = false;
};

/// The posts around one post, each in the order in which a client shows them.
struct thread_view {
  std::vector<post_view> ancestors;   ///< The first of the thread comes first.
  std::vector<post_view> descendants; ///< Each before its replies.
};

/// The sizes of a thread that is shown.
struct thread_limits {
  std::int64_t ancestors = 40;
  std::int64_t descendants = 60;
  std::int64_t depth = 20;
};

/// Which posts of an account are wanted. Ids of 0 set no bound.
struct account_page {
  account_id author;
  post_id max_id;
  post_id since_id;
  post_id min_id;
  std::int64_t limit = 20;
  bool exclude_replies = false; ///< But those to the author himself.
  bool exclude_boosts = false;
  bool only_media = false;
  bool pinned = false;
  std::string tag; ///< Folded; "" for any.
};

/// A version of a post.
struct edit_view {
  time_point at;
  std::string html;
  std::string spoiler;
  bool sensitive = false;
};

/// What the server tells of itself.
struct server_figures {
  std::int64_t accounts = 0;         ///< Ours.
  std::int64_t posts = 0;            ///< Ours.
  std::int64_t domains = 0;          ///< Other servers known.
  std::int64_t active_month = 0;     ///< Of ours, with a post in 30 days.
  std::int64_t active_half_year = 0; ///< Of ours, with a post in 180 days.
};

/// Figures, and the account of the first admin, when there is one.
struct server_view {
  server_figures figures;
  std::vector<account_view> contact;
};

/// When something is shown, and what is known of its counts; null: everything is counted.
struct view_moment {
  time_point now;
  known_counts_ptr counts;
};

} // namespace trunkline
