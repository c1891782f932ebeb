#include "engine/cluster_report.hpp"

#include "engine/process_facts.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

/// Three nodes at `now`: 1 serves, 2 stands by, 3 has died; each said so a second ago.
cluster_view view_of_three() {
  auto view = cluster_view{};
  view.now = time_point{1'000s};
  for (auto id = 1; id <= 3; ++id) {
    auto node = cluster_node{};
    node.id = id;
    node.name = "n" + std::to_string(id);
    node.tried_at = view.now - 1s;
    node.lease_until = view.now + 5s;
    node.report = R"({"version":"0.1","state":"standing_by"})";
    view.nodes.push_back(std::move(node));
  }
  view.nodes[0].account_shards = shard_count;
  view.nodes[0].host_shards = 100;
  view.nodes[1].host_shards = 156;
  view.nodes[2].state = node_state::dead;
  return view;
}

std::vector<std::string> missing_in(const json_object& shown) {
  auto names = std::vector<std::string>{};
  for (const auto& name : *shown.find("missing_nodes")->as_array())
    names.push_back(*name.as_string());
  return names;
}

std::string text_in(const json_object& shown, std::size_t node, std::string_view key) {
  return *shown.find("nodes")->as_array()->at(node).find(key)->as_string();
}

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("nodes are shown with what each said of itself", "[cluster_report]") {
  const auto view = view_of_three();
  const auto shown = nodes_of(view, 1, false, {{"version", "0.2"}, {"state", "serving"}});
  CHECK(text_in(shown, 0, "version") == "0.2"); // by now, not as it was told
  CHECK(text_in(shown, 0, "state") == "serving");
  CHECK(text_in(shown, 1, "name") == "n2");
  CHECK(text_in(shown, 1, "version") == "0.1");
  CHECK(text_in(shown, 1, "state") == "standing_by");
  CHECK(text_in(shown, 1, "member") == "live");
  CHECK(text_in(shown, 1, "reported_at") == to_iso8601(view.now - 1s));
  CHECK(text_in(shown, 2, "state") == "dead"); // whatever it said before
  CHECK(text_in(shown, 2, "member") == "dead");
  CHECK(*shown.find("node")->as_string() == "n1");
  CHECK(*shown.find("serves")->as_string() == "n1");
  CHECK(missing_in(shown).empty());
  CHECK(*shown.find("complete")->as_bool());
}

TEST_CASE("a node is shown with how many shards of each kind it owns", "[cluster_report]") {
  const auto view = view_of_three();
  for (const auto& shown : {report_of(view, 1, false), nodes_of(view, 1, false, {})}) {
    const auto shards_of = [&](std::size_t node) {
      return to_json(*shown.find("nodes")->as_array()->at(node).find("shards"));
    };
    CHECK(shards_of(0) == R"({"account":256,"host":100})");
    CHECK(shards_of(1) == R"({"account":0,"host":156})");
  }
}

TEST_CASE("a node that says nothing is missing", "[cluster_report]") {
  auto view = view_of_three();
  view.nodes[1].tried_at = view.now - 4s;
  view.nodes[1].report = "no JSON";
  const auto shown = nodes_of(view, 1, false, {});
  CHECK(missing_in(shown) == texts{"n2"});
  CHECK_FALSE(*shown.find("complete")->as_bool());
  CHECK(text_in(shown, 1, "name") == "n2");
  CHECK(shown.find("nodes")->as_array()->at(1).find("state")->is_null());
  CHECK(missing_in(report_of(view, 1, false)) == texts{"n2"});
}

TEST_CASE("without the database every other member is missing", "[cluster_report]") {
  for (const auto& shown :
       {nodes_of(view_of_three(), 2, true, {}), report_of(view_of_three(), 2, true)}) {
    CHECK(missing_in(shown) == texts{"n1"});
    CHECK_FALSE(*shown.find("complete")->as_bool());
  }
}

TEST_CASE("a meter tells how many cores were busy over the last second", "[process_facts]") {
  auto meter = cpu_meter{};
  const auto start = std::chrono::steady_clock::time_point{};
  CHECK(meter.busy_cores(5, start) == 0);
  CHECK(meter.busy_cores(9, start + 500ms) == 0); // too early to tell
  CHECK(meter.busy_cores(8, start + 2s) == 1.5);
  CHECK(meter.busy_cores(8.5, start + 2'500ms) == 1.5);
  CHECK(meter.busy_cores(8, start + 4s) == 0);
}

TEST_CASE("who is refused is named, and since when", "[cluster_report]") {
  auto view = view_of_three();
  view.nodes[1].refused_since = view.now - 5s;
  for (const auto& shown : {report_of(view, 1, false), nodes_of(view, 1, false, {})}) {
    CHECK(text_in(shown, 1, "refused_since") == to_iso8601(view.now - 5s));
    CHECK_FALSE(shown.find("nodes")->as_array()->at(0).find("refused_since"));
  }
}

TEST_CASE("links are shown with their round trip, or why there is none", "[cluster_report]") {
  const auto now = std::chrono::steady_clock::now();
  const auto shown = shown_links({{"n2", {.is_up = true, .round_trip = 300us}},
                                  {"n3", {.since = now - 7s, .why_down = "cut", .refused = 2}}},
                                 now, time_point{1'000s});
  REQUIRE(shown.size() == 2);
  CHECK(*shown.at(0).find("node")->as_string() == "n2");
  CHECK(*shown.at(0).find("round_trip_us")->as_int() == 300);
  CHECK_FALSE(shown.at(0).find("problem"));
  CHECK(*shown.at(1).find("problem")->as_string() == "cut");
  CHECK(*shown.at(1).find("unreachable_since")->as_string() == to_iso8601(time_point{993s}));
  CHECK(*shown.at(1).find("refused")->as_int() == 2);
}
