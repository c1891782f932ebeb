/// What the URL and the events of a webhook must be, whoever gives them.
///
/// Pure; any thread.
#pragma once

#include "actors/webhook_body.hpp"

#include <caf/expected.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Tells whether `text` is an absolute https URL, or an http one of a loopback address. Private
/// addresses are allowed: whoever names them may reach them.
bool is_webhook_url(std::string_view text);

/// Reads the words of events; none means all. Fails with `errc::config_invalid`, naming the word
/// and what was probably meant: "there is no event 'pots'; did you mean 'post'?".
caf::expected<event_kinds> read_event_words(const std::vector<std::string>& words);

} // namespace trunkline
