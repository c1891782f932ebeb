#include "actors/messages.hpp"
#include "actors/queries_hosts.hpp"
#include "api/admin_handlers.hpp"
#include "api/handling.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace trunkline {

namespace {

struct order_word {
  std::string_view word;
  host_order order;
};

constexpr auto order_words = std::to_array<order_word>({{"backlog", host_order::backlog},
                                                        {"oldest", host_order::oldest},
                                                        {"failures", host_order::failures},
                                                        {"name", host_order::name}});

constexpr std::size_t part_bytes_max = 253;

json_value time_or_null(const std::optional<time_point>& at) {
  return at ? json_value{to_iso8601(*at)} : json_value{};
}

json_value text_or_null(std::string text) {
  return text.empty() ? json_value{} : json_value{std::move(text)};
}

/// A host as storage has it: at most a second behind its actor.
json_object render(const host_summary& host) {
  return {{"name", to_name(host.address)},
          {"origin", to_key(host.address)},
          {"state", to_string(host.facts.state)},
          {"paused", host.facts.paused},
          {"backlog", host.waiting},
          {"oldest_at", time_or_null(host.oldest_at)},
          {"fail_streak", host.facts.fail_streak},
          {"next_try_at", time_or_null(host.facts.next_try_at)},
          {"window", host.facts.window},
          {"last_ok_at", time_or_null(host.facts.last_ok_at)},
          {"exceptions", host.exceptions},
          {"dead", host.dead}};
}

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
std::string reason_of(const host_summary& host, const std::string& told) {
  if (host.facts.paused)
    return "paused by an operator: nothing is sent until it is resumed";
  if (!host.facts.next_try_at)
    return "";
  if (!told.empty())
    return told;
  const auto streak = host.facts.fail_streak;
  return "back-off after " + std::to_string(streak) + (streak == 1 ? " failure" : " failures");
}

/// An actor that was started by our question has not read yet how its host does.
bool has_begun(const host_report& report, const host_summary& host) {
  return report.state != to_string(host_state::unproven) ||
         host.facts.state == host_state::unproven;
}

/// What storage has, brought up to date by what the actor says.
host_summary with_report(host_summary host, const host_report& report) {
  if (!has_begun(report, host))
    return host;
  host.waiting = report.waiting;
  host.oldest_at = report.oldest_at;
  host.exceptions = report.exceptions;
  host.dead = report.dead;
  host.facts.paused = report.paused;
  host.facts.window = report.window;
  host.facts.next_try_at = report.next_try_at;
  host.facts.last_ok_at = report.last_ok_at;
  return host;
}

json_object render(const host_summary& stored, const host_report& report) {
  const auto host = with_report(stored, report);
  auto shown = render(host);
  if (has_begun(report, stored))
    shown["state"] = report.state; // `probing` is never stored
  shown["behind"] = report.behind;
  shown["in_flight"] = report.in_flight;
  shown["delivered"] = report.delivered;
  shown["failed"] = report.failed;
  shown["fetched"] = report.fetched;
  shown["next_try_why"] = text_or_null(reason_of(host, report.next_try_reason));
  shown["last_errors"] = render(report.last_errors);
  shown["mailbox"] = report.mailbox;
  shown["stale"] = false;
  return shown;
}

/// What is left when the actor does not answer in time.
json_object render_stale(const host_summary& host, const caf::error& failure) {
  auto shown = render(host);
  shown["next_try_why"] = text_or_null(reason_of(host, ""));
  shown["stale"] = true;
  shown["problem"] = context_of(failure);
  return shown;
}

void answer_at(const api_services& services, json_object shown, const http_reply& reply) {
  shown["as_of"] = to_iso8601(services.clock());
  reply(admin_answer_of(200, shown));
}

/// Reads the name in the path. In test mode a host may be one of http.
caf::expected<std::vector<host_address>> read_host(const matched_request& request,
                                                   bool allow_http) {
  const auto& text = request.segment();
  auto spellings = std::vector<host_address>{};
  for (const auto* scheme : {"https", "http"}) {
    auto address = parse_host_name(text, scheme);
    if (!address)
      return make_error(errc::not_found, "host '" + text + "': is no name of a host");
    spellings.push_back(std::move(*address));
    if (!allow_http)
      break;
  }
  return spellings;
}

/// Finds the host of the path, and answers when there is none: a name that nobody knows must not
/// start an actor.
template <class Then>
void with_host(gateway_state& gateway, const matched_request& request, const http_reply& reply,
               Then then) {
  if (!gateway.services->hosts)
    return refuse(gateway, reply, make_error(errc::unavailable, "hosts: this node has none"));
  auto spellings = read_host(request, gateway.services->options.test_enabled);
  if (!spellings)
    return refuse(gateway, reply, spellings.error());
  ask(gateway, ask_host(std::move(*spellings)), reply, then);
}

void describe(gateway_state& gateway, const host_summary& host, const http_reply& reply) {
  const auto services = gateway.services;
  gateway.self->request(services->hosts, report_deadline, describe_host{host.address})
      .then([services, reply, host](
                const host_report& report) { answer_at(*services, render(host, report), reply); },
            [services, reply, host](const caf::error& failure) {
              answer_at(*services, render_stale(host, failure), reply);
            });
}

/// Sends `Message` to the actor of the host, and shows the host when the change is in the database.
template <class Message>
void change_host(gateway_state& gateway, const host_address& address, const http_reply& reply) {
  ask_region<caf::unit_t>(
      gateway, gateway.services->hosts, Message{address}, reply,
      [&gateway, address, reply](caf::unit_t) {
        ask(gateway, ask_host({address}), reply,
            [&gateway, reply](const host_summary& host) { describe(gateway, host, reply); });
      });
}

template <class Message>
void change_named(gateway_state& gateway, const matched_request& request, const http_reply& reply) {
  with_host(gateway, request, reply, [&gateway, reply](const host_summary& host) {
    change_host<Message>(gateway, host.address, reply);
  });
}

caf::expected<host_order> read_order(const matched_request& request) {
  const auto text = query_value(request, "sort");
  if (text.empty())
    return host_order::backlog;
  for (const auto& row : order_words)
    if (row.word == text)
      return row.order;
  return make_error(errc::invalid, "sort: must be backlog, oldest, failures or name");
}

/// Reads `state`, which may be `paused`: that is no state, but looked for like one.
caf::error read_state(const matched_request& request, host_list_wish& wish) {
  const auto text = query_value(request, "state");
  wish.only_paused = text == "paused";
  if (text.empty() || wish.only_paused)
    return {};
  for (auto code = std::int64_t{1}; const auto state = host_state_of(code); ++code)
    if (to_string(*state) == text)
      wish.state = *state;
  return wish.state ? caf::error{}
                    : make_error(errc::invalid, "state: must be a state of a host, or paused");
}

/// The mark of a page's end: the id, and what the list is sorted by.
std::string to_mark(const host_place& place) {
  return to_string(place.id) + ":" +
         (place.name.empty() ? std::to_string(place.number) : place.name);
}

caf::expected<host_place> read_mark(const std::string& text, host_order order) {
  const auto colon = std::min(text.find(':'), text.size());
  const auto id = parse_id(text.substr(0, colon));
  auto place = host_place{};
  const auto key = colon < text.size() ? text.substr(colon + 1) : std::string{};
  const auto* end = key.data() + key.size();
  if (order == host_order::name)
    place.name = key;
  else if (std::from_chars(key.data(), end, place.number).ptr != end)
    return make_error(errc::invalid, "after: must be what the last page's link says");
  if (!id || key.empty())
    return make_error(errc::invalid, "after: must be what the last page's link says");
  place.id = host_id{*id};
  return place;
}

caf::expected<host_list_wish> read_wish(const matched_request& request) {
  auto wish = host_list_wish{};
  const auto order = read_order(request);
  const auto limit = read_limit(request);
  if (!order || !limit)
    return order ? limit.error() : order.error();
  wish.order = *order;
  wish.limit = *limit;
  if (auto failure = read_state(request, wish))
    return failure;
  wish.part = fold_name(query_value(request, "q"));
  if (wish.part.size() > part_bytes_max)
    return make_error(errc::invalid, "q: must have at most 253 bytes");
  if (const auto after = query_value(request, "after"); !after.empty()) {
    auto place = read_mark(after, wish.order);
    if (!place)
      return std::move(place.error());
    wish.after = std::move(*place);
  }
  return wish;
}

} // namespace

