#include "actors/messages.hpp"
#include "actors/own_things.hpp"
#include "actors/resolver.hpp"
#include "actors/resolver_searches.hpp"
#include "protocol/errc.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/remote_text.hpp"
#include "protocol/safe_remote.hpp"
#include "storage/graph_store.hpp"

#include <utility>

namespace trunkline {

namespace {

caf::error no_account(const std::string& what, std::string_view why) {
  return make_error(errc::not_found, what + ": " + std::string{why});
}

caf::expected<account_place> place_of(database& db, const std::string& host,
                                      caf::expected<std::optional<remote_account>> known) {
  if (!known)
    return std::move(known.error());
  const auto blocked = is_host_blocked(db, host);
  if (!blocked)
    return blocked.error();
  return account_place{.blocked = *blocked, .known = std::move(*known)};
}

caf::expected<std::optional<remote_account>> find_named_account(database& db,
                                                                const webfinger_address& address) {
  const auto named = find_named(db, fold_name(address.name), address.host.name);
  if (!named)
    return named.error();
  if (!*named)
    return std::optional<remote_account>{};
  auto found = find_remote_account(db, (*named)->id);
  if (found && *found && (*found)->host != address.host)
    found->reset(); // another port of the host
  return found;
}

query<account_place> ask_place(const webfinger_address& address) {
  return {[address](database& db) {
    return place_of(db, address.host.name, find_named_account(db, address));
  }};
}

query<account_place> ask_place(const std::string& uri, const std::string& host) {
  return {[uri, host](database& db) { return place_of(db, host, find_remote_account(db, uri)); }};
}

/// What a name is looked up by, whoever writes it.
std::string key_of(const webfinger_address& address) {
  auto key = std::string{"@"};
  return key.append(fold_name(address.name)).append("@").append(to_key(address.host));
}

} // namespace

void resolver_state::find_account(wish wanted, const errand_ptr& errand, account_waiter then) {
  if (wanted.address.find("://") == std::string::npos)
    return find_account_named(wanted, errand, std::move(then));
  const auto url = parse_remote_url(wanted.address, services_.fetch.rules);
  if (!url)
    return then(url.error());
  if (is_own(url->host))
    return find_own(url->target,
                    [then, url = wanted.address](const caf::expected<resolved_thing>& found) {
                      if (!found)
                        return then(found.error());
                      if (!found->account)
                        return then(no_account(url, "is no account"));
                      then(found->account);
                    });
  auto search = account_search{.key = without_fragment(wanted.address),
                               .errand = errand,
                               .refresh = wanted.refresh,
                               .url = without_fragment(wanted.address),
                               .in_hand = std::move(wanted.in_hand)};
  begin_account(std::make_shared<account_search>(std::move(search)), std::move(then));
}

void resolver_state::find_account_named(const wish& wanted, const errand_ptr& errand,
                                        account_waiter then) {
  auto address = parse_address_text(wanted.address, scheme_of(wanted.address));
  if (!address)
    return then(address.error());
  if (is_own(address->host))
    return ask_storage(self_, services_.storage, ask_own_account(address->name, services_.own),
                       [then](const caf::expected<account_id>& found) {
                         then(found ? found : failure_of(found.error()));
                       });
  auto search = account_search{.key = key_of(*address),
                               .errand = errand,
                               .refresh = wanted.refresh,
                               .asked = std::move(*address)};
  begin_account(std::make_shared<account_search>(std::move(search)), std::move(then));
}

/// One search serves all who ask for the same at the same time, but for those who will not have
/// what is stored.
void resolver_state::begin_account(account_search_ptr search, account_waiter then) {
  if (search->refresh)
    search->key += " again";
  if (!accounts_.join(search->key, std::move(then)))
    return;
  auto question =
      search->asked ? ask_place(*search->asked) : ask_place(search->url, host_name_of(search->url));
  ask_storage(
      self_, services_.storage, std::move(question),
      [this, search](caf::expected<account_place> place) { account_looked_up(search, place); });
}

void resolver_state::account_looked_up(const account_search_ptr& search,
                                       caf::expected<account_place>& place) {
  if (!place)
    return end_account(search, failure_of(place.error()));
  if (place->blocked)
    return end_account(search, blocked_host(search->key));
  search->known = std::move(place->known);
  const auto is_fresh =
      search->known && search->known->fetched_at + options_.fresh_for > services_.clock();
  if (is_fresh && !search->refresh)
    return end_account(search, search->known->id);
  if (search->in_hand)
    return take_actor(search, std::move(*search->in_hand));
  if (search->known)
    return fetch_actor(search, search->known->uri);
  if (search->asked)
    return ask_name(search, *search->asked);
  fetch_actor(search, search->url);
}

void resolver_state::ask_name(const account_search_ptr& search, const webfinger_address& address) {
  finger(search->errand, address,
         [this, search, address](const caf::expected<webfinger_answer>& answer) {
           name_answered(search, address, answer);
         });
}

/// A domain may say that the account has another name, even elsewhere: that is asked once.
void resolver_state::name_answered(const account_search_ptr& search,
                                   const webfinger_address& address,
                                   const caf::expected<webfinger_answer>& answer) {
  if (!answer)
    return end_account(search, answer.error());
  if (is_same_address(answer->subject, address)) {
    search->claim = *answer;
    return fetch_actor(search, answer->selves.front());
  }
  if (std::exchange(search->renamed, true))
    return end_account(search, no_account(search->key, "its name leads from one to another"));
  ask_name(search, answer->subject);
}

void resolver_state::fetch_actor(const account_search_ptr& search, const std::string& url) {
  fetch(search->errand, url, [this, search](caf::expected<activity_document> found) {
    take_actor(search, std::move(found));
  });
}

void resolver_state::take_actor(const account_search_ptr& search,
                                caf::expected<activity_document> found) {
  if (!found && code_of(found.error()) == errc::gone)
    return actor_gone(search, found.error());
  if (!found)
    return end_account(search, found.error());
  if (has_type(found->body, "Tombstone"))
    return actor_gone(search, make_error(errc::gone, found->url + ": is a tombstone"));
  auto actor = read_actor(found->body);
  if (!actor)
    return end_account(search, failure_of(actor.error()));
  if (!is_remote_name(actor->name))
    return end_account(search, no_account(actor->id, "its name is none"));
  make_safe(*actor);
  search->actor = std::move(*actor);
  const auto& id = search->actor.id;
  if (search->known && search->known->uri == id)
    return store_actor(search, search->known->host);
  if (search->known)
    return end_account(search, no_account(search->known->uri, "is another actor by now"));
  ask_storage(
      self_, services_.storage, ask_place(id, host_name_of(id)),
      [this, search](caf::expected<account_place> place) { actor_looked_up(search, place); });
}

/// What is known here and answers 410 is taken for deleted when it does so again a day later.
void resolver_state::actor_gone(const account_search_ptr& search, const caf::error& failure) {
  if (!search->known)
    return end_account(search, failure);
  auto change = command<bool>{[uri = search->known->uri](write_context& context) {
    return note_actor_gone(context.db, uri, context.now);
  }};
  ask_storage(self_, services_.storage, std::move(change),
              [this, search, failure](const caf::expected<bool>&) {
                end_account(search, failure); // what could not be noted is noted next time
              });
}

void resolver_state::actor_looked_up(const account_search_ptr& search,
                                     caf::expected<account_place>& place) {
  if (!place)
    return end_account(search, failure_of(place.error()));
  if (place->blocked)
    return end_account(search, blocked_host(search->actor.id));
  search->known = std::move(place->known);
  if (search->known)
    return store_actor(search, search->known->host);
  confirm(search);
}

/// The way back: the actor's own host must name it, by its own name or by one of another domain
/// that names it as well.
void resolver_state::confirm(const account_search_ptr& search) {
  const auto& actor = search->actor;
  const auto url = parse_remote_url(actor.id, services_.fetch.rules);
  if (!url)
    return end_account(search, failure_of(url.error()));
  const auto home = webfinger_address{.name = actor.name, .host = url->host};
  if (search->claim && is_same_address(search->claim->subject, home) &&
      names_actor(*search->claim, actor.id))
    return store_actor(search, home.host);
  finger(search->errand, home, [this, search, home](const caf::expected<webfinger_answer>& answer) {
    home_answered(search, home, answer);
  });
}

void resolver_state::home_answered(const account_search_ptr& search, const webfinger_address& home,
                                   const caf::expected<webfinger_answer>& answer) {
  if (!answer)
    return end_account(search, answer.error());
  const auto& subject = answer->subject;
  if (!names_actor(*answer, search->actor.id) ||
      fold_name(subject.name) != fold_name(search->actor.name))
    return end_account(search, no_account(search->actor.id, "its host names another actor"));
  const auto is_claimed = search->claim && is_same_address(search->claim->subject, subject) &&
                          names_actor(*search->claim, search->actor.id);
  if (subject.host == home.host || is_claimed)
    return store_actor(search, subject.host);
  finger(search->errand, subject,
         [this, search, subject](const caf::expected<webfinger_answer>& away) {
           away_answered(search, subject, away);
         });
}

void resolver_state::away_answered(const account_search_ptr& search, const webfinger_address& away,
                                   const caf::expected<webfinger_answer>& answer) {
  if (!answer)
    return end_account(search, answer.error());
  if (!is_same_address(answer->subject, away) || !names_actor(*answer, search->actor.id))
    return end_account(search, no_account(search->actor.id, "its domain names another actor"));
  store_actor(search, away.host);
}

void resolver_state::store_actor(const account_search_ptr& search, const host_address& host) {
  auto change = command<account_id>{
      [actor = search->actor, host, ids = services_.ids](write_context& context) {
        return store_remote_account(
            context.db, actor, host, [&ids] { return ids->next(); }, context.now);
      }};
  ask_storage(self_, services_.storage, std::move(change),
              [this, search](const caf::expected<account_id>& stored) {
                end_account(search, stored ? stored : failure_of(stored.error()));
              });
}

/// What is known is still known when its host does not answer.
void resolver_state::end_account(const account_search_ptr& search,
                                 const caf::expected<account_id>& result) {
  if (!result && search->known && code_of(result.error()) != errc::gone)
    return accounts_.end(search->key, search->known->id);
  accounts_.end(search->key, result);
}

} // namespace trunkline
