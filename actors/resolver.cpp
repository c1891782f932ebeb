#include "actors/resolver.hpp"

#include "actors/messages.hpp"
#include "actors/own_things.hpp"
#include "actors/resolver_searches.hpp"
#include "protocol/errc.hpp"
#include "protocol/loose_members.hpp"
#include "storage/host_store.hpp"

#include <optional>
#include <utility>

namespace trunkline {

namespace {

/// What is stored under a URL.
struct url_place {
  bool blocked = false;
  account_id account;
  post_id post;
};

caf::expected<url_place> look_up_url(database& db, const std::string& url, const std::string& host,
                                     const std::string& own_origin) {
  auto place = url_place{};
  const auto blocked = is_host_blocked(db, host);
  if (!blocked)
    return blocked.error();
  place.blocked = *blocked;
  const auto account = find_account_by_uri(db, url);
  if (!account)
    return account.error();
  place.account = account->value_or(account_id{});
  const auto post = find_post_by_uri(db, url, own_origin);
  if (!post)
    return post.error();
  place.post = post->value_or(post_id{});
  return place;
}

caf::expected<host_standing> look_up_host(database& db, const host_address& host) {
  const auto blocked = is_host_blocked(db, host.name);
  if (!blocked)
    return blocked.error();
  const auto row = find_host(db, host);
  if (!row)
    return row.error();
  return host_standing{.blocked = *blocked, .known = row->has_value()};
}

} // namespace

caf::error blocked_host(const std::string& host) {
  return make_error(errc::forbidden, host + ": is blocked");
}

std::string host_name_of(const std::string& url) {
  const auto parsed = parse_remote_url(url, {.allow_http = true});
  return parsed ? parsed->host.name : std::string{};
}

caf::error failure_of(const caf::error& failure) {
  switch (code_of(failure)) {
  case errc::gone:
  case errc::timed_out:
  case errc::unavailable:
    return failure;
  case errc::storage_full:
  case errc::storage_busy:
  case errc::storage_broken:
  case errc::storage_refused:
  case errc::commit_unknown:
  case errc::unique_violation:
  case errc::crashed:
  case errc::quarantined:
    return make_error(errc::unavailable, context_of(failure));
  default:
    return make_error(errc::not_found, context_of(failure));
  }
}

std::string without_fragment(const std::string& url) {
  return url.substr(0, url.find('#'));
}

resolver_handle::behavior_type resolver_state::make_behavior(resolver_services services,
                                                             resolver_options options) {
  services_ = std::move(services);
  options_ = options;
  places_ = fetch_places{options_.errands_max, options_.host_errands_max};
  return {
      [this](resolve_account& asked) -> caf::result<account_id> {
        return answer<account_id>([&](const errand_ptr& errand, account_waiter then) {
          find_account({.address = std::move(asked.address), .refresh = asked.refresh}, errand,
                       std::move(then));
        });
      },
      [this](resolve_post& asked) -> caf::result<post_id> {
        return answer<post_id>([&](const errand_ptr& errand, post_waiter then) {
          find_post({.address = std::move(asked.url), .refresh = asked.refresh}, errand,
                    std::move(then));
        });
      },
      [this](const resolve_url& asked) -> caf::result<resolved_thing> {
        return answer<resolved_thing>(
            [&](const errand_ptr& errand, joined_answers<resolved_thing>::waiter then) {
              find_url(asked.url, errand, std::move(then));
            });
      },
  };
}

/// Lets `start` find the answer, within what one request may cost.
template <class T, class Start>
caf::result<T> resolver_state::answer(Start start) {
  if (requests_ >= options_.requests_max)
    return make_error(errc::unavailable, "resolver: too many requests wait");
  ++requests_;
  auto reply = self_->template make_response_promise<T>();
  start(std::make_shared<errand>(errand{.due = self_->clock().now() + options_.errand_time,
                                        .fetches_left = options_.fetches_max}),
        [this, reply](const caf::expected<T>& result) mutable {
          --requests_;
          if (result)
            reply.deliver(*result);
          else
            reply.deliver(result.error());
        });
  return reply;
}

void resolver_state::find_url(const std::string& url, const errand_ptr& errand,
                              joined_answers<resolved_thing>::waiter then) {
  const auto parsed = parse_remote_url(url, services_.fetch.rules);
  if (!parsed)
    return then(parsed.error());
  if (is_own(parsed->host))
    return find_own(parsed->target, std::move(then));
  const auto key = without_fragment(url);
  if (!urls_.join(key, std::move(then)))
    return;
  auto question =
      query<url_place>{[key, host = parsed->host.name, origin = services_.own.origin](
                           database& db) { return look_up_url(db, key, host, origin); }};
  ask_storage(self_, services_.storage, std::move(question),
              [this, key, errand](const caf::expected<url_place>& place) {
                if (!place)
                  return urls_.end(key, failure_of(place.error()));
                if (place->blocked)
                  return urls_.end(key, blocked_host(key));
                if (place->post)
                  return urls_.end(key, resolved_thing{.post = place->post});
                if (place->account)
                  return find_account({.address = key}, errand, account_to_url(key));
                fetch(errand, key, [this, key, errand](caf::expected<activity_document> found) {
                  take_thing(key, errand, std::move(found));
                });
              });
}

resolver_state::account_waiter resolver_state::account_to_url(const std::string& key) {
  return [this, key](const caf::expected<account_id>& found) {
    if (found)
      urls_.end(key, resolved_thing{.account = *found});
    else
      urls_.end(key, found.error());
  };
}

void resolver_state::take_thing(const std::string& key, const errand_ptr& errand,
                                caf::expected<activity_document> found) {
  if (!found)
    return urls_.end(key, found.error());
  auto document = std::make_shared<activity_document>(std::move(*found));
  const auto id = text_of(document->body.find("id"));
  auto wanted = wish{.address = id.empty() ? key : id, .in_hand = document};
  if (read_actor(document->body))
    return find_account(std::move(wanted), errand, account_to_url(key));
  find_post(std::move(wanted), errand, [this, key](const caf::expected<post_id>& post) {
    if (post)
      urls_.end(key, resolved_thing{.post = *post});
    else
      urls_.end(key, post.error());
  });
}

void resolver_state::find_own(const std::string& path,
                              joined_answers<resolved_thing>::waiter then) {
  ask_storage(self_, services_.storage, ask_own_thing(path, services_.own),
              [then = std::move(then)](const caf::expected<resolved_thing>& found) {
                then(found ? found : caf::expected<resolved_thing>{failure_of(found.error())});
              });
}

bool resolver_state::is_own(const host_address& host) const {
  const auto& own = services_.fetch.own;
  return (host.name == own.name && host.port == own.port) || to_name(host) == services_.domain;
}

/// In test mode a server with a port of its own is asked without TLS.
std::string resolver_state::scheme_of(std::string_view address) const {
  const auto domain = address.substr(std::min(address.rfind('@'), address.size() - 1) + 1);
  const auto bracket = domain.find(']');
  const auto has_port =
      domain.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
  return services_.fetch.rules.allow_http && has_port ? "http" : "https";
}

/// Takes one fetch of what the errand may cost.
caf::error resolver_state::spend(errand& errand, const host_address& host) {
  if (self_->clock().now() >= errand.due)
    return make_error(errc::timed_out, to_name(host) + ": took too long");
  if (errand.fetches_left <= 0)
    return make_error(errc::unavailable, to_name(host) + ": leads to too many fetches");
  if (!errand.place)
    errand.place = places_.take(to_key(host));
  if (!errand.place)
    return make_error(errc::unavailable, to_name(host) + ": too much is looked up there");
  --errand.fetches_left;
  return {};
}

/// Lets `then` fetch from `host`, or tells it why not.
void resolver_state::reach(const errand_ptr& errand, const host_address& host,
                           std::function<void(caf::error)> then) {
  if (is_own(host))
    return then(make_error(errc::not_found, to_name(host) + ": is this server"));
  if (auto failure = spend(*errand, host))
    return then(std::move(failure));
  if (errand->allowed.contains(host.name))
    return then({});
  auto question = query<host_standing>{[host](database& db) { return look_up_host(db, host); }};
  ask_storage(self_, services_.storage, std::move(question),
              [this, errand, host, then](caf::expected<host_standing> standing) {
                auto refusal = judge_host(host, std::move(standing));
                if (!refusal)
                  errand->allowed.insert(host.name);
                then(std::move(refusal));
              });
}

caf::error resolver_state::judge_host(const host_address& host,
                                      caf::expected<host_standing> standing) {
  if (!standing)
    return failure_of(standing.error());
  if (standing->blocked)
    return blocked_host(host.name);
  if (standing->known || services_.fetch.rules.allow_http ||
      new_hosts_.admits(host.name, self_->clock().now()))
    return {};
  return make_error(errc::unavailable, host.name + ": too many hosts of its domain are new");
}

void resolver_state::fetch(const errand_ptr& errand, const std::string& url, document_waiter then) {
  const auto parsed = parse_remote_url(url, services_.fetch.rules);
  if (!parsed)
    return then(failure_of(parsed.error()));
  reach(errand, parsed->host, [this, url, then](caf::error refusal) {
    if (refusal)
      return then(std::move(refusal));
    fetch_activity_document(self_, services_.fetch, url,
                            [then](caf::expected<activity_document> found) {
                              if (!found)
                                return then(failure_of(found.error()));
                              then(std::move(found));
                            });
  });
}

void resolver_state::finger(const errand_ptr& errand, const webfinger_address& address,
                            finger_waiter then) {
  reach(errand, address.host, [this, address, then](caf::error refusal) {
    if (refusal)
      return then(std::move(refusal));
    fetch_any(self_, services_.fetch,
              {.url = webfinger_url(address), .is_signed = false, .bytes_max = webfinger_bytes_max},
              std::string{webfinger_accept},
              [then, scheme = address.host.scheme,
               rules = services_.fetch.rules](const caf::expected<plain_document>& found) {
                if (!found)
                  return then(failure_of(found.error()));
                auto answer = read_webfinger(found->body, scheme, rules);
                if (!answer)
                  return then(failure_of(answer.error()));
                then(answer);
              });
  });
}

resolver_handle::behavior_type resolver(watched_pointer<resolver_handle, resolver_state> self,
                                        resolver_services services, resolver_options options) {
  self->set_label("resolver");
  return self->state.make_behavior(std::move(services), options);
}

} // namespace trunkline
