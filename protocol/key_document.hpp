/// What the document of a key says about whose it is. Pure.
#pragma once

#include "protocol/json.hpp"

#include <caf/expected.hpp>

#include <string>

namespace trunkline {

/// Whose key it is.
struct key_document {
  std::string actor; ///< The id of its owner, on the origin of the key.
  /// As the owner's own document has it; "" when this document is that of the key alone, and what
  /// it says counts for nothing until the owner's names the key as well.
  std::string pem;
};

/// Reads what was found at `key_id`, or at the owner that it named: an actor, of whose keys at most
/// `actor_keys_max` are looked at, or a key with an owner. Fails with `errc::unauthenticated` when
/// the document has no key of this id, or the key and its owner do not name each other on one
/// origin; with `errc::malformed` when it is neither.
caf::expected<key_document> read_key_document(const json_value& document,
                                              const std::string& key_id);

} // namespace trunkline
