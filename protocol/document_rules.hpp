/// What counts as an ActivityPub document, and where a redirect leads. Pure text.
#pragma once

#include <string>
#include <string_view>

namespace trunkline {

/// What to send as Accept when an ActivityPub document is wanted.
inline constexpr auto activity_accept =
    std::string_view{"application/activity+json, application/ld+json; "
                     "profile=\"https://www.w3.org/ns/activitystreams\""};

/// Tells whether a Content-Type is one of ActivityPub: application/activity+json, or
/// application/ld+json whose profiles include ActivityStreams. A server that lets people upload
/// files serves those under other types, so that nobody else speaks for it.
bool is_activity_type(std::string_view content_type);

/// Returns the URL that `reference` (a Location header) means at `base`, an absolute URL: RFC 3986
/// section 5.2. The result still has to be checked with `parse_remote_url`.
std::string resolve_reference(std::string_view base, std::string_view reference);

} // namespace trunkline
