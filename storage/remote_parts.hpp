/// The media and the poll of a remote post, which are rows of their own.
#pragma once

#include "protocol/activity.hpp"
#include "protocol/post.hpp"
#include "storage/database.hpp"
#include "storage/remote_store.hpp"

#include <span>

namespace trunkline {

/// Adds the media of a post, at their own addresses; what is at no web address is left out.
caf::error insert_media(database& db, const post& row, std::span<const note_attachment> media,
                        const fresh_id_source& ids);

/// Removes the media of a remote post.
caf::error erase_media(database& db, post_id id);

/// Adds the poll of a post with the votes that its server counted.
caf::error insert_poll(database& db, post_id id, const remote_poll& poll, time_point now);

/// Takes the votes that its server counts now. Other options take the place of those before, and
/// end the votes of ours for them, when `edited`; else they are ignored. Returns whether anything
/// changed.
caf::expected<bool> update_poll(database& db, post_id id, const remote_poll& poll, bool edited,
                                time_point now);

} // namespace trunkline