void list_hosts(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto wish = read_wish(request);
  if (!wish)
    return refuse(gateway, reply, wish.error());
  ask(gateway, ask_hosts(*wish), reply,
      [reply, order = wish->order, limit = wish->limit, now = gateway.services->clock(),
       link = link_to_next(request)](const std::vector<host_summary>& hosts) {
        auto list = json_array{};
        for (const auto& host : hosts)
          list.emplace_back(render(host));
        auto response = admin_answer_of(200, {{"hosts", std::move(list)},
                                              {"as_of", to_iso8601(now)},
                                              {"complete", true},
                                              {"missing_nodes", json_array{}}});
        if (std::ssize(hosts) == limit)
          add_next_page(response, link, to_mark(place_of(order, hosts.back())));
        reply(std::move(response));
      });
}

void show_host(gateway_state& gateway, const matched_request& request, http_reply reply) {
  with_host(gateway, request, reply,
            [&gateway, reply](const host_summary& host) { describe(gateway, host, reply); });
}

void pause_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_named<pause_host>(gateway, request, reply);
}

void resume_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  change_named<resume_host>(gateway, request, reply);
}

void retry_delivery(gateway_state& gateway, const matched_request& request, http_reply reply) {
  with_host(gateway, request, reply, [&gateway, reply](const host_summary& host) {
    if (host.facts.paused)
      return refuse(gateway, reply,
                    make_error(errc::conflict, "host " + to_name(host.address) +
                                                   ": is paused; resume it, which tries at once"));
    change_host<retry_host>(gateway, host.address, reply);
  });
}

} // namespace trunkline
