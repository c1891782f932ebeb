// What an account tells other servers of the votes in its polls.
#include "actors/account_changes.hpp"
#include "storage/audience_store.hpp"
#include "storage/facts_store.hpp"
#include "storage/federation_views.hpp"
#include "storage/post_store.hpp"

#include <array>
#include <utility>

namespace trunkline {

/// Whoever has the post shows its figures. Who voted or answered has it as well, but hears of one
/// that is not public only while he is among those it is for.
caf::expected<addressees> acting_account::who_has(database& db, const post& row) const {
  const auto audience = audience_of(db, row.id);
  if (!audience)
    return audience.error();
  const auto named = mentioned_by(db, row.id);
  if (!named)
    return named.error();
  auto to = addressees{.audience = *audience};
  add_named(to, *named, row.seen_by);
  if (is_public(row.seen_by))
    if (auto failure = add_interactors(db, to, row.id))
      return failure;
  to.settle();
  return to;
}

caf::expected<caf::unit_t> acting_account::tell_votes(write_context& context, post_id id) {
  if (auto failure = begin(context))
    return failure;
  const auto row = own_post(context.db, id);
  if (!row)
    return row.error();
  auto to = who_has(context.db, *row);
  if (!to)
    return std::move(to.error());
  if (to->is_nobody())
    return caf::unit;
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto facts = read_facts(context.db, std::array{id});
  if (!facts)
    return facts.error();
  auto entry = post_draft_of(log_kind::update, *row);
  entry.ap_id = urls_.update(name_, id, *fresh);
  if (!facts->empty())
    entry.facts = facts->front();
  const auto body = [&]() -> caf::expected<std::string> {
    const auto note = load_outgoing_note(context.db, id, urls_, context.now);
    if (!note)
      return note.error();
    return render_update(*note, urls_, *fresh);
  };
  if (auto failure = address(entry, std::move(*to), body))
    return failure;
  context.log.push_back(std::move(entry));
  return caf::unit;
}

} // namespace trunkline
