#include "protocol/activity_rules.hpp"

#include "protocol/host_address.hpp"
#include "protocol/loose_members.hpp"

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

/// Which schemes are taken was decided when the signer's key was: here only sameness counts.
constexpr auto any_web = url_rules{.allow_http = true};

constexpr auto actor_types =
    std::to_array<std::string_view>({"Person", "Service", "Application", "Group", "Organization"});

constexpr auto accepted = activity_judgement{};

constexpr activity_judgement ignored(std::string_view reason) {
  return {activity_verdict::ignore, reason};
}

constexpr activity_judgement refused(std::string_view reason) {
  return {activity_verdict::refuse, reason};
}

/// What an activity is judged by.
struct sayer {
  const activity& said;
  std::string_view own_origin;

  bool owns(std::string_view id) const { return is_same_origin(said.actor, id, any_web); }
  bool is_ours(std::string_view id) const { return is_own_id(id, own_origin); }
};

/// Of a note that comes along: it is the actor's, and lies where he does.
activity_judgement judge_authorship(const sayer& by) {
  if (!by.owns(by.said.object))
    return refused("object: its id is of another server than the actor's");
  if (by.said.inlined && only_author_of(*by.said.inlined) != by.said.actor)
    return refused("attributedTo: is not the actor");
  return accepted;
}

activity_judgement judge_update(const sayer& by) {
  const auto is_of_actor =
      by.said.object == by.said.actor || (by.said.inlined && is_actor_document(*by.said.inlined));
  if (!is_of_actor)
    return judge_authorship(by);
  return by.said.object == by.said.actor ? accepted : refused("object: is another actor");
}

/// Accept and Reject answer a Follow of ours: named by our id, or sent along under any.
activity_judgement judge_answer(const sayer& by) {
  const auto names_us =
      by.said.inlined && by.is_ours(only_web_id_of(by.said.inlined->find("actor")));
  return names_us || by.is_ours(by.said.object)
             ? accepted
             : ignored("object: is nothing that anybody here has asked");
}

/// One undoes only what one did.
activity_judgement judge_undo(const sayer& by) {
  if (!by.said.object.empty() && !by.owns(by.said.object))
    return refused("object: is of another server than the actor's");
  const auto* doer = by.said.inlined ? by.said.inlined->find("actor") : nullptr;
  if (doer && only_web_id_of(doer) != by.said.actor)
    return refused("object: its actor is another one");
  return by.said.object.empty() && !doer ? ignored("object: says not what it was") : accepted;
}

activity_judgement judge_flag(const sayer& by) {
  const auto is_ours = [&](const std::string& id) { return by.is_ours(id); };
  return std::ranges::any_of(by.said.objects, is_ours) ? accepted
                                                       : ignored("object: is nobody here");
}

/// Of the actor's collections; only what lies where he does can be in one.
activity_judgement judge_collection(const sayer& by) {
  if (!by.owns(by.said.target))
    return refused("target: is of another server than the actor's");
  return by.owns(by.said.object) ? accepted : ignored("object: is of another server");
}

activity_judgement judge_move(const sayer& by) {
  if (by.said.object != by.said.actor)
    return refused("object: is not the actor");
  return by.said.target.empty() ? ignored("target: is absent") : accepted;
}

/// What is sent along without an id can be told by its content in these alone.
bool needs_object_id(activity_type type) {
  return type != activity_type::undo && type != activity_type::accept &&
         type != activity_type::reject && type != activity_type::flag;
}

activity_judgement judge_own_word(const sayer& by) {
  const auto& said = by.said;
  if (!said.id.empty() && !by.owns(said.id))
    return refused("id: is of another server than the actor's");
  if (said.object.empty() && needs_object_id(said.type))
    return ignored("object: has no id");
  switch (said.type) {
  case activity_type::unknown:
    return ignored("type: is none that is known here");
  case activity_type::create:
    return judge_authorship(by);
  case activity_type::update:
    return judge_update(by);
  case activity_type::remove:
    return by.owns(said.object) ? accepted : refused("object: is of another server");
  case activity_type::follow:
  case activity_type::block:
  case activity_type::like:
    return by.is_ours(said.object) ? accepted : ignored("object: is nothing of ours");
  case activity_type::accept:
  case activity_type::reject:
    return judge_answer(by);
  case activity_type::undo:
    return judge_undo(by);
  case activity_type::announce:
    return accepted;
  case activity_type::flag:
    return judge_flag(by);
  case activity_type::add:
  case activity_type::remove_from:
    return judge_collection(by);
  case activity_type::move:
    return judge_move(by);
  }
  return ignored("type: is none that is known here");
}

/// Servers pass on what answers to posts of theirs, and what becomes of it later.
activity_judgement judge_forwarded(const sayer& by) {
  const auto& said = by.said;
  const auto is_passed_on = said.type == activity_type::create ||
                            said.type == activity_type::update ||
                            said.type == activity_type::remove;
  if (!is_passed_on)
    return refused("actor: is not the one whose key signed the request");
  if (said.object == said.actor || !by.owns(said.object))
    return ignored("object: nobody can be asked about it");
  return {activity_verdict::fetch, "actor: is not the one whose key signed the request"};
}

} // namespace

activity_judgement judge_activity(const activity& said, std::string_view signer,
                                  std::string_view own_origin) {
  const auto by = sayer{said, own_origin};
  if (by.is_ours(said.actor))
    return refused("actor: is of this server");
  return said.actor == signer ? judge_own_word(by) : judge_forwarded(by);
}

bool is_farewell(const activity& said) {
  return said.type == activity_type::remove && said.object == said.actor;
}

bool is_own_id(std::string_view id, std::string_view own_origin) {
  return is_same_origin(id, own_origin, any_web);
}

bool is_actor_document(const json_value& document) {
  return !first_type_of(document, actor_types).empty();
}

} // namespace trunkline
