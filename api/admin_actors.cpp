#include "api/admin_handlers.hpp"
#include "api/admin_services.hpp"

#include "actors/messages.hpp"
#include "actors/queries_admin.hpp"

namespace trunkline {

namespace {

json_object render(const account_report& report) {
  return {{"kind", "account"},
          {"id", to_string(report.account)},
          {"writes", report.writes},
          {"refused", report.refused},
          {"in_flight", report.in_flight},
          {"mailbox", report.mailbox},
          {"last_error", report.last_error.empty() ? json_value{} : report.last_error}};
}

json_value id_or_null(post_id id) {
  return id ? json_value{to_string(id)} : json_value{};
}

json_object render(const timeline_report& report) {
  return {{"kind", "timeline"},
          {"id", "home:" + to_string(report.account)},
          {"state", report.loaded ? "loaded" : "cold"},
          {"length", report.length},
          {"newest", id_or_null(report.newest)},
          {"oldest", id_or_null(report.oldest)},
          {"rebuilds", report.rebuilds},
          {"reads", report.reads},
          {"applied", report.applied},
          {"mailbox", report.mailbox}};
}

struct pending_report {
  std::string actor; ///< Its name in the cache: "account/12".
  api_services_ptr services;
  http_reply reply;
  http_response (*error)(const caf::error&);

  void deliver(json_object report) const {
    services->admin->reports.keep(actor, report);
    report["stale"] = false;
    report["as_of"] = to_iso8601(services->clock());
    reply(admin_answer_of(200, report));
  }

  /// An actor that is busy or broken still shows what it said last.
  void fail(const caf::error& failure) const {
    auto last = services->admin->reports.find(actor);
    if (!last || code_of(failure) == errc::not_found)
      return reply(error(failure));
    (*last)["stale"] = true;
    (*last)["problem"] = context_of(failure);
    reply(admin_answer_of(200, *last));
  }
};

/// Asks for the report of a known account's actor.
template <class Report, class Handle, class Question>
void ask_actor(gateway_state& gateway, const Handle& region, Question question,
               pending_report pending) {
  gateway.self->request(region, report_deadline, std::move(question))
      .then([pending](const Report& report) { pending.deliver(render(report)); },
            [pending](const caf::error& failure) { pending.fail(failure); });
}

/// Describes the home of `account`, if there is such a local account: an id that names nobody must
/// not start an actor.
void describe_home(gateway_state& gateway, account_id account, pending_report pending) {
  ask_actor<timeline_report>(gateway, gateway.services->timelines, describe_timeline{account},
                             std::move(pending));
}

template <class Then>
void when_known(gateway_state& gateway, account_id account, const pending_report& pending,
                Then then) {
  ask_storage(gateway.self, gateway.services->storage, ask_account(account),
              [pending, then](const caf::expected<account_overview>& found) {
                return found ? then() : pending.fail(found.error());
              });
}

caf::expected<account_id> parse_home(std::string_view text) {
  constexpr auto prefix = std::string_view{"home:"};
  if (!text.starts_with(prefix))
    return make_error(errc::not_found, "timeline '" + std::string{text} + "': not found");
  const auto id = parse_id(text.substr(prefix.size()));
  if (!id)
    return id.error();
  return account_id{*id};
}

void show_home(gateway_state& gateway, const std::string& text, http_reply reply) {
  const auto account = parse_home(text);
  if (!account)
    return reply(gateway.flavour.error(account.error()));
  const auto pending =
      pending_report{"timeline/" + text, gateway.services, reply, gateway.flavour.error};
  when_known(gateway, *account, pending,
             [&gateway, account = *account, pending] { describe_home(gateway, account, pending); });
}

} // namespace

void show_actor(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto& kind = request.segments[0];
  if (kind == "timeline")
    return show_home(gateway, request.segments[1], std::move(reply));
  const auto id = kind == "account"
                      ? parse_id(request.segments[1])
                      : caf::expected<std::int64_t>{
                            make_error(errc::not_found, "actor kind '" + kind +
                                                            "': not found; known are account and "
                                                            "timeline")};
  if (!id)
    return reply(gateway.flavour.error(id.error()));
  const auto pending = pending_report{"account/" + request.segments[1], gateway.services, reply,
                                      gateway.flavour.error};
  const auto account = account_id{*id};
  when_known(gateway, account, pending, [&gateway, account, pending] {
    ask_actor<account_report>(gateway, gateway.services->accounts, describe_account{account},
                              pending);
  });
}

void show_timeline(gateway_state& gateway, const matched_request& request, http_reply reply) {
  show_home(gateway, request.segment(), std::move(reply));
}

} // namespace trunkline
