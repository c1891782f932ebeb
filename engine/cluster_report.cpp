#include "engine/cluster_report.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace trunkline {

namespace {

/// The node that shares its database with nobody, as /admin/v1/nodes knows it.
constexpr auto lone_node = "1";

std::string_view word_of(node_state state) {
  switch (state) {
  case node_state::live:
    return "live";
  case node_state::leaving:
    return "leaving";
  case node_state::dead:
    return "dead";
  case node_state::left:
    return "left";
  }
  return "dead";
}

std::string name_of(const cluster_node& node) {
  return node.name.empty() ? std::to_string(node.id) : node.name;
}

json_object line_of(const cluster_node& node, const cluster_view& view) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::floor<milliseconds>(node.lease_until - view.now).count();
  auto line = json_object{
      {"id", std::to_string(node.id)},
      {"name", name_of(node)},
      {"state", word_of(node.state)},
      {"incarnation", node.incarnation},
      {"serves", view.serving() == &node},
      {"shards", json_object{{"account", static_cast<std::int64_t>(node.account_shards)},
                             {"host", static_cast<std::int64_t>(node.host_shards)}}},
      {"lease_left_ms", may_write(node.state) ? std::max<std::int64_t>(left, 0) : 0},
      {"joined_at", to_iso8601(node.joined_at)}};
  if (node.refused_since)
    line["refused_since"] = to_iso8601(*node.refused_since);
  return line;
}

json_object merged(json_object line, const json_object& said) {
  for (const auto& [key, value] : said)
    line[key] = value;
  return line;
}

json_object said_by(const cluster_node& node) {
  const auto read = parse_json(node.report);
  const auto* said = read ? read->as_object() : nullptr;
  return said ? *said : json_object{};
}

json_object report(std::string node, json_value serves, json_array nodes, time_point now,
                   json_array missing) {
  const auto is_complete = missing.empty();
  return {{"node", std::move(node)},   {"serves", std::move(serves)},
          {"nodes", std::move(nodes)}, {"as_of", to_iso8601(now)},
          {"complete", is_complete},   {"missing_nodes", std::move(missing)}};
}

json_object report(const cluster_view& view, std::int64_t told_by, bool is_old, json_array nodes) {
  auto missing = json_array{};
  for (const auto& node : view.nodes)
    if (node.id != told_by && may_write(node.state) &&
        (is_old || view.now - node.tried_at > fresh_for))
      missing.emplace_back(name_of(node));
  const auto* teller = view.find(told_by);
  const auto serving = serving_name(view);
  return report(teller ? name_of(*teller) : std::to_string(told_by),
                serving.empty() ? json_value{} : json_value{serving}, std::move(nodes), view.now,
                std::move(missing));
}

json_object line_of_lone_node() {
  return {{"id", lone_node},
          {"name", lone_node},
          {"state", word_of(node_state::live)},
          {"serves", true}};
}

json_object lone_report(json_object line, time_point now) {
  auto nodes = json_array{};
  nodes.emplace_back(std::move(line));
  return report(lone_node, json_value{lone_node}, std::move(nodes), now, {});
}

/// What a node said of itself, beside what the view says of it. One that may not write any more
/// said what it did before.
json_object line_of(const cluster_node& node, const cluster_view& view, const json_object& said) {
  auto line = line_of(node, view);
  const auto member = line["state"];
  if (may_write(node.state))
    line["state"] = json_value{}; // until it says so itself
  line = merged(std::move(line), said);
  if (!may_write(node.state))
    line["state"] = member;
  line["member"] = member;
  return line;
}

} // namespace

std::string serving_name(const cluster_view& view) {
  const auto* serving = view.serving();
  return serving ? name_of(*serving) : "";
}

json_object report_of(const cluster_view& view, std::int64_t told_by, bool is_old) {
  auto nodes = json_array{};
  for (const auto& node : view.nodes)
    nodes.emplace_back(line_of(node, view));
  return report(view, told_by, is_old, std::move(nodes));
}

json_object report_of_lone_node(time_point now) {
  return lone_report(line_of_lone_node(), now);
}

json_object nodes_of(const cluster_view& view, std::int64_t told_by, bool is_old,
                     const json_object& own) {
  auto nodes = json_array{};
  for (const auto& node : view.nodes) {
    const auto is_own = node.id == told_by;
    auto line = line_of(node, view, is_own ? own : said_by(node));
    line["reported_at"] = to_iso8601(is_own ? view.now : node.tried_at);
    nodes.emplace_back(std::move(line));
  }
  return report(view, told_by, is_old, std::move(nodes));
}

json_object nodes_of_lone_node(const json_object& own, time_point now) {
  auto line = merged(line_of_lone_node(), own);
  line["member"] = word_of(node_state::live);
  line["reported_at"] = to_iso8601(now);
  return lone_report(std::move(line), now);
}

json_array shown_links(const std::map<std::string, link_facts>& links,
                       std::chrono::steady_clock::time_point at, time_point now) {
  auto shown = json_array{};
  for (const auto& [peer, facts] : links) {
    auto line = json_object{{"node", peer}};
    if (facts.round_trip)
      line["round_trip_us"] = facts.round_trip->count();
    if (!facts.is_up) {
      const auto ago = facts.since ? at - *facts.since : std::chrono::nanoseconds{0};
      line["unreachable_since"] =
          to_iso8601(now - std::chrono::duration_cast<std::chrono::microseconds>(ago));
      line["problem"] = facts.why_down;
    }
    if (facts.refused > 0)
      line["refused"] = facts.refused;
    shown.emplace_back(std::move(line));
  }
  return shown;
}

} // namespace trunkline
