/// Posts of other servers: stored, edited and erased as their authors say.
///
/// Each function belongs in a transaction and makes a bounded number of statements. Text must be
/// safe already (`protocol/remote_text.hpp`). Whose word a note is has been judged by the caller;
/// that it names `author` as its own is checked here once more.
#pragma once

#include "protocol/activity.hpp"
#include "protocol/log_entry.hpp"
#include "protocol/post.hpp"
#include "storage/database.hpp"
#include "storage/remote_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// Versions of a remote post that are kept; the oldest but the first one goes.
inline constexpr std::int64_t remote_edits_max = 100;

/// Accounts of ours that a post that is not public is addressed to, beside those it names.
inline constexpr std::size_t addressed_max = 100;

/// How a note came, which decides its id.
enum class note_arrival : std::uint8_t {
  delivered, ///< An id of the moment of its arrival: it goes to the top of timelines.
  fetched    ///< An id of the moment of its publication, never later than now.
};

/// What storing a note needs beside it.
struct note_context {
  std::string own_origin; ///< "https://" and our domain, without a slash.
  fresh_id_source ids;
  std::uint8_t slot = 0; ///< Of this node: fetched posts get ids of it.
  time_point now;
};

struct stored_note {
  post row;
  std::vector<account_id> mentions; ///< Sorted.
  bool is_new = false;
};

/// Stores a note with its mentions of known accounts, tags, media and poll. A note that is stored
/// already changes nothing. Fails with `errc::conflict` when another author's post has its id,
/// `gone` when it was deleted, `forbidden` when its id is of this server, it names another author,
/// or the author is suspended.
caf::expected<stored_note> store_remote_note(database& db, const remote_note& note,
                                             const remote_account& author, note_arrival arrival,
                                             const note_context& context);

enum class note_change : std::uint8_t {
  none,
  counts, ///< Only the votes of its poll.
  edited  ///< Its text or what it shows; the version before is kept.
};

struct changed_note {
  post row;
  std::vector<account_id> mentions; ///< Sorted.
  note_change change = note_change::none;
};

/// Takes the votes of a note's poll, and what its author edited when `updated` is later than the
/// version that is stored. Fails with `not_found` when the post is unknown, `forbidden` when it is
/// another's.
caf::expected<changed_note> update_remote_note(database& db, const remote_note& note,
                                               const remote_account& author,
                                               const note_context& context);

/// Erases the post at `uri` and refuses it for ever, known or not. Returns what was erased. Fails
/// with `forbidden` when it is another's.
caf::expected<std::optional<post>> erase_remote_post(database& db, const std::string& uri,
                                                     const remote_account& author);

/// Rows of the log: of a note that was delivered, of an edit, and of a deletion. What was fetched
/// has none.
log_draft remote_create_entry(const stored_note& stored);
log_draft remote_update_entry(const changed_note& changed);
log_draft remote_delete_entry(const post& erased);

} // namespace trunkline
