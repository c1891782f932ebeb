/// A post: what a client hands in, and what is stored.
#pragma once

#include "protocol/codes.hpp"
#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// Limits of a poll of ours.
inline constexpr std::size_t own_poll_options_min = 2;
inline constexpr std::size_t own_poll_options_max = 4;
inline constexpr std::size_t own_poll_option_max = 50; ///< Characters.
inline constexpr auto own_poll_life_min = std::chrono::seconds{300};
inline constexpr auto own_poll_life_max = std::chrono::seconds{2'629'746}; ///< A month.

/// A poll that a client asks for.
struct poll_draft {
  std::vector<std::string> options;
  std::chrono::seconds life{0};
  bool multiple = false;
  bool hide_totals = false;
};

/// What a client asks to be posted; not validated yet.
struct post_draft {
  std::string text;
  std::string spoiler; ///< Content warning; "" for none.
  bool sensitive = false;
  visibility seen_by = visibility::everyone;
  std::string language; ///< ISO 639; "" for unknown.
  post_id reply_to;     ///< 0 for none.
  app_id app;           ///< The client; 0 for none.
  std::optional<poll_draft> poll;
};

/// A row of the `post` table.
struct post {
  post_id id;
  account_id author;
  std::optional<std::string> uri; ///< Nothing for ours: it follows from author and id.
  std::string text;               ///< As written; "" for a remote post.
  std::string html;
  std::string spoiler;
  bool sensitive = false;
  visibility seen_by = visibility::everyone;
  std::string language;
  post_id reply_to;
  account_id reply_author;
  post_id boost_of;
  account_id boost_author;
  app_id app;
  time_point created_at;
  std::optional<time_point> edited_at;
  std::string url = {};           ///< The page of a remote post; "" for ours.
  std::string emojis_json = "[]"; ///< Of a remote post: `[{"name":..,"url":..}, ..]`
};

} // namespace trunkline
