#include "api/admin_known_host.hpp"

#include "actors/queries_hosts.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_host_views.hpp"
#include "api/admin_services.hpp"
#include "api/handling.hpp"
#include "api/problem.hpp"

#include <memory>
#include <utility>

namespace trunkline {

namespace {

json_array render(const std::vector<host_error>& errors) {
  auto list = json_array{};
  for (const auto& error : errors)
    list.emplace_back(
        json_object{{"at", to_iso8601(error.at)},
                    {"status", error.status ? json_value{error.status} : json_value{}},
                    {"text", error.text}});
  return list;
}

/// Says in a sentence why the next try is when it is; "" when nothing is to be tried.
std::string reason_of(const host_facts& facts, const std::string& told) {
  if (facts.paused)
    return "paused by an operator: nothing is sent until it is resumed";
  if (!facts.next_try_at)
    return "";
  if (!told.empty())
    return told;
  return "back-off after " + std::to_string(facts.fail_streak) +
         (facts.fail_streak == 1 ? " failure" : " failures");
}

std::string_view word_of(signature_scheme scheme) {
  switch (scheme) {
  case signature_scheme::unknown:
    return "unknown";
  case signature_scheme::cavage:
    return "cavage";
  case signature_scheme::rfc9421:
    return "rfc9421";
  }
  return "unknown";
}

json_object describe(const gateway_state& gateway, const host_line& host,
                     const std::string& told_reason) {
  const auto now = gateway.services->clock();
  auto shown = trunkline::render(host, gateway.services->admin->node_id, now);
  shown["next_try_why"] = text_or_null(reason_of(host.health.facts, told_reason));
  shown["signature_scheme"] = word_of(host.health.facts.scheme);
  shown["as_of"] = to_iso8601(now);
  return shown;
}

json_object describe(const gateway_state& gateway, const host_line& host,
                     const host_report& report) {
  auto shown = describe(gateway, with_report(host, report), report.next_try_reason);
  shown["sums"] = trunkline::render(host.sums); // those that belong together
  shown["delivered"] = report.delivered;
  shown["failed"] = report.failed;
  shown["fetched"] = report.fetched;
  shown["fetch_not_before"] = time_or_null(report.fetch_not_before);
  shown["last_errors"] = render(report.last_errors);
  shown["mailbox"] = report.mailbox;
  shown["stale"] = false;
  return shown;
}

/// What is left when the actor does not answer in time.
json_object describe_stale(const gateway_state& gateway, const host_line& host,
                           const caf::error& failure) {
  auto shown = describe(gateway, host, "");
  shown["stale"] = true;
  shown["problem"] = context_of(failure);
  return shown;
}

/// Reads the name in the path. In test mode a host may be one of http.
caf::expected<std::vector<host_address>> read_host(const std::string& text, bool allow_http) {
  auto spellings = std::vector<host_address>{};
  for (const auto* scheme : {"https", "http"}) {
    auto address = parse_host_name(text, scheme);
    if (address && (allow_http || address->scheme == "https"))
      spellings.push_back(std::move(*address));
  }
  if (spellings.empty())
    return make_error(errc::not_found, "host '" + text +
                                           "': is no name of a host; give example.org, or "
                                           "example.org:8443 where the port is not 443");
  return spellings;
}

/// The board's line of a host, with what operators have ordered by now: the board may be a moment
/// behind, and the next order stands on the last one.
host_line on_board(const std::shared_ptr<host_board>& board, const host_line& stored) {
  auto found = board ? board->find(stored.address) : std::nullopt;
  if (board && !found) // a row says nothing of dead letters: a line knows better
    board->load(stored);
  if (!found)
    return stored;
  const auto& row = stored.health.facts;
  auto& facts = found->health.facts;
  facts.paused = row.paused;
  facts.drained_after = row.drained_after;
  facts.drained_upto = row.drained_upto;
  facts.flushed_upto = row.flushed_upto;
  facts.limit_in_flight = row.limit_in_flight;
  facts.limit_per_s = row.limit_per_s;
  return std::move(*found);
}

/// Finds the row of a host.
void look_up(gateway_state& gateway, const std::string& name, const http_reply& reply,
             host_found then) {
  const auto& services = *gateway.services;
  if (!services.hosts)
    return refuse(gateway, reply, make_error(errc::unavailable, "hosts: this node has none"));
  auto spellings = read_host(name, services.options.test_enabled);
  if (!spellings)
    return refuse(gateway, reply, spellings.error());
  ask(gateway, ask_host(std::move(*spellings)), reply, std::move(then));
}

/// The node that passed it on and this one disagree about whose the host is.
void refuse_moving(gateway_state& gateway, const host_address& host, const http_reply& reply) {
  gateway.services->counters.refused(errc::unavailable);
  reply(problem(503, errc::unavailable,
                "host " + to_name(host) + ": is on its way to another node; nothing was done"));
}

/// What was ordered there must be seen by the next one who looks here.
void pass_on(const api_services& services, const std::string& node, const http_request& request,
             const http_reply& reply) {
  auto* admin = services.admin;
  admin->owners.pass_on(node, request, http_reply{[admin, reply](http_response response) {
                          admin->glance.forget();
                          reply(std::move(response));
                        }});
}

} // namespace

host_line with_report(host_line host, const host_report& report) {
  auto& health = host.health;
  for (auto code = 1; code <= static_cast<int>(host_state::dead); ++code)
    if (const auto state = static_cast<host_state>(code); to_string(state) == report.state)
      health.facts.state = state;
  health.facts.window = report.window;
  health.facts.next_try_at = report.next_try_at;
  health.facts.last_ok_at = report.last_ok_at;
  health.in_flight = report.in_flight;
  health.behind = report.behind;
  host.sums.pending = report.waiting + report.exceptions;
  if (report.oldest_at || report.waiting == 0) // else only the books know of what waits
    host.oldest_at = report.oldest_at;
  host.exceptions = report.exceptions;
  host.dead_letters = report.dead;
  return host;
}

void with_host_here(gateway_state& gateway, const std::string& name, const http_reply& reply,
                    host_found then) {
  look_up(gateway, name, reply,
          [board = gateway.services->board, then = std::move(then)](const host_line& stored) {
            then(on_board(board, stored));
          });
}

void with_known_host(gateway_state& gateway, const host_request& request, host_found then) {
  if (!gateway.services->admin->owners.node_of)
    return with_host_here(gateway, request.name, request.reply, std::move(then));
  auto kept = std::make_shared<const http_request>(request.http);
  look_up(gateway, request.name, request.reply,
          [&gateway, then = std::move(then), kept, reply = request.reply,
           leaves = request.leaves](const host_line& stored) {
            const auto& services = *gateway.services;
            const auto node = services.admin->owners.node_of(stored.address);
            if (node.empty())
              return then(on_board(services.board, stored));
            if (kept->is_passed_on)
              return refuse_moving(gateway, stored.address, reply);
            if (leaves)
              leaves();
            pass_on(services, node, *kept, reply);
          });
}

void answer_with_host(gateway_state& gateway, const host_line& host, const http_reply& reply) {
  gateway.self->request(gateway.services->hosts, report_deadline, describe_host{host.address})
      .then(
          [&gateway, reply, host](const host_report& report) {
            // It has looked at the board since, and may have found more there.
            const auto line = on_board(gateway.services->board, host);
            reply(admin_answer_of(200, describe(gateway, line, report)));
          },
          [&gateway, reply, host](const caf::error& failure) {
            reply(admin_answer_of(200, describe_stale(gateway, host, failure)));
          });
}

} // namespace trunkline
