#include "engine/top_view.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace trunkline;

namespace {

const auto now = time_point{std::chrono::sys_days{std::chrono::year{2026} / 11 / 29}} +
                 std::chrono::hours{11} + std::chrono::minutes{24};

json_value read(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value);
  return std::move(*value);
}

json_value some_delivery() {
  return read(R"({"totals": {"hosts": 5500, "by_state": {"healthy": 5490, "slow": 3,
      "suspended": 7}, "waiting": 123456, "oldest_at": "2026-11-29T11:02:00.000Z",
      "in_flight": 12, "dead_letters": 4},
    "attention": [{"name": "pawoo.example",
      "sentence": "4,812 waiting, oldest 22 min, connect timeout since 11:02, next try 11:31"}]})");
}

json_value some_hosts(int count) {
  auto list = json_array{};
  for (auto number = 0; number < count; ++number)
    list.emplace_back(json_object{{"name", "h" + std::to_string(number) + ".example"},
                                  {"state", "suspended"},
                                  {"paused", number == 1},
                                  {"backlog", 4'812},
                                  {"oldest_at", "2026-11-29T11:02:00.000Z"},
                                  {"sentence", "4,812 waiting"}});
  return json_object{{"hosts", std::move(list)}};
}

bool has(const std::vector<top_line>& lines, std::string_view part) {
  return std::ranges::any_of(
      lines, [part](const top_line& line) { return line.text.find(part) != line.text.npos; });
}

} // namespace

TEST_CASE("top names the culprit and the totals", "[top]") {
  const auto lines = draw_top(some_delivery(), some_hosts(3), {}, now, 160, 50);
  CHECK(has(lines, "123,456 waiting, oldest 22 min; 12 in flight; 10 of 5,500 hosts not well;"
                   " 4 dead letters"));
  CHECK(has(lines, "pawoo.example: 4,812 waiting, oldest 22 min, connect timeout since 11:02,"
                   " next try 11:31"));
  CHECK(has(lines, "h1.example                       suspended, paused"));
  CHECK(lines[6].is_selected);
  CHECK_FALSE(has(draw_top(some_delivery(), some_hosts(0), {}, now, 160, 50), "h0.example"));
}

TEST_CASE("top names actors that keep a thread first, and ten sentences in all", "[top]") {
  auto delivery = some_delivery();
  auto stuck = json_array{};
  for (auto number = 1; number <= 9; ++number)
    stuck.emplace_back(json_object{{"actor", "account " + std::to_string(number)},
                                   {"since", "2026-11-29T11:23:38.000Z"}});
  (*delivery.as_object())["stuck_actors"] = std::move(stuck);
  auto lines = draw_top(delivery, some_hosts(0), {}, now, 160, 50);
  CHECK(lines[3].text == "  account 1: has kept a thread to itself for 22 s");
  CHECK(lines[12].text.starts_with("  pawoo.example: "));
  delivery.as_object()
      ->find("stuck_actors")
      ->as_array()
      ->emplace_back(json_object{{"actor", "account 10"}, {"since", "2026-11-29T11:23:38.000Z"}});
  lines = draw_top(delivery, some_hosts(0), {}, now, 160, 50);
  CHECK(has(lines, "account 10: "));
  CHECK_FALSE(has(lines, "pawoo.example: "));
}

TEST_CASE("top fits the screen", "[top]") {
  const auto lines = draw_top(some_delivery(), some_hosts(40), {}, now, 40, 12);
  CHECK(lines.size() == 12);
  CHECK(std::ranges::all_of(lines, [](const top_line& line) { return line.text.size() <= 40; }));
  CHECK(names_in(some_hosts(40)).size() == top_hosts_max);
  CHECK(is_paused_in(some_hosts(3), 1));
  CHECK_FALSE(is_paused_in(some_hosts(3), 0));
  CHECK_FALSE(is_paused_in(some_hosts(3), 3));
}

TEST_CASE("what a host sent does not steer the terminal", "[top]") {
  auto hosts = some_hosts(1);
  auto& first = (*hosts.as_object()->find("hosts")->as_array())[0];
  *first.as_object()->find("name") = json_value{"\x1b[31mred\x1b[0m\u202e"};
  const auto lines = draw_top(some_delivery(), hosts, {}, now, 160, 50);
  for (const auto& line : lines)
    CHECK(
        std::ranges::all_of(line.text, [](char letter) { return letter >= ' ' && letter < 0x7f; }));
  CHECK(has(lines, "?[31mred"));
}

TEST_CASE("sorts go round", "[top]") {
  CHECK(next_sort("backlog") == "oldest");
  CHECK(next_sort("latency") == "backlog");
  CHECK(next_sort("nonsense") == "backlog");
}
