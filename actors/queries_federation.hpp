/// Questions about what other servers are shown, for `ask_storage`: the functions of
/// `storage/federation_views.hpp`, whose rules and failures apply.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/counts.hpp"
#include "protocol/outgoing.hpp"

#include <string>

namespace trunkline {

/// Where ids of ours begin, when it is, and what is known of counts; null: everything is counted.
struct federation_view {
  url_space urls;
  time_point now;
  known_counts_ptr counts;
};

query<local_actor> ask_local_actor(std::string name, federation_view at);

query<outgoing_item> ask_item(item_address address, document_reader reader, federation_view at);

query<collection_of<outgoing_item>> ask_outbox(std::string name, collection_part part,
                                               document_reader reader, federation_view at);

query<collection_of<std::string>> ask_followers(std::string name, collection_part part,
                                                document_reader reader, federation_view at);
query<collection_of<std::string>> ask_following(std::string name, collection_part part,
                                                document_reader reader, federation_view at);

query<collection_of<outgoing_note>> ask_featured(std::string name, document_reader reader,
                                                 federation_view at);

} // namespace trunkline
