#include "bench/farm_control.hpp"

#include "protocol/json.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace trunkline::bench {

namespace {

std::optional<std::int64_t> number_of(std::string_view text) {
  auto number = std::int64_t{0};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size() || number < 0)
    return {};
  return number;
}

/// Reads "0-99,200"; "" for all. Nothing when it names a host that is not there.
std::optional<std::vector<bool>> hosts_of(std::string_view text, std::size_t count) {
  auto wanted = std::vector<bool>(count, text.empty());
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto first = number_of(part.substr(0, part.find('-')));
    const auto last = number_of(part.substr(part.find('-') + 1));
    if (!first || !last || *last < *first || static_cast<std::size_t>(*last) >= count)
      return {};
    std::fill(wanted.begin() + *first, wanted.begin() + *last + 1, true);
  }
  return wanted;
}

class conversation {
public:
  conversation(farm_server& farm, const farm_request& request) : farm_{farm}, request_{request} {}

  std::string answer(int& status) {
    const auto path = request_.target.substr(0, request_.target.find('?'));
    wanted_ = hosts_of(query("hosts"), farm_.hosts().size());
    auto text = wanted_ ? answer_to(path) : std::nullopt;
    if (text)
      return *text;
    status = 400;
    return R"({"error":"bad request"})";
  }

private:
  std::string_view query(std::string_view name) const { return query_of(request_.target, name); }

  std::optional<std::string> answer_to(std::string_view path) {
    if (path == "/script")
      return follow_script();
    if (path == "/key")
      return learn_key();
    if (path == "/reset")
      return reset();
    if (path == "/count")
      return to_json(counts());
    if (path == "/stats")
      return stats();
    if (path == "/hosts")
      return to_json(hosts());
    if (path == "/activities")
      return activities();
    if (path == "/arrivals")
      return arrivals();
    if (path == "/problems")
      return problems();
    return {};
  }

  std::optional<std::string> follow_script() {
    const auto script = read_script(query("mode"));
    if (!script)
      return {};
    for (std::size_t number = 0; number < wanted_->size(); ++number)
      if ((*wanted_)[number])
        farm_.follow_script(number, *script);
    return "{}";
  }

  std::optional<std::string> learn_key() {
    if (!farm_.checks().learn(query("id"), request_.body))
      return {};
    return "{}";
  }

  std::optional<std::string> reset() {
    farm_.reset();
    return "{}";
  }

  json_value counts() const {
    auto posts = std::uint64_t{0};
    auto gets = std::uint64_t{0};
    auto connections = std::uint64_t{0};
    auto open = std::uint64_t{0};
    for (const auto& host : farm_.hosts()) {
      posts += host.posts;
      gets += host.gets;
      connections += host.connections;
      open += host.open;
    }
    const auto& records = farm_.records();
    const auto& checked = farm_.checks().counted();
    return json_object{{"posts", posts},
                       {"gets", gets},
                       {"connections", connections},
                       {"open", open},
                       {"unique", records.unique()},
                       {"repeated", records.repeated()},
                       {"activities", records.activities().size()},
                       {"not_kept", records.not_kept()},
                       {"not_activities", records.not_activities()},
                       {"digests", checked.bodies},
                       {"digests_wrong", checked.digests_wrong},
                       {"signatures", checked.signatures},
                       {"signatures_wrong", checked.signatures_wrong},
                       {"keys_unknown", checked.keys_unknown}};
  }

  std::optional<std::string> stats() const {
    const auto since =
        query("since").empty() ? std::optional{std::int64_t{0}} : number_of(query("since"));
    const auto until = query("until").empty()
                           ? std::optional{std::numeric_limits<std::int64_t>::max()}
                           : number_of(query("until"));
    if (!since || !until)
      return {};
    const auto found = farm_.records().figures(*wanted_, *since, *until);
    auto posts = std::uint64_t{0};
    auto open = std::uint64_t{0};
    for (std::size_t number = 0; number < wanted_->size(); ++number) {
      const auto& host = farm_.hosts()[number];
      posts += (*wanted_)[number] ? host.posts : 0;
      open += (*wanted_)[number] ? host.open : 0;
    }
    return to_json(json_object{{"posts", posts},
                               {"open", open},
                               {"arrivals", found.arrivals},
                               {"unique", found.unique},
                               {"timed", found.timed},
                               {"p50_ms", found.p50_ms},
                               {"p90_ms", found.p90_ms},
                               {"p99_ms", found.p99_ms},
                               {"most_ms", found.most_ms},
                               {"first_ns", found.first_ns},
                               {"last_ns", found.last_ns}});
  }

  json_value hosts() const {
    auto rows = json_array{};
    for (std::size_t number = 0; number < wanted_->size(); ++number) {
      if (!(*wanted_)[number])
        continue;
      const auto& host = farm_.hosts()[number];
      rows.push_back(json_object{{"host", number},
                                 {"mode", to_text(host.script)},
                                 {"connections", host.connections},
                                 {"posts", host.posts},
                                 {"gets", host.gets},
                                 {"taken", host.taken},
                                 {"repeated", host.repeated},
                                 {"open", host.open},
                                 {"open_most", host.open_most},
                                 {"first_ns", host.first_ns},
                                 {"last_ns", host.last_ns}});
    }
    return rows;
  }

  std::string activities() const {
    auto text = std::string{};
    auto number = std::size_t{0};
    for (const auto& activity : farm_.records().activities())
      text.append(std::to_string(number++))
          .append("\t" + activity.id)
          .append("\t" + activity.type)
          .append("\t" + activity.object)
          .append("\t" + activity.object_type)
          .append("\t" + activity.marker)
          .append("\t" + std::to_string(activity.posted_ns) + "\n");
    return text;
  }

  std::string arrivals() const {
    auto text = std::string{};
    for (const auto& arrival : farm_.records().arrivals())
      if ((*wanted_)[arrival.host])
        text.append(std::to_string(arrival.host))
            .append("\t" + std::to_string(arrival.activity))
            .append("\t" + std::to_string(arrival.at_ns))
            .append(arrival.is_repeated ? "\t1\n" : "\t0\n");
    return text;
  }

  std::string problems() const {
    auto texts = json_array{};
    for (const auto& problem : farm_.checks().problems())
      texts.push_back(problem);
    return to_json(texts);
  }

  farm_server& farm_;
  const farm_request& request_;
  std::optional<std::vector<bool>> wanted_;
};

} // namespace

std::string control_farm(farm_server& farm, const farm_request& request, int& status) {
  return conversation{farm, request}.answer(status);
}

} // namespace trunkline::bench
