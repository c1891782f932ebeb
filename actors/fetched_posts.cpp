#include "actors/fetched_posts.hpp"

#include "protocol/errc.hpp"
#include "storage/remote_post_store.hpp"

#include <utility>

namespace trunkline {

namespace {

note_context context_at(const fetched_origin& origin, time_point now) {
  return {.own_origin = origin.own_origin,
          .ids = [ids = origin.ids] { return ids->next(); },
          .slot = origin.slot,
          .now = now};
}

caf::expected<remote_account> author_of(database& db, account_id id) {
  auto found = find_remote_account(db, id);
  if (!found)
    return std::move(found.error());
  if (!*found)
    return make_error(errc::not_found, "author " + to_string(id) + ": is unknown");
  return std::move(**found);
}

} // namespace

command<post_id> store_fetched_post(remote_note note, account_id author, fetched_origin origin) {
  return {[note = std::move(note), author,
           origin = std::move(origin)](write_context& context) -> caf::expected<post_id> {
    const auto by = author_of(context.db, author);
    if (!by)
      return by.error();
    const auto stored = store_remote_note(context.db, note, *by, note_arrival::fetched,
                                          context_at(origin, context.now));
    if (!stored)
      return stored.error();
    return stored->row.id;
  }};
}

command<post_id> update_fetched_post(remote_note note, account_id author, fetched_origin origin) {
  return {[note = std::move(note), author,
           origin = std::move(origin)](write_context& context) -> caf::expected<post_id> {
    const auto by = author_of(context.db, author);
    if (!by)
      return by.error();
    const auto changed = update_remote_note(context.db, note, *by, context_at(origin, context.now));
    if (!changed)
      return changed.error();
    if (changed->change == note_change::edited)
      context.log.push_back(remote_update_entry(*changed));
    return changed->row.id;
  }};
}

command<bool> erase_fetched_post(post row) {
  return {[row = std::move(row)](write_context& context) -> caf::expected<bool> {
    const auto by = author_of(context.db, row.author);
    if (!by)
      return by.error();
    const auto erased = erase_remote_post(context.db, row.uri.value_or(""), *by);
    if (!erased)
      return erased.error();
    if (*erased)
      context.log.push_back(remote_delete_entry(**erased));
    return erased->has_value();
  }};
}

} // namespace trunkline
