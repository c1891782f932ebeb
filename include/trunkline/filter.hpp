/// Filters: what an embedder refuses or changes of activities, before they have any effect.
///
/// Pleroma's MRF is the model: a chain in the order in which it was built; the first refusal ends
/// it. Inbound, every activity passes, and every post that is fetched, as its author's "Create"; a
/// refused one is dropped and counted, the sender has had its 202. Outbound, posts, edits, boosts,
/// favourites and follows pass; the client of a refused one gets 422 with the reason, and nothing
/// is stored.
#pragma once

#include "trunkline/abi.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {
inline namespace v0 {

/// Where an activity comes from.
struct activity_origin {
  bool local = false;     ///< Of an account of ours, on its way out.
  std::string host = {};  ///< "name" or "name:port"; "" when local.
  std::string actor = {}; ///< URI.
};

/// What a filter may read, and change together with `verdict::rewrite`.
struct filtered_activity {
  std::string id = {};   ///< "" of a local one that has none yet.
  std::string type = {}; ///< "Create", "Update", "Announce", "Like", "Follow", "Delete", ...
  std::string actor = {};
  std::string object = {};      ///< URI; "" of a new local post.
  std::string object_type = {}; ///< "Note", "Question", ...; "" when only its id was sent.
  std::string in_reply_to = {};
  std::string visibility = {}; ///< public, unlisted, private, direct; "" when it is no post.
  std::vector<std::string> mentions = {};     ///< URIs; outbound as typed, "name@host".
  std::vector<std::string> tags = {};         ///< Without '#'.
  std::vector<std::string> attachments = {};  ///< URLs.
  std::vector<std::string> poll_options = {}; ///< Of a "Question".

  // May be changed:
  std::string content = {}; ///< Inbound HTML, not sanitised yet; outbound plain text, as typed.
  std::string summary = {}; ///< The content warning.
  std::string language = {};
  bool sensitive = false;
};

/// What a filter decides.
class verdict {
public:
  /// Goes on; what the filter changed in the activity is forgotten.
  static verdict accept() { return {}; }

  /// Has no effect. `reason` goes to the counters and the log, and to the client of a local one.
  static verdict reject(std::string reason) {
    auto made = verdict{};
    made.rejected_ = true;
    made.reason_ = std::move(reason);
    return made;
  }

  /// Goes on as the filter has changed it.
  static verdict rewrite() {
    auto made = verdict{};
    made.rewritten_ = true;
    return made;
  }

  /// Goes on, marked as sensitive.
  static verdict mark_sensitive() {
    auto made = verdict{};
    made.sensitive_ = true;
    return made;
  }

  /// Goes on; a public post becomes an unlisted one. An edit of ours changes no visibility.
  static verdict delist() {
    auto made = verdict{};
    made.delisted_ = true;
    return made;
  }

  /// Adds what `other` decides: `verdict::rewrite() | verdict::delist()`.
  friend verdict operator|(verdict one, const verdict& other) {
    one.rewritten_ |= other.rewritten_;
    one.sensitive_ |= other.sensitive_;
    one.delisted_ |= other.delisted_;
    if (other.rejected_)
      one = other;
    return one;
  }

  bool rejected() const { return rejected_; }
  bool rewritten() const { return rewritten_; }
  bool marks_sensitive() const { return sensitive_; }
  bool delists() const { return delisted_; }
  const std::string& reason() const { return reason_; }

private:
  bool rejected_ = false;
  bool rewritten_ = false;
  bool sensitive_ = false;
  bool delisted_ = false;
  std::string reason_;
};

/// Owned by the engine. `check` runs on a thread for the filters of this engine, one call at a
/// time; it must be pure: the same activity may come again after a crash. It must not call the
/// engine.
class TRUNKLINE_API content_filter {
public:
  virtual ~content_filter();

  /// `activity` is a copy of its own.
  virtual verdict check(const activity_origin& from, filtered_activity& activity) = 0;
};

/// What a call may take before it is counted as over its budget.
inline constexpr auto filter_budget = std::chrono::milliseconds{1};

/// What a call may take before the engine goes on without it, as `filter_failure` says.
inline constexpr auto filter_patience = std::chrono::milliseconds{250};

/// What counts when a filter throws, or does not return within `filter_patience`.
enum class filter_failure : std::uint8_t {
  open, ///< As if it had accepted.
  /// As if it had refused. Inbound, the activity is tried again later, up to 8 times in about 10
  /// minutes, while others of its server wait; outbound, the client gets 503.
  closed,
};

enum class filter_direction : std::uint8_t { inbound, outbound, both };

struct filter_options {
  std::string name = "filter"; ///< In counters, metrics and the log; letters, digits, '_' and '-'.
  filter_direction direction = filter_direction::both;
  filter_failure on_failure = filter_failure::open;
};

/// How one filter has decided since the start.
struct filter_report {
  std::string name;
  std::uint64_t checked = 0;
  std::uint64_t rejected = 0;
  std::uint64_t rewritten = 0;
  std::uint64_t marked_sensitive = 0;
  std::uint64_t delisted = 0;
  std::uint64_t failed = 0;      ///< Threw, or wrote what is no UTF-8.
  std::uint64_t over_budget = 0; ///< Took longer than `filter_budget`.
  std::uint64_t given_up = 0;    ///< Did not return within `filter_patience`, or was not asked
                                 ///< because an earlier call has not returned.
};

} // namespace v0
} // namespace trunkline
