#include "actors/messages.hpp"
#include "actors/resolver.hpp"
#include "actors/resolver_searches.hpp"

#include <caf/after.hpp>
#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// Answers its one message after `delay`, and ends.
caf::behavior wait_once(caf::event_based_actor* self, std::chrono::nanoseconds delay) {
  return {[self, delay](caf::unit_t) {
    auto reply = self->make_response_promise();
    self->become(caf::after(delay) >> [self, reply]() mutable {
      reply.deliver(caf::unit);
      self->quit();
    });
    return reply;
  }};
}

/// Those of the accounts that a post names which nobody here has heard of, few of them.
caf::expected<std::vector<std::string>> find_strangers(database& db, const remote_note& note,
                                                       std::size_t limit) {
  auto strangers = std::vector<std::string>{};
  const auto looked_at = std::min(note.mentions.size(), 4 * limit);
  for (auto i = std::size_t{0}; i < looked_at && strangers.size() < limit; ++i) {
    const auto known = find_account_by_uri(db, note.mentions[i]);
    if (!known)
      return known.error();
    if (!*known)
      strangers.push_back(note.mentions[i]);
  }
  return strangers;
}

} // namespace

/// Looks for the accounts that the post names and for the posts above it, as long as there is time;
/// then stores what was found.
void resolver_state::look_around(const post_search_ptr& search) {
  const auto& note = search->chain.front();
  if (note.mentions.empty() && note.in_reply_to.empty())
    return store_thread(search);
  search->seen.insert(note.id);
  search->is_looking = true;
  const auto timer = self_->spawn(wait_once, options_.thread_time);
  self_->request(timer, caf::infinite, caf::unit)
      .then([this, search] { stop_looking(search); },
            [this, search](const caf::error&) { stop_looking(search); });
  auto question =
      query<std::vector<std::string>>{[note, limit = options_.strangers_max](database& db) {
        return find_strangers(db, note, limit);
      }};
  ask_storage(self_, services_.storage, std::move(question),
              [this, search](const caf::expected<std::vector<std::string>>& strangers) {
                meet(search, strangers ? *strangers : std::vector<std::string>{});
              });
}

void resolver_state::stop_looking(const post_search_ptr& search) {
  if (std::exchange(search->is_looking, false))
    store_thread(search);
}

/// Whoever of them cannot be found is not linked.
void resolver_state::meet(const post_search_ptr& search,
                          const std::vector<std::string>& strangers) {
  if (strangers.empty())
    return climb(search);
  const auto left = std::make_shared<std::size_t>(strangers.size());
  for (const auto& uri : strangers)
    find_account({.address = uri}, search->errand,
                 [this, search, left](const caf::expected<account_id>&) {
                   if (--*left == 0)
                     climb(search);
                 });
}

/// Looks for what the topmost post of the chain answers. The chain is stored from above, so that
/// each post finds what it answers.
void resolver_state::climb(const post_search_ptr& search) {
  if (!search->is_looking)
    return;
  const auto parent = without_fragment(search->chain.back().in_reply_to);
  if (parent.empty() || search->chain.size() > options_.ancestors_max ||
      !search->seen.insert(parent).second)
    return stop_looking(search);
  const auto url = parse_remote_url(parent, services_.fetch.rules);
  if (!url || is_own(url->host))
    return stop_looking(search);
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
    return stop_looking(search);
  if (search->is_looking)
    fetch(search->errand, parent, [this, search](caf::expected<activity_document> found) {
      take_parent(search, std::move(found));
    });
}

void resolver_state::take_parent(const post_search_ptr& search,
                                 caf::expected<activity_document> found) {
  if (!search->is_looking)
    return;
  if (!found)
    return stop_looking(search);
  read_judged_note(std::move(found->body), [this, search](const caf::expected<remote_note>& note) {
    take_judged_parent(search, note);
  });
}

/// What filters refuse ends the thread as what cannot be found does.
void resolver_state::take_judged_parent(const post_search_ptr& search,
                                        const caf::expected<remote_note>& note) {
  if (!search->is_looking)
    return;
  if (!note)
    return stop_looking(search);
  // It may have been named by its page.
  auto& answering = search->chain.back();
  if (note->id != answering.in_reply_to && !search->seen.insert(note->id).second)
    return stop_looking(search);
  answering.in_reply_to = note->id;
  auto author = wish{.address = note->attributed_to};
  find_account(std::move(author), search->errand,
               [this, search, found = *note](const caf::expected<account_id>& found_author) {
                 add_parent(search, found, found_author);
               });
}

void resolver_state::add_parent(const post_search_ptr& search, const remote_note& note,
                                const caf::expected<account_id>& author) {
  if (!search->is_looking)
    return;
  if (!author)
    return stop_looking(search);
  search->chain.push_back(note);
  search->authors.push_back(*author);
  climb(search);
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
