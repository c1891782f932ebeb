/// What nodes ask of each other's hosts, as it travels: a document to fetch, and what came of it.
///
/// Pure code. Readers take bytes of a peer: they fail with `errc::malformed`.
#pragma once

#include "actors/remote_host_messages.hpp"

#include <caf/expected.hpp>

#include <string>
#include <string_view>

namespace trunkline {

std::string encode(const host_address& host);
caf::expected<host_address> decode_host(std::string_view bytes);

std::string encode(const fetch_document& wanted);
caf::expected<fetch_document> decode_fetch(std::string_view bytes);

/// A failure of the host keeps its code, its words and until when it holds.
std::string encode(const caf::expected<fetched_document>& outcome);

/// Returns what was encoded, the failure of the host included.
caf::expected<fetched_document> decode_fetched(std::string_view bytes);

} // namespace trunkline
