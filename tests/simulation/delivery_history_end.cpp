#include "tests/simulation/delivery_history.hpp"

#include "actors/messages.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace trunkline::simulation {

namespace {

using namespace std::chrono_literals;
using kit::host_order_kind;

constexpr auto rounds_max = 28; ///< Of a day each: the log keeps rows for 30.

} // namespace

bool delivery_history::is_done() {
  const auto books = world_.books();
  return books.hosts_open == 0 && books.hosts_behind == 0 && books.outstanding == 0 &&
         world_.peers->in_flight() == 0 &&
         world_.count("SELECT count(*) FROM delivery_exception WHERE status = 1") == 0 &&
         world_.count("SELECT count(*) FROM host_backlog") == 0;
}

/// Everybody is well, and every order is taken back.
void delivery_history::heal() {
  end_disturbance();
  planned_fault_.reset();
  if (world_.actors.is_stopped())
    revive();
  world_.actors.stop_after(SIZE_MAX);
  if (nodes_ > 1)
    world_.advance(21s); // no shard is on its way any more: orders are taken
  for (const auto& host : names_) {
    world_.peers->set_status(host, 202);
    unblock(host); // one that was ordered may have been lost
    give({.kind = host_order_kind::resume, .host = host, .in_flight = {}, .per_s = {}},
         resume_host{kit::delivery_world::address(host)});
    give_wish(host_order_kind::limit, host, limit_wish{});
  }
  world_.advance(16s);
  poll_orders();
  for (auto round = 0; round < rounds_max && !is_done(); ++round) {
    ++mine_.rounds;
    world_.actors.step_wall_clock(25h);
    for (const auto& host : names_)
      caf::anon_send(world_.hosts, wake_host{kit::delivery_world::address(host)});
    world_.advance(5s);
    oracle_.check_exceptions();
  }
}

/// Nothing waits, the sums agree, and a node that is started again sends nothing.
void delivery_history::check_books(std::vector<std::string>& wrong) {
  if (!is_done())
    wrong.push_back("not everything came to an end");
  for (const auto& host : world_.two_actors)
    wrong.push_back(host + ": two actors at a time");
  for (const auto& host : names_) {
    const auto report = world_.report(host);
    if (report.waiting != 0 || report.exceptions != 0 || report.behind || report.in_flight != 0)
      wrong.push_back(host + ": " + std::to_string(report.waiting) + " wait, " +
                      std::to_string(report.exceptions) + " exceptions, " +
                      std::to_string(report.in_flight) + " of " + std::to_string(report.window) +
                      " in flight, " + report.state + ", " + report.next_try_reason);
  }
  world_.advance(2s);
  check_board(wrong);
  give_up_orders();
  const auto sums = world_.books().sums;
  std::ranges::move(oracle_.compare(sums), std::back_inserter(wrong));
  const auto before = oracle_.requests();
  oracle_.crashed();
  world_.restart();
  world_.advance(5s);
  if (oracle_.requests() != before || world_.peers->in_flight() != 0)
    wrong.emplace_back("a restart sent something again");
  if (world_.books().sums != sums)
    wrong.emplace_back("a restart changed the sums");
}

/// The board says the same of each host.
void delivery_history::check_board(std::vector<std::string>& wrong) {
  for (const auto& host : names_) {
    const auto line = world_.board_of(host).find(kit::delivery_world::address(host));
    if (!line)
      continue;
    if (!line->sums.are_balanced() || line->sums.pending != 0 || line->exceptions != 0)
      wrong.push_back("the board: units of " + host + " are not accounted for");
    const auto dead = world_.count("SELECT count(*) FROM delivery_exception e JOIN host h"
                                   " ON h.id = e.host_id WHERE e.status = 2 AND h.name = '" +
                                   host + "'");
    if (line->dead_letters != dead)
      wrong.push_back("the board: " + std::to_string(line->dead_letters) + " dead letters of " +
                      host + ", should be " + std::to_string(dead));
  }
}

void delivery_history::add_to(history_sums& total) {
  const auto& counted = oracle_.counted();
  ++total.seeds;
  total.time += now();
  total.messages += static_cast<std::int64_t>(world_.actors.handled());
  total.rows += world_.count("SELECT count(*) FROM log WHERE ap_id IS NOT NULL");
  total.owed += counted.owed + counted.owed_perhaps;
  total.taken += counted.taken;
  total.repeats += oracle_.repeats();
  total.failures += oracle_.failures();
  total.dead += counted.dead;
  total.superseded += counted.superseded;
  total.crashes += mine_.crashes;
  total.host_deaths += mine_.host_deaths;
  total.node_deaths += mine_.node_deaths;
  total.moves += world_.moves();
  total.faults += mine_.faults;
  total.orders += mine_.orders;
  total.rounds += mine_.rounds;
}

} // namespace trunkline::simulation
