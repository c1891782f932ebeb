/// Judges an activity at its arrival: whose word it is, and about whose things.
///
/// A server is believed about itself alone: signer and actor are the same, and the actor, the
/// activity and what it makes, changes or deletes share an origin. What somebody else passes on is
/// a hint at most: the object's own server is asked. Nothing here looks at what is stored; whether
/// an object belongs to the actor is judged once more where it is applied.
#pragma once

#include "protocol/activity.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline {

enum class activity_verdict : std::uint8_t {
  apply,  ///< The signer's word about what is his.
  fetch,  ///< A hint: its object is to be fetched from its own server, nothing else is believed.
  ignore, ///< Has no effect here, whatever it says: accepted and forgotten.
  refuse, ///< The signer may not say this.
};

struct activity_judgement {
  activity_verdict verdict = activity_verdict::apply;
  std::string_view reason; ///< Names the member and what is wrong with it; "" with `apply`.
};

/// Judges what `signer` (an actor's id) has sent. `own_origin` begins the ids of ours:
/// "https://example.org". Takes time linear in the activity.
activity_judgement judge_activity(const activity& said, std::string_view signer,
                                  std::string_view own_origin);

/// Tells whether it is what an account says at its end: a Delete of its own actor.
bool is_farewell(const activity& said);

/// Tells whether `id` is one of ours.
bool is_own_id(std::string_view id, std::string_view own_origin);

/// Tells whether a document has the type of an actor.
bool is_actor_document(const json_value& document);

} // namespace trunkline
