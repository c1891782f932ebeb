#include "actors/inbound_plan.hpp"

#include "protocol/activity_rules.hpp"
#include "protocol/loose_members.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

class planner {
public:
  planner(const activity& said, const inbound_place& place) : said_{said}, place_{place} {}

  inbound_plan take() { return std::move(plan_); }

  /// A hint: the object's own server is asked what became of it.
  void plan_hint() {
    plan_.is_applied = false;
    want_post(said_.object, said_.type != activity_type::create, {.if_followed = true});
  }

  void plan_own_word() {
    switch (said_.type) {
    case activity_type::create:
      want_account(said_.actor);
      return plan_create();
    case activity_type::update:
      return plan_update();
    case activity_type::announce:
      want_account(said_.actor);
      return plan_announce();
    case activity_type::add:
      want_account(said_.actor);
      return want_post(said_.object, false, {.if_followed = true});
    case activity_type::move:
      want_account(said_.actor);
      return want_account(said_.target, true, {.if_followed = true});
    case activity_type::follow:
    case activity_type::like:
    case activity_type::block:
    case activity_type::flag:
      return want_account(said_.actor);
    // Of somebody unknown nothing is here that could be answered, undone or deleted.
    case activity_type::unknown:
    case activity_type::remove:
    case activity_type::accept:
    case activity_type::reject:
    case activity_type::undo:
    case activity_type::remove_from:
      return;
    }
  }

private:
  /// How badly something is wanted.
  struct want {
    bool is_essential = true;
    bool if_followed = false;
  };

  /// Whoever writes to somebody here has his words read with what they answer.
  void plan_create() {
    if (!said_.inlined)
      return want_post(said_.object, false, {.if_followed = !is_to_us()});
    want_post(web_id_of(said_.inlined->find("inReplyTo")), false,
              {.is_essential = false, .if_followed = !is_to_us()});
  }

  /// What was sent along is applied; what was only named is fetched.
  void plan_update() {
    if (said_.object == said_.actor)
      return want_account(said_.actor, true);
    want_account(said_.actor);
    if (!said_.inlined)
      want_post(said_.object, true, {.if_followed = true});
  }

  /// Groups announce whatever happens in them. Of a Create the post itself is meant; of an Update
  /// or a Delete the post's own server is asked; votes and the like are nothing to be fetched.
  void plan_announce() {
    const auto* inner = said_.inlined ? said_.inlined->find("object") : nullptr;
    if (!inner)
      return want_post(said_.object, false, {.if_followed = true});
    const auto about = web_id_of(inner);
    if (has_type(*said_.inlined, "Create"))
      return want_post(about, false, {.if_followed = true});
    if (has_type(*said_.inlined, "Update") || has_type(*said_.inlined, "Delete"))
      want_post(about, true, {.is_essential = false, .if_followed = true});
  }

  bool is_to_us() const {
    const auto is_ours = [&](const std::string& id) { return is_own_id(id, place_.own_origin); };
    return std::ranges::any_of(said_.to, is_ours) || std::ranges::any_of(said_.cc, is_ours);
  }

  void want_account(const std::string& id, bool refresh = false) { want_account(id, refresh, {}); }
  void want_account(const std::string& id, bool refresh, want how) {
    add(id, resolve_account{.address = id, .refresh = refresh}, how);
  }
  void want_post(const std::string& id, bool refresh, want how) {
    add(id, resolve_post{.url = id, .refresh = refresh}, how);
  }

  template <class Wanted>
  void add(const std::string& id, Wanted wanted, want how) {
    const auto url = parse_remote_url(id, {.allow_http = true});
    if (!url || is_own_id(id, place_.own_origin))
      return;
    plan_.fetches.push_back({.wanted = std::move(wanted),
                             .is_essential = how.is_essential,
                             .if_followed = how.if_followed,
                             .is_elsewhere = url->host != place_.sender});
  }

  const activity& said_;
  const inbound_place& place_;
  inbound_plan plan_;
};

} // namespace

inbound_plan plan_inbound(const activity& said, std::string_view signer,
                          const inbound_place& place) {
  auto steps = planner{said, place};
  if (said.actor == signer)
    steps.plan_own_word();
  else
    steps.plan_hint();
  return steps.take();
}

} // namespace trunkline
