/// One row of the log as it travels: what changed, and what a timeline must know of it.
#pragma once

#include "protocol/codes.hpp"
#include "protocol/ids.hpp"
#include "protocol/object_key.hpp"

#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// What the filters of a timeline look at. It is immutable but for `mentions` and `language`,
/// which an edit may change.
struct post_facts {
  post_id id;
  account_id author;
  post_id boost_of;        ///< 0: no boost.
  account_id boost_author; ///< Author of the boosted post.
  post_id reply_to;        ///< 0: no reply.
  account_id reply_author; ///< Author of the post replied to; 0 when it is gone.
  visibility seen_by = visibility::everyone;
  std::string language;             ///< "" when unknown.
  std::vector<account_id> mentions; ///< Sorted; local and remote.

  friend bool operator==(const post_facts&, const post_facts&) = default;
};

/// A row to append; `seq` and the database's order come with the commit.
struct log_draft {
  log_kind kind = log_kind::create;
  account_id author;
  object_key object;
  delivery_class cls = delivery_class::bulk;
  bool is_public = true;
  audience_id audience;             ///< 0: no remote recipient but those of `extra`.
  std::optional<std::string> ap_id; ///< Ours; nothing for what came in.
  std::optional<account_id> signer;
  std::optional<std::string> body; ///< The activity's JSON; nothing without remote recipients.
  std::vector<endpoint_id> extra;  ///< Rows of `log_extra`.
  std::optional<post_facts> facts; ///< Of create, update and announce; not stored, travels only.
};

/// A committed row, without its body.
struct log_entry {
  log_seq seq = 0;
  time_point at;
  log_kind kind = log_kind::create;
  account_id author;
  object_key object;
  delivery_class cls = delivery_class::bulk;
  bool is_public = true;
  audience_id audience;
  std::vector<endpoint_id> extra;  ///< Recipients beside the audience, sorted.
  std::optional<post_facts> facts; ///< Nothing when the post is gone by now.
};

} // namespace trunkline
