#include "api/admin_handlers.hpp"
#include "api/admin_host_views.hpp"
#include "api/admin_known_host.hpp"
#include "api/admin_services.hpp"
#include "api/board_answers.hpp"
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
                                                        {"latency", host_order::latency},
                                                        {"name", host_order::name}});

constexpr std::size_t part_bytes_max = 253;

caf::expected<host_order> read_order(const matched_request& request) {
  const auto text = query_value(request, "sort");
  if (text.empty())
    return host_order::backlog;
  for (const auto& row : order_words)
    if (row.word == text)
      return row.order;
  return make_error(errc::invalid, "sort: must be backlog, oldest, failures, latency or name");
}

/// Reads `state`, which may be `paused` or `behind`: those are no states, but looked for like one.
caf::error read_state(const matched_request& request, host_list_wish& wish) {
  const auto text = query_value(request, "state");
  wish.only_paused = text == "paused";
  wish.only_behind = text == "behind";
  if (text.empty() || wish.only_paused || wish.only_behind)
    return {};
  for (auto code = 1; code <= static_cast<int>(host_state::dead); ++code)
    if (const auto state = static_cast<host_state>(code); to_string(state) == text)
      wish.state = state;
  return wish.state ? caf::error{}
                    : make_error(errc::invalid,
                                 "state: must be unproven, healthy, slow, suspended, probing, "
                                 "recovering, dormant, dead, paused or behind");
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
  wish.limit = static_cast<std::size_t>(*limit);
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

std::vector<placed_host> placed(std::vector<host_line> lines, const std::string& node) {
  auto hosts = std::vector<placed_host>{};
  for (auto& line : lines)
    hosts.push_back({.node = node, .line = std::move(line)});
  return hosts;
}

http_response page_of(const gateway_state& gateway, const host_list_wish& wish,
                      const std::string& link, const std::vector<placed_host>& hosts,
                      const peers_asked& peers) {
  const auto now = gateway.services->clock();
  auto list = json_array{};
  for (const auto& host : hosts)
    list.emplace_back(render(host.line, host.node, now));
  auto shown = json_object{{"hosts", std::move(list)}};
  add_completeness(shown, peers, now);
  auto response = admin_answer_of(200, shown);
  if (hosts.size() == wish.limit)
    add_next_page(response, link, to_mark(place_of(wish.order, hosts.back().line)));
  return response;
}

} // namespace

void list_hosts(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto wish = read_wish(request);
  if (!wish)
    return refuse(gateway, reply, wish.error());
  const auto peers = all_peers(*gateway.services);
  ask_peers(gateway, peers, {*wish}, peers_deadline,
            [&gateway, peers, reply, wish = *wish,
             link = link_to_next(request)](const peer_answers& answers) {
              const auto& services = *gateway.services;
              auto hosts =
                  placed(services.board ? services.board->list(wish) : std::vector<host_line>{},
                         services.admin->node_id);
              for (const auto& [node, answer] : answers)
                for (auto& host : placed(std::get<std::vector<host_line>>(answer.what), node))
                  hosts.push_back(std::move(host));
              if (!answers.empty())
                hosts = merged(std::move(hosts), wish.order, wish.limit, finder_in(services));
              reply(page_of(gateway, wish, link, hosts, *peers));
            });
}

void show_host(gateway_state& gateway, const matched_request& request, http_reply reply) {
  with_known_host(
      gateway, {.http = request.http, .name = request.segment(), .reply = reply},
      [&gateway, reply](const host_line& host) { answer_with_host(gateway, host, reply); });
}

} // namespace trunkline
