#include "actors/inbound_plan.hpp"

#include "protocol/activity_rules.hpp"
#include "protocol/loose_members.hpp"

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
    want_post(said_.object, {.refresh = said_.type != activity_type::create});
  }

  void plan_own_word() {
    switch (said_.type) {
    case activity_type::create:
      want_account(said_.actor);
      return plan_create();
    case activity_type::update:
      return plan_update();
    case activity_type::announce:
    case activity_type::add:
      want_account(said_.actor);
      return want_post(said_.object);
    case activity_type::move:
      want_account(said_.actor);
      return want_account(said_.target, {.refresh = true});
    case activity_type::follow:
    case activity_type::like:
    case activity_type::block:
    case activity_type::flag:
      return want_account(said_.actor);
    // Of somebody unknown nothing is here that could be answered, undone or deleted; what came too
    // early is remembered without knowing who he is.
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
  struct manner {
    bool refresh = false;
    bool is_essential = true;
  };

  void plan_create() {
    if (!said_.inlined)
      return want_post(said_.object);
    want_post(web_id_of(said_.inlined->find("inReplyTo")), {.is_essential = false});
  }

  /// A post that is known is edited by what was sent along; one that was only named is fetched.
  void plan_update() {
    if (said_.object == said_.actor)
      return want_account(said_.actor, {.refresh = true});
    want_account(said_.actor);
    want_post(said_.object, {.refresh = !said_.inlined});
  }

  void want_account(const std::string& id) { want_account(id, {}); }
  void want_account(const std::string& id, manner how) {
    if (is_elsewhere(id))
      plan_.fetches.push_back(
          {resolve_account{.address = id, .refresh = how.refresh}, how.is_essential});
  }

  void want_post(const std::string& id) { want_post(id, {}); }
  void want_post(const std::string& id, manner how) {
    if (is_elsewhere(id))
      plan_.fetches.push_back({resolve_post{.url = id, .refresh = how.refresh}, how.is_essential});
  }

  /// Tells whether `id` is another server's, and notes when that is not the sender.
  bool is_elsewhere(const std::string& id) {
    const auto url = parse_remote_url(id, {.allow_http = true});
    if (!url || is_own_id(id, place_.own_origin))
      return false;
    plan_.asks_others = plan_.asks_others || url->host != place_.sender;
    return true;
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
