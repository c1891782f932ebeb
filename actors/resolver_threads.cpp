#include "actors/messages.hpp"
#include "actors/resolver.hpp"
#include "actors/resolver_searches.hpp"

#include <utility>

namespace trunkline {

/// Looks for what the topmost post of the chain answers. The chain is stored from above, so that
/// each post finds what it answers.
void resolver_state::climb(const post_search_ptr& search) {
  const auto parent = without_fragment(search->chain.back().in_reply_to);
  const auto is_end = parent.empty() || search->chain.size() > options_.ancestors_max ||
                      self_->clock().now() >= search->thread_due;
  if (is_end || !search->seen.insert(parent).second)
    return store_thread(search);
  const auto url = parse_remote_url(parent, services_.fetch.rules);
  if (!url || is_own(url->host))
    return store_thread(search);
  auto question = query<post_place>{[parent, origin = services_.own.origin](database& db) {
    return look_up_post_at(db, parent, origin);
  }};
  ask_storage(self_, services_.storage, std::move(question),
              [this, search, parent](const caf::expected<post_place>& place) {
                parent_looked_up(search, parent, place);
              });
}

void resolver_state::parent_looked_up(const post_search_ptr& search, const std::string& parent,
                                      const caf::expected<post_place>& place) {
  if (!place || place->blocked || place->known)
    return store_thread(search);
  fetch(search->errand, parent, [this, search](const caf::expected<activity_document>& found) {
    take_parent(search, found);
  });
}

void resolver_state::take_parent(const post_search_ptr& search,
                                 const caf::expected<activity_document>& found) {
  if (!found)
    return store_thread(search);
  auto note = read_believable_note(found->body, services_.fetch.rules);
  if (!note)
    return store_thread(search);
  // It may have been named by its page.
  auto& answering = search->chain.back();
  if (note->id != answering.in_reply_to && !search->seen.insert(note->id).second)
    return store_thread(search);
  answering.in_reply_to = note->id;
  auto author = wish{.address = note->attributed_to};
  find_account(
      std::move(author), search->errand,
      [this, search, note = std::move(*note)](const caf::expected<account_id>& found_author) {
        if (!found_author)
          return store_thread(search);
        search->chain.push_back(note);
        search->authors.push_back(*found_author);
        climb(search);
      });
}

void resolver_state::store_thread(const post_search_ptr& search) {
  ask_storage(
      self_, services_.storage,
      store_fetched_post(search->chain.back(), search->authors.back(), fetched_here()),
      [this, search](const caf::expected<post_id>& stored) { note_stored(search, stored); });
}

/// Whatever becomes of the posts above, the one that was asked for is the answer.
void resolver_state::note_stored(const post_search_ptr& search,
                                 const caf::expected<post_id>& stored) {
  if (search->chain.size() == 1)
    return end_post(search, stored ? stored : failure_of(stored.error()));
  search->chain.pop_back();
  search->authors.pop_back();
  store_thread(search);
}

} // namespace trunkline
