#include "actors/queries_inbox.hpp"

#include "storage/federation_views.hpp"
#include "storage/inbound_store.hpp"
#include "storage/inbox_store.hpp"
#include "storage/remote_store.hpp"

#include <utility>

namespace trunkline {

namespace {

/// A repetition is welcome, however many wait: its sender has missed our answer.
caf::expected<bool> add_bounded(database& db, const arrival& row, std::int64_t waiting_max) {
  const auto waiting = count_open_arrivals(db, row.host, waiting_max);
  if (!waiting)
    return waiting.error();
  if (*waiting < waiting_max)
    return add_arrival(db, row);
  const auto known = find_arrival(db, row.actor, row.ap_id);
  if (!known)
    return known.error();
  if (*known)
    return false;
  return make_error(errc::rate_limited, "inbox: too much of your server waits to be worked on");
}

} // namespace

query<bool> ask_inbox_door(inbox_visit visit, url_space own) {
  return {[visit = std::move(visit), own = std::move(own)](database& db) -> caf::expected<bool> {
    const auto is_blocked = is_host_blocked(db, visit.host);
    if (!is_blocked)
      return is_blocked.error();
    if (*is_blocked)
      return make_error(errc::forbidden, "this server takes nothing from " + visit.host);
    const auto actor = find_remote_account(db, visit.actor);
    if (!actor)
      return actor.error();
    if (*actor && (*actor)->suspended)
      return make_error(errc::forbidden, "this server takes nothing from " + visit.actor);
    if (visit.name.empty())
      return actor->has_value();
    const auto owner = load_local_actor(db, visit.name, own);
    if (!owner)
      return owner.error();
    return actor->has_value();
  }};
}

command<bool> log_arrival(new_arrival row, std::int64_t waiting_max,
                          std::shared_ptr<id_source> ids) {
  return {[row = std::move(row), waiting_max,
           ids = std::move(ids)](write_context& context) -> caf::expected<bool> {
    // Taken by the writer, so that the order of ids is the order of commits.
    const auto id = ids->next();
    if (!id)
      return id.error();
    return add_bounded(context.db,
                       {.id = *id,
                        .actor = row.signer,
                        .ap_id = row.ap_id.empty() ? hash_id(row.body) : row.ap_id,
                        .host = row.host,
                        .body = row.body,
                        .at = context.now},
                       waiting_max);
  }};
}

query<std::optional<arrival>> ask_next_arrival(std::string host,
                                               std::vector<std::int64_t> besides) {
  return {[host = std::move(host), besides = std::move(besides)](database& db) {
    return next_arrival(db, host, besides);
  }};
}

query<bool> ask_is_followed(std::string actor) {
  return {[actor = std::move(actor)](database& db) -> caf::expected<bool> {
    const auto known = find_account_by_uri(db, actor);
    if (!known)
      return known.error();
    if (!*known)
      return false;
    return has_local_follower(db, **known);
  }};
}

command<bool> give_up_arrival(std::int64_t id) {
  return {
      [id](write_context& context) { return end_arrival(context.db, id, arrival_end::given_up); }};
}

query<std::vector<std::string>> ask_waiting_inboxes(std::string after, std::size_t limit) {
  return {[after = std::move(after), limit](database& db) {
    return hosts_with_arrivals(db, after, limit);
  }};
}

} // namespace trunkline
