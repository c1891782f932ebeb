/// What an engine tells its hooks and webhooks: plain values, times in UTC.
///
/// Events of one hook come in the order of the log (`seq`), each once; what does not fit into the
/// hook's queue is dropped and counted. Ids are Mastodon's: decimal text. Accounts of ours are
/// "name", others "name@host".
///
/// Hooks and webhooks are the operator's own programs: posts of every visibility are told, direct
/// ones too. Texts are those of the moment at which an event is made, shortly after its row: of a
/// post that was edited twice both events may have the newest text, and one that is gone by then
/// has none. Deliveries and states of hosts come beside the log, in the order in which each host
/// makes them; after a crash a delivery may be told again.
#pragma once

#include "trunkline/abi.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {
inline namespace v0 {

using event_time = std::chrono::sys_time<std::chrono::microseconds>;

/// Something that an account did, here or elsewhere, once it is applied and durable.
struct activity_event {
  std::int64_t seq = 0; ///< Its row in the log; rises by the order of commits.
  event_time at = {};
  std::string type = {}; ///< ActivityStreams' word: "Create", "Follow", "Announce", "Undo".
  std::string actor = {};
  std::string actor_id = {};
  std::string object = {}; ///< The post's or account's URI; "" when it is gone by now.
  bool local = false;      ///< Of an account of ours.
};

enum class post_change : std::uint8_t { created, edited, deleted };

struct post_event {
  std::int64_t seq = 0;
  event_time at = {};
  post_change change = post_change::created;
  std::string id = {};
  std::string uri = {}; ///< "" of a deleted post; so is everything that follows but the author.
  std::string author = {};
  std::string author_id = {};
  bool local = false;
  std::string content = {}; ///< HTML, as clients get it.
  std::string spoiler = {};
  std::string language = {};   ///< "" when unknown.
  std::string visibility = {}; ///< Mastodon's word: public, unlisted, private, direct.
  bool sensitive = false;
  std::string reply_to_id = {};
  std::vector<std::string> mentions = {}; ///< Accounts.
};

enum class delivery_change : std::uint8_t {
  delivered, ///< The host has answered 2xx.
  failed,    ///< A try has failed; there will be others.
  dead,      ///< Given up: a dead letter.
};

/// One activity and one inbox.
struct delivery_event {
  event_time at = {};
  std::int64_t seq = 0; ///< The activity's row in the log.
  delivery_change change = delivery_change::delivered;
  std::string host = {}; ///< "name" or "name:port"
  std::string inbox = {};
  int status = 0;         ///< Of the host's answer; 0 without one.
  std::string error = {}; ///< "" when it was delivered.
};

struct host_state_event {
  event_time at = {};
  std::string host = {};
  std::string state = {};  ///< The words of `trunkline host list`: "suspended", "healthy".
  std::string reason = {}; ///< "" when there is nothing to say.
};

enum class account_change : std::uint8_t { created, updated, disabled, enabled, deleted, moved };

struct account_event {
  std::int64_t seq = 0; ///< 0 for what has no row in the log.
  event_time at = {};
  account_change change = account_change::created;
  std::string id = {};
  std::string account = {};
  bool local = false;
};

struct hook_options {
  std::size_t queue_max =
      1'024; ///< Events that wait; more are dropped, the newest first. 1 to 65,536.
};

/// How one hook does.
struct hook_report {
  std::string event; ///< "activity", "post", "delivery", "host_state", "account"
  std::uint64_t called = 0;
  std::uint64_t dropped = 0; ///< The queue was full.
  std::uint64_t failed = 0;  ///< Calls that threw.
  std::size_t waiting = 0;
  std::chrono::milliseconds busy{0}; ///< Since the present call began; 0 between calls.
};

} // namespace v0
} // namespace trunkline
