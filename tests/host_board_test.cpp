#include "actors/host_board.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>
#include <set>
#include <string>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto long_ago = time_point{1'000'000s};

host_address address(int number) {
  return {"https", "h" + std::to_string(number) + ".test", 443};
}

host_health_line health(int number) {
  auto line = host_health_line{};
  line.facts.id = host_id{number + 1};
  line.facts.state = number % 3 == 0 ? host_state::suspended : host_state::healthy;
  line.facts.fail_streak = number % 7;
  line.facts.paused = number % 10 == 0;
  line.latency = std::chrono::milliseconds{number % 900};
  line.in_flight = number % 2;
  line.behind = number % 5 == 0;
  return line;
}

delivery_sums waiting(std::int64_t units) {
  return {.offered = units, .pending = units};
}

/// Fills a board with hosts, some of which have a backlog.
void fill(host_board& board, int hosts) {
  auto random = std::mt19937{7};
  for (auto number = 0; number < hosts; ++number) {
    board.put(address(number), health(number));
    const auto units = number % 4 == 0 ? static_cast<std::int64_t>(random() % 5'000) : 0;
    board.note_books(host_id{number + 1}, address(number), waiting(units), 0, number % 2,
                     units > 0 ? std::optional{long_ago + std::chrono::seconds{random() % 9'999}}
                               : std::nullopt);
  }
}

std::int64_t rank(host_order order, const host_line& host) {
  return place_of(order, host).number;
}

} // namespace

TEST_CASE("a host has one line, from whoever knows something of it", "[host_board]") {
  auto board = host_board{};
  board.load({.address = address(1), .health = health(1), .dead_letters = 9});
  board.load({.address = address(1), .health = health(2)}); // it has one
  CHECK(board.find(address(1))->health.facts.id == host_id{2});
  CHECK_FALSE(board.find(address(2)));
  board.put(address(3), health(3)); // the host was faster than the page that it is read with
  board.load({.address = address(3), .health = health(4), .dead_letters = 9});
  CHECK(board.find(address(3))->health.facts == health(3).facts);
  CHECK(board.find(address(3))->dead_letters == 9);

  board.note_books(host_id{2}, address(1), {.offered = 5, .delivered = 1, .pending = 4}, 2, 3,
                   long_ago);
  board.note_books(host_id{2}, address(1), {.delivered = 3, .pending = 1}, 1, 3, {});
  auto news = health(1);
  news.last_error = std::string(79, 'x') + "é and more";
  board.put(address(1), news);
  const auto line = *board.find(address(1));
  CHECK(line.sums == delivery_sums{.offered = 5, .delivered = 4, .pending = 1});
  CHECK(line.sums.are_balanced());
  CHECK(line.exceptions == 1);
  CHECK(line.dead_letters == 3);
  CHECK_FALSE(line.oldest_at);
  news.oldest_exception_at = long_ago + 5s;
  board.put(address(1), news);
  CHECK(board.find(address(1))->oldest_at == long_ago + 5s);
  board.note_books(host_id{2}, address(1), {.pending = 1}, 1, 3, long_ago);
  CHECK(board.find(address(1))->oldest_at == long_ago);
  CHECK(line.health.last_error == std::string(79, 'x')); // no half of a letter

  board.note_books(host_id{8}, address(7), waiting(2), 0, 0, long_ago);
  CHECK(board.find(address(7))->health.facts.id == host_id{8});
}

TEST_CASE("hosts are listed in every order, page by page without holes", "[host_board]") {
  auto board = host_board{};
  fill(board, 2'000);
  for (const auto order : {host_order::backlog, host_order::oldest, host_order::failures,
                           host_order::latency, host_order::name}) {
    CAPTURE(static_cast<int>(order));
    auto wish = host_list_wish{.order = order, .limit = 170};
    auto all = std::vector<host_line>{};
    for (;;) {
      const auto page = board.list(wish);
      all.insert(all.end(), page.begin(), page.end());
      if (page.size() < wish.limit)
        break;
      wish.after = place_of(order, page.back());
    }
    CHECK(all.size() == 2'000);
    auto ids = std::set<std::int64_t>{};
    for (const auto& each : all)
      ids.insert(each.health.facts.id.value);
    CHECK(ids.size() == 2'000);
    CHECK(std::ranges::is_sorted(all, [&](const host_line& one, const host_line& other) {
      if (order == host_order::name)
        return one.address.name < other.address.name;
      return std::pair{rank(order, one), one.health.facts.id} <
             std::pair{rank(order, other), other.health.facts.id};
    }));
  }
}

TEST_CASE("a list holds only what was wished", "[host_board]") {
  auto board = host_board{};
  fill(board, 1'000);
  const auto count = [&](host_list_wish wish) {
    wish.limit = 5'000;
    return board.list(wish).size();
  };
  CHECK(count({}) == 1'000);
  CHECK(count({.state = host_state::suspended}) == 334);
  CHECK(count({.state = host_state::dead}) == 0);
  CHECK(count({.only_paused = true}) == 100);
  CHECK(count({.only_behind = true}) == 200);
  CHECK(count({.part = "h77"}) == 11);
  board.put({.scheme = "https", .name = "other.test", .port = 8443}, {});
  CHECK(count({.part = "8443"}) == 0); // a name is looked for, and no port
  CHECK(count({.part = "test:8443"}) == 1);
  CHECK(count({.state = host_state::suspended, .only_paused = true, .only_behind = true}) == 34);
  const auto worst = board.list({.order = host_order::failures, .limit = 1});
  REQUIRE(worst.size() == 1);
  CHECK(worst[0].health.facts.fail_streak == 6);
}

TEST_CASE("totals add up all hosts", "[host_board]") {
  auto board = host_board{};
  fill(board, 1'000);
  const auto totals = board.totals();
  CHECK(totals.hosts == 1'000);
  CHECK(totals.by_state[static_cast<std::size_t>(host_state::suspended)] == 334);
  CHECK(totals.by_state[static_cast<std::size_t>(host_state::healthy)] == 666);
  CHECK(totals.paused == 100);
  CHECK(totals.behind == 200);
  CHECK(totals.in_flight == 500);
  CHECK(totals.dead_letters == 500);
  CHECK(totals.sums.are_balanced());
  const auto oldest = board.list({.order = host_order::oldest, .limit = 1});
  CHECK(totals.oldest_at == oldest[0].oldest_at);
  auto line = health(1);
  line.in_flight = 100;
  board.put(address(1), line);
  CHECK(board.totals().in_flight == 599);
  auto pending = std::int64_t{0};
  for (const auto& each : board.list({.limit = 1'000}))
    pending += each.sums.pending;
  CHECK(totals.sums.pending == pending);
}

TEST_CASE("100,000 hosts are listed at once", "[host_board]") {
  auto board = host_board{};
  fill(board, 100'000);
  const auto begin = std::chrono::steady_clock::now();
  const auto worst = board.list({.order = host_order::backlog, .limit = 50});
  const auto middle = std::chrono::steady_clock::now();
  const auto totals = board.totals();
  const auto end = std::chrono::steady_clock::now();
  const auto millis = [](auto duration) {
    return std::chrono::duration<double, std::milli>{duration}.count();
  };
  std::cout << "host_board: 50 of 100,000 hosts in " << millis(middle - begin) << " ms, totals in "
            << millis(end - middle) << " ms (bar 50 ms, release build)\n";
  REQUIRE(worst.size() == 50);
  CHECK(std::ranges::is_sorted(worst, std::ranges::greater{},
                               [](const host_line& host) { return host.sums.pending; }));
  CHECK(totals.hosts == 100'000);
  CHECK(board.find(address(99'999))->health.facts.id == host_id{100'000});
}
