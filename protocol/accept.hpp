/// Which form of a thing a client asks for: the document for servers, or the page for people.
#pragma once

#include <string_view>

namespace trunkline {

/// Tells whether the value of an Accept header prefers an ActivityStreams document:
/// `application/activity+json`, or `application/ld+json` with the profile of ActivityStreams,
/// wanted at least as much as `text/html`. What cannot be read is ignored; ranges ("*/*") ask for
/// no document.
bool prefers_activity(std::string_view accept);

} // namespace trunkline
