/// What filters see of activities and posts of other servers, and their decisions applied to the
/// documents. Pure; what a filter wrote is HTML like any sender's, and not sanitised yet.
#pragma once

#include "actors/content_gate.hpp"
#include "protocol/activity.hpp"
#include "protocol/json.hpp"

#include <string>

namespace trunkline {

/// Shows what another server has sent; `said` was read from `document`. Whether a post is private
/// or direct is told by its recipients alone: "direct" when it names them all.
filtered_activity show_to_filters(const json_value& document, const activity& said);

/// Shows a post that was fetched, as its author's Create.
filtered_activity show_to_filters(const remote_note& fetched);

/// Changes what was said as decided: the post that it brings, whom it is addressed to, and the
/// comment of a report. A vote has no words to change.
void apply_decision(const gate_decision& decided, activity& said);

/// Changes the document of a post.
void apply_decision(const gate_decision& decided, json_value& post);

/// A refusal's or a failure's reason, "NAME: WORDS", in its parts.
struct gate_reason {
  std::string filter;
  std::string words;
};
gate_reason reason_of(const gate_decision& decided);

} // namespace trunkline
