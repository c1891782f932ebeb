#include "actors/queries_federation.hpp"

#include "storage/federation_views.hpp"

#include <utility>

namespace trunkline {

namespace {

query<collection_of<std::string>> ask_neighbours(std::string name, graph_side side,
                                                 collection_part part, document_reader reader,
                                                 federation_view at) {
  return {
      [=, name = std::move(name), reader = std::move(reader), at = std::move(at)](database& db) {
        return load_neighbours(db, name, side, part, reader, at.urls, at.counts.get());
      }};
}

} // namespace

query<local_actor> ask_local_actor(std::string name, federation_view at) {
  return {[name = std::move(name), at = std::move(at)](database& db) {
    return load_local_actor(db, name, at.urls);
  }};
}

query<outgoing_item> ask_item(item_address address, document_reader reader, federation_view at) {
  return {[address = std::move(address), reader = std::move(reader), at = std::move(at)](
              database& db) { return load_item(db, address, reader, at.urls, at.now); }};
}

query<collection_of<outgoing_item>> ask_outbox(std::string name, collection_part part,
                                               document_reader reader, federation_view at) {
  return {
      [name = std::move(name), part, reader = std::move(reader), at = std::move(at)](database& db) {
        return load_outbox(db, name, part, reader, at.urls, at.now, at.counts.get());
      }};
}

query<collection_of<std::string>> ask_followers(std::string name, collection_part part,
                                                document_reader reader, federation_view at) {
  return ask_neighbours(std::move(name), graph_side::followers, part, std::move(reader),
                        std::move(at));
}

query<collection_of<std::string>> ask_following(std::string name, collection_part part,
                                                document_reader reader, federation_view at) {
  return ask_neighbours(std::move(name), graph_side::following, part, std::move(reader),
                        std::move(at));
}

query<collection_of<outgoing_note>> ask_featured(std::string name, document_reader reader,
                                                 federation_view at) {
  return {[name = std::move(name), reader = std::move(reader), at = std::move(at)](database& db) {
    return load_featured(db, name, reader, at.urls, at.now);
  }};
}

} // namespace trunkline
