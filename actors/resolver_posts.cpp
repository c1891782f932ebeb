#include "actors/fetched_posts.hpp"
#include "actors/filtered_documents.hpp"
#include "actors/gate_question.hpp"
#include "actors/messages.hpp"
#include "actors/resolver.hpp"
#include "actors/resolver_searches.hpp"
#include "protocol/document_rules.hpp"
#include "protocol/errc.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/safe_remote.hpp"
#include "storage/post_store.hpp"

#include <utility>

namespace trunkline {

namespace {

caf::error no_post(const std::string& what, std::string_view why) {
  return make_error(errc::not_found, what + ": " + std::string{why});
}

/// For filters: where a fetched post is from.
activity_origin sender_of(const remote_note& note, url_rules rules) {
  const auto url = parse_remote_url(note.id, rules);
  return {.local = false, .host = url ? to_name(url->host) : "", .actor = note.attributed_to};
}

/// Returns why filters keep a post from being stored; nothing when they do not.
caf::error refusal_of(const gate_decision& decided, const std::string& post) {
  if (decided.what == gate_decision::kind::passed)
    return {};
  const auto code =
      decided.what == gate_decision::kind::refused ? errc::forbidden : errc::unavailable;
  return make_error(code, post + ": filter " + decided.reason);
}

} // namespace

caf::expected<remote_note> read_believable_note(const json_value& document, url_rules rules) {
  auto note = read_note(document);
  if (!note)
    return failure_of(note.error());
  if (note->attributed_to.empty() || !is_same_origin(note->id, note->attributed_to, rules))
    return no_post(note->id, "its author is of another server, or not one");
  if (is_vote(*note))
    return no_post(note->id, "is a vote");
  make_safe(*note);
  return note;
}

caf::expected<post_place> look_up_post_at(database& db, const std::string& uri,
                                          const std::string& own_origin) {
  auto place = post_place{};
  const auto blocked = is_host_blocked(db, host_name_of(uri));
  if (!blocked)
    return blocked.error();
  place.blocked = *blocked;
  const auto id = find_post_by_uri(db, uri, own_origin);
  if (!id)
    return id.error();
  if (!*id)
    return place;
  auto known = trunkline::find_post(db, **id);
  if (!known)
    return std::move(known.error());
  place.known = std::move(*known);
  return place;
}

void resolver_state::find_post(wish wanted, const errand_ptr& errand, post_waiter then) {
  const auto url = parse_remote_url(wanted.address, services_.fetch.rules);
  if (!url)
    return then(url.error());
  auto id = without_fragment(wanted.address);
  auto search =
      std::make_shared<post_search>(post_search{.key = wanted.refresh ? id + " again" : id,
                                                .errand = errand,
                                                .refresh = wanted.refresh,
                                                .url = std::move(id),
                                                .in_hand = std::move(wanted.in_hand)});
  if (posts_.join(search->key, std::move(then)))
    begin_post(search);
}

void resolver_state::begin_post(const post_search_ptr& search) {
  const auto url = parse_remote_url(search->url, services_.fetch.rules);
  if (!url)
    return end_post(search, failure_of(url.error()));
  if (!is_own(url->host))
    return look_up_post(search, search->url);
  find_own(url->target, [this, search](const caf::expected<resolved_thing>& found) {
    if (!found)
      return end_post(search, found.error());
    if (!found->post)
      return end_post(search, no_post(search->url, "is no post"));
    end_post(search, found->post);
  });
}

void resolver_state::look_up_post(const post_search_ptr& search, const std::string& url) {
  auto question = query<post_place>{[url, origin = services_.own.origin](database& db) {
    return look_up_post_at(db, url, origin);
  }};
  ask_storage(self_, services_.storage, std::move(question),
              [this, search](caf::expected<post_place> place) { post_looked_up(search, place); });
}

void resolver_state::post_looked_up(const post_search_ptr& search,
                                    caf::expected<post_place>& place) {
  if (!place)
    return end_post(search, failure_of(place.error()));
  if (place->blocked)
    return end_post(search, blocked_host(search->url));
  search->known = std::move(place->known);
  if (search->known && !search->refresh)
    return end_post(search, search->known->id);
  if (!search->chain.empty()) // the document was there, and had another id
    return find_author(search);
  if (search->in_hand)
    return take_document(search, std::move(*search->in_hand));
  fetch(search->errand, search->url, [this, search](caf::expected<activity_document> found) {
    take_document(search, std::move(found));
  });
}

void resolver_state::take_document(const post_search_ptr& search,
                                   caf::expected<activity_document> found) {
  if (!found) {
    const auto code = code_of(found.error());
    if (search->known && (code == errc::gone || code == errc::not_found))
      return confirm_gone(search, found.error());
    return end_post(search, found.error());
  }
  if (has_type(found->body, "Tombstone"))
    return take_tombstone(search, *found);
  if (!has_type(found->body, "Create"))
    return take_note(search, std::move(found->body));
  // Only its word for which post it made; the post itself is asked of its own server.
  if (std::exchange(search->unwrapped, true))
    return end_post(search, no_post(search->url, "creates what creates"));
  search->url = without_fragment(id_of(found->body.find("object")));
  search->in_hand = nullptr;
  begin_post(search);
}

void resolver_state::take_tombstone(const post_search_ptr& search,
                                    const activity_document& document) {
  if (search->known && search->known->uri == id_of(&document.body))
    return erase_post(search);
  end_post(search, make_error(errc::gone, document.url + ": is a tombstone"));
}

void resolver_state::take_note(const post_search_ptr& search, json_value document) {
  read_judged_note(std::move(document), [this, search](caf::expected<remote_note> note) {
    if (!note)
      return end_post(search, note.error());
    take_judged_note(search, std::move(*note));
  });
}

/// Hands over a believable note as the filters leave it; they see it before it is sanitised.
void resolver_state::read_judged_note(json_value document, note_waiter then) {
  auto note = read_believable_note(document, services_.fetch.rules);
  if (!note || !services_.gate)
    return then(std::move(note));
  auto shown = show_to_filters(*read_note(document));
  ask_gate(self_, services_.gate, sender_of(*note, services_.fetch.rules), std::move(shown),
           [this, document = std::move(document), then,
            id = note->id](const gate_decision& decided) mutable {
             if (auto refusal = refusal_of(decided, id))
               return then(std::move(refusal));
             apply_decision(decided, document);
             then(read_believable_note(document, services_.fetch.rules));
           });
}

void resolver_state::take_judged_note(const post_search_ptr& search, remote_note note) {
  const auto is_named = note.id == search->url;
  if (search->known && search->known->uri != note.id)
    return end_post(search, no_post(search->url, "is another post by now"));
  search->chain.push_back(std::move(note));
  search->url = search->chain.front().id;
  if (is_named)
    return find_author(search);
  look_up_post(search, search->url);
}

void resolver_state::find_author(const post_search_ptr& search) {
  find_account(
      {.address = search->chain.front().attributed_to}, search->errand,
      [this, search](const caf::expected<account_id>& author) { author_found(search, author); });
}

void resolver_state::author_found(const post_search_ptr& search,
                                  const caf::expected<account_id>& author) {
  if (!author)
    return end_post(search, author.error());
  if (search->known)
    return update_post(search, *author);
  search->authors.push_back(*author);
  look_around(search);
}

void resolver_state::update_post(const post_search_ptr& search, account_id author) {
  auto change = update_fetched_post(search->chain.front(), author, fetched_here());
  ask_storage(self_, services_.storage, std::move(change),
              [this, search](const caf::expected<post_id>& updated) {
                end_post(search, updated ? updated : failure_of(updated.error()));
              });
}

/// A post is erased when its own address says so itself: many failures are told as "not found".
void resolver_state::confirm_gone(const post_search_ptr& search, const caf::error& failure) {
  const auto url = parse_remote_url(*search->known->uri, services_.fetch.rules);
  if (!url)
    return end_post(search, failure);
  reach(search->errand, url->host, [this, search, failure, url = *url](caf::error refusal) {
    if (refusal)
      return end_post(search, refusal);
    auto wanted = fetch_document{.host = url.host,
                                 .url = url.host.scheme + "://" + to_name(url.host) + url.target,
                                 .accept = std::string{activity_accept}};
    self_->request(services_.fetch.hosts, fetch_deadline, std::move(wanted))
        .then([this,
               search](const fetched_document& answer) { gone_answered(search, answer.status); },
              [this, search, failure](const caf::error&) { end_post(search, failure); });
  });
}

/// A server may answer 404 for what this one may not see.
void resolver_state::gone_answered(const post_search_ptr& search, int status) {
  if (status == 410 || (status == 404 && is_public(search->known->seen_by)))
    return erase_post(search);
  end_post(search, search->known->id);
}

void resolver_state::erase_post(const post_search_ptr& search) {
  ask_storage(self_, services_.storage, erase_fetched_post(*search->known),
              [this, search](const caf::expected<bool>& erased) {
                if (!erased)
                  return end_post(search, failure_of(erased.error()));
                search->known.reset();
                end_post(search, make_error(errc::gone, search->url + ": was deleted"));
              });
}

/// What is known is still known when its server does not answer.
void resolver_state::end_post(const post_search_ptr& search, const caf::expected<post_id>& result) {
  if (!result && search->known)
    return posts_.end(search->key, search->known->id);
  posts_.end(search->key, result);
}

fetched_origin resolver_state::fetched_here() const {
  return {.own_origin = services_.own.origin, .ids = services_.ids, .slot = services_.slot};
}

} // namespace trunkline
