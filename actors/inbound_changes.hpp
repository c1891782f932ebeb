/// What an activity of another server changes here: the one entry to its effects.
///
/// Runs on the writer's thread in the transaction of the arrival, after everything that it needs
/// was fetched and stored: what is still unknown then is of no effect here.
#pragma once

#include "actors/id_source.hpp"
#include "actors/storage_worker_messages.hpp"
#include "protocol/activity.hpp"
#include "protocol/names.hpp"
#include "storage/inbox_store.hpp"

#include <caf/error.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace trunkline {

/// What all arrivals of a node share.
struct inbound_context {
  std::string domain;             ///< `server.domain`
  url_space own;                  ///< Of our ids.
  std::shared_ptr<id_source> ids; ///< For posts, notifications and activities of ours.
  std::uint8_t slot = 0;          ///< Of this node, for the ids of fetched posts.
};

/// Applies one arrival: its effect, its notifications, and the rows of the log (a Follow's Accept
/// and a forwarded reply too) with what they say to other servers. What has no effect (unknown
/// types and objects, another's word, what was applied already) changes nothing and is no failure.
/// Does not end the arrival. An error means that it may be tried again: `unavailable`,
/// `storage_busy`; anything else is a defect or a document that nobody can apply.
/// `activity` was read from `row.body`, and its actor is `row.actor`.
caf::error apply_activity(write_context& context, const inbound_context& shared, const arrival& row,
                          const activity& activity);

} // namespace trunkline
