/// Messages and handle of a timeline actor: pages of one account's home.
///
/// Callers send these to the timeline region, which finds or starts the actor of `account`.
#pragma once

#include "actors/ticket.hpp"
#include "protocol/ids.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

/// The part of a timeline a client asks for; ids that are 0 set no bound.
struct page_request {
  post_id max_id;          ///< Only older ones.
  post_id since_id;        ///< Only newer ones; the newest of them come first.
  post_id min_id;          ///< Only newer ones; those next to it, as Mastodon's `min_id`.
  std::int64_t limit = 20; ///< 1 to 40.
};

struct read_home {
  account_id account;
  page_request page;
  ticket admission;
};

/// Ids of posts and boosts, newest first.
struct home_page {
  std::vector<post_id> posts;
};

/// Asks a timeline actor how it is.
struct describe_timeline {
  account_id account;
};

struct timeline_report {
  account_id account;
  bool loaded = false;     ///< False: cold, rebuilt at the next read.
  std::int64_t length = 0; ///< References in the ring, at most 400.
  post_id newest;
  post_id oldest;
  std::int64_t rebuilds = 0; ///< Since the actor started.
  std::int64_t reads = 0;
  log_seq applied = 0; ///< The newest row of the log that this node's rings have seen.
  std::int64_t mailbox = 0;
};

/// INTERNAL: the idle timer of a timeline actor.
struct timeline_idle {};

using timeline_handle = caf::typed_actor<caf::replies_to<read_home>::with<home_page>,
                                         caf::replies_to<describe_timeline>::with<timeline_report>,
                                         // INTERNAL
                                         caf::reacts_to<timeline_idle>>;

} // namespace trunkline
