/// What other servers are shown of us: values loaded from storage, before they become documents;
/// and who asks for them.
#pragma once

#include "protocol/activity_out.hpp"
#include "protocol/ids.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace trunkline {

/// Items of one page of a collection.
inline constexpr std::int64_t collection_page_max = 40;

/// Who asks: an actor whose key signed the request, or a stranger.
struct document_reader {
  std::string actor; ///< The actor's id; "" for a stranger.
  std::string host;  ///< The name of its host, without port.

  bool is_stranger() const { return actor.empty(); }
};

/// One of our accounts and its document; the key is "" while it has none.
struct local_actor {
  account_id id;
  outgoing_actor document;
};

/// A post, or the Announce of a boost.
using outgoing_item = std::variant<outgoing_note, plain_activity>;

/// Which post, as its address says.
struct item_address {
  std::string name; ///< Of its author, in any case.
  post_id id;
};

/// Which part of a collection is wanted: nothing, or what comes after an id (0: the first items).
struct collection_part {
  bool page = false;
  std::int64_t max_id = 0;
};

/// A collection of an account, or one page of it.
template <class Item>
struct collection_of {
  std::string owner; ///< The name, as its owner writes it.
  std::int64_t total = 0;
  std::vector<Item> items;
  std::int64_t next = 0; ///< The `max_id` of the next page; 0 at the end.
};

/// Which side of the graph.
enum class graph_side : std::uint8_t { followers, following };

} // namespace trunkline
