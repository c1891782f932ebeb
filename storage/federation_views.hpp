/// Reads what other servers are shown: our posts, accounts and collections, as their documents
/// need them.
///
/// What the reader may not see fails as if it did not exist. Each call makes a bounded number of
/// statements, all of which may run in a transaction. Ids of ours are those of `urls`.
#pragma once

#include "protocol/counts.hpp"
#include "protocol/outgoing.hpp"
#include "storage/database.hpp"

#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Returns those of `ids` that are posts of ours, in the order of `ids`; a boost is none. Votes of
/// a running poll that hides them count 0.
caf::expected<std::vector<outgoing_note>> load_outgoing_notes(database& db,
                                                              std::span<const post_id> ids,
                                                              const url_space& urls,
                                                              time_point now);

/// Fails with `not_found`.
caf::expected<outgoing_note> load_outgoing_note(database& db, post_id id, const url_space& urls,
                                                time_point now);

/// Finds an account of ours by its name in any case, or by its id. Fails with `not_found`, or with
/// `gone` when it was deleted.
caf::expected<local_actor> load_local_actor(database& db, const std::string& name,
                                            const url_space& urls);
caf::expected<local_actor> load_local_actor(database& db, account_id id, const url_space& urls);

/// Fails with `not_found`, or with `gone` when it or its author was deleted.
caf::expected<outgoing_item> load_item(database& db, const item_address& at,
                                       const document_reader& reader, const url_space& urls,
                                       time_point now);

/// Public and unlisted posts, and boosts of such, newest first. This and the two below fail with
/// `not_found`, `gone`, or `forbidden` when the account or the server blocks the reader.
caf::expected<collection_of<outgoing_item>> load_outbox(database& db, const std::string& name,
                                                        const collection_part& part,
                                                        const document_reader& reader,
                                                        const url_space& urls, time_point now,
                                                        known_counts* counts = nullptr);

/// Ids of actors, in an order that says nothing of when they followed.
caf::expected<collection_of<std::string>>
load_neighbours(database& db, const std::string& name, graph_side side, const collection_part& part,
                const document_reader& reader, const url_space& urls,
                known_counts* counts = nullptr);

/// Pinned posts that are public or unlisted, the last pinned first; always whole.
caf::expected<collection_of<outgoing_note>> load_featured(database& db, const std::string& name,
                                                          const document_reader& reader,
                                                          const url_space& urls, time_point now);

} // namespace trunkline
