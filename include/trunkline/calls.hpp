/// What programs do as clients do: the values of the engine's typed calls.
///
/// Ids are Mastodon's: decimal text, rising with time. Texts are UTF-8.
#pragma once

#include "trunkline/abi.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {
inline namespace v0 {

/// A local account to be made.
struct new_account {
  std::string name = {};     ///< 1 to 30 of a-z, 0-9 and '_'.
  std::string password = {}; ///< "": nobody can log in; tokens and typed calls work.
  std::string role = "user"; ///< "user" or "admin"
};

struct account_card {
  std::string id = {};
  std::string account = {}; ///< "name" of ours, "name@host" of others.
  std::string uri = {};
  std::string url = {}; ///< The page for people.
  std::string display_name = {};
  bool locked = false;
  bool bot = false;
};

enum class post_visibility : std::uint8_t { everyone, unlisted, followers, direct };

struct new_post {
  std::string text = {}; ///< Plain; @name@host mentions, #tag tags. Up to 500 characters.
  std::string spoiler = {};
  bool sensitive = false;
  post_visibility visibility = post_visibility::everyone;
  std::string language = {};    ///< ISO 639; "": the account's default.
  std::string reply_to_id = {}; ///< "" for no reply.
  /// The same key gives the same post for an hour, whatever is sent again. "": none. 255 bytes.
  std::string idempotency_key = {};
};

struct post_card {
  std::string id = {};
  std::string uri = {};
  std::string url = {};
  account_card author = {};
  std::string content = {}; ///< HTML, sanitised. Of a boost: what is boosted, as what follows.
  std::string spoiler = {};
  std::string language = {};
  bool sensitive = false;
  post_visibility visibility = post_visibility::everyone;
  std::string reply_to_id = {};
  std::vector<std::string> mentions = {}; ///< Accounts.
  std::string boost_of_id = {};           ///< "": it is no boost.
  std::chrono::sys_time<std::chrono::milliseconds> created_at = {};
  bool edited = false;
};

/// Which part of a timeline, newest first.
struct page {
  std::string max_id = {};   ///< Only older ones.
  std::string since_id = {}; ///< Only newer ones: the newest of them.
  std::string min_id = {};   ///< Only newer ones: those that follow on it.
  int limit = 20;            ///< 1 to 40
};

enum class follow_state : std::uint8_t { none, requested, following };

/// Ends a subscription when it is destroyed: afterwards no call begins, though one may still run.
/// Move-only. It may outlive the engine.
class TRUNKLINE_API subscription {
public:
  subscription() = default;
  explicit subscription(std::shared_ptr<void> held) : held_{std::move(held)} {}
  subscription(subscription&&) noexcept = default;
  subscription& operator=(subscription&&) noexcept = default;
  ~subscription() = default;

  /// Whether it was begun and not ended; an engine that is gone does not end it, but calls nobody.
  bool active() const { return held_ != nullptr; }
  void end() { held_.reset(); }

private:
  std::shared_ptr<void> held_;
};

/// Gets the new posts of a home timeline, each once, oldest first. Runs on a thread of the
/// engine's subscriptions, one call at a time; may call the engine. What comes while it runs is
/// read from the timeline afterwards: the newest 400 posts are never missed. An exception is
/// ignored.
using timeline_function = std::function<void(const post_card&)>;

} // namespace v0
} // namespace trunkline
