/// Posts that were fetched, as changes for `ask_storage`: stored, updated, erased as their servers
/// show them.
#pragma once

#include "actors/id_source.hpp"
#include "actors/tasks.hpp"
#include "protocol/activity.hpp"
#include "protocol/post.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace trunkline {

/// What storing a fetched post takes from its node.
struct fetched_origin {
  std::string own_origin; ///< "https://" and our domain.
  std::shared_ptr<id_source> ids;
  std::uint8_t slot = 0; ///< Of this node.
};

/// Stores a post by a known author, or finds it when it is stored; nobody is told. `note` is safe.
/// Fails as `store_remote_note` does.
command<post_id> store_fetched_post(remote_note note, account_id author, fetched_origin origin);

/// Updates a post; who sees it is told of an edit. Fails as `update_remote_note` does.
command<post_id> update_fetched_post(remote_note note, account_id author, fetched_origin origin);

/// Erases a post of a remote author, for ever; who sees it is told.
command<bool> erase_fetched_post(post row);

} // namespace trunkline
