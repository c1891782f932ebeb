#include "tests/simulation/delivery_history.hpp"

#include "actors/messages.hpp"

#include <algorithm>
#include <utility>

namespace trunkline::simulation {

namespace {

using namespace std::chrono_literals;
using kit::commit_fault;

kit::peer_answer breaks_off() {
  return {.failure = exchange_failure{.phase = exchange_phase::body, .reason = "connection reset"},
          .after = 200ms};
}

kit::peer_answer too_slow() {
  auto answer = kit::no_answer();
  answer.after = 15s;
  return answer;
}

} // namespace

void delivery_history::set_mood(const std::string& host) {
  const auto after = 1ms + up_to(300ms);
  const auto fixed = [&](kit::peer_answer answer) {
    world_.peers->set_rule(host, [answer](const outgoing_request&) { return answer; });
  };
  const auto answer = [&](int status, http_headers headers = {}) {
    fixed({.status = status, .headers = std::move(headers), .failure = {}, .after = after});
  };
  switch (below(18)) {
  case 0:
    return answer(503);
  case 1:
    return answer(503, {{"Retry-After", "3"}});
  case 2:
    return answer(429, {{"Retry-After", "2"}});
  case 3:
    return fixed(chance(50) ? kit::no_answer() : too_slow());
  case 4:
    return fixed(kit::no_connection());
  case 5:
    return answer(chance(50) ? 410 : 404);
  case 6:
    return answer(chance(50) ? 403 : 400);
  case 7:
    return world_.peers->set_rule(host, [after](const outgoing_request& request) {
      const auto is_new = find_header(request.headers, "Signed") == "rfc9421";
      return kit::peer_answer{
          .status = is_new ? 202 : 401, .headers = {}, .failure = {}, .after = after};
    });
  case 8:
  case 9:
  case 10:
    return world_.peers->set_rule(host, [this](const outgoing_request&) {
      const auto chance = moods_() % 6;
      if (chance == 0)
        return kit::no_answer();
      if (chance == 1)
        return breaks_off();
      return kit::peer_answer{.status = chance == 2 ? 500 : 202,
                              .headers = {},
                              .failure = {},
                              .after = std::chrono::milliseconds{1 + moods_() % 100}};
    });
  case 11:
  case 12: // what it cannot take
    return world_.peers->set_rule(host, [after](const outgoing_request& request) {
      const auto is_poison = request.body && std::stoi(*request.body) % 5 == 0;
      return kit::peer_answer{
          .status = is_poison ? 500 : 202, .headers = {}, .failure = {}, .after = after};
    });
  default:
    return answer(202);
  }
}

void delivery_history::step_clock() {
  const auto by = std::chrono::minutes{below(90)};
  world_.actors.step_wall_clock(chance(75) ? by : -by);
}

/// Between any two of the messages to come, or in the middle of a commit.
void delivery_history::crash_soon() {
  if (chance(40)) {
    planned_fault_ = chance(70) ? commit_fault::killed : commit_fault::killed_late;
    faults_->killed_at = below(20);
    return;
  }
  world_.actors.stop_after(1 + below(400));
}

void delivery_history::revive() {
  ++mine_.crashes;
  oracle_.crashed();
  give_up_orders();
  planned_fault_.reset();
  faults_->is_dead = faults_->is_broken = false;
  const auto begins = !chance(25);
  world_.restart(begins);
  if (!begins) {
    publish();
    world_.advance(up_to(500ms));
    world_.begin();
  }
  if (chance(15))
    world_.actors.stop_after(1 + below(150)); // it dies while it starts
}

void delivery_history::end_host() {
  const auto& host = some_host();
  oracle_.bans().forget_pace(host);
  if (chance(33)) {
    caf::anon_send(world_.hosts, passivate_host{kit::delivery_world::address(host)});
    return;
  }
  ++mine_.host_deaths;
  world_.kill_host(host, [this, host] { oracle_.host_ended(host); });
  world_.settle();
}

void delivery_history::disturb_storage() {
  if (storage_fails_)
    return end_disturbance();
  if (chance(50)) {
    constexpr auto kinds =
        std::to_array({commit_fault::undone, commit_fault::refused, commit_fault::lost_answer,
                       commit_fault::broken, commit_fault::broken_late});
    planned_fault_ = kinds[below(kinds.size())];
    return;
  }
  storage_fails_ = true;
  oracle_.storage_failing(true);
}

void delivery_history::end_disturbance() {
  if (std::exchange(storage_fails_, false))
    oracle_.storage_failing(false);
}

/// Once, or a third of the commits.
commit_fault delivery_history::next_fault() {
  auto fault = std::exchange(planned_fault_, std::nullopt).value_or(commit_fault::none);
  if (fault == commit_fault::none && storage_fails_ && chance(33))
    fault = chance(33)   ? commit_fault::lost_answer
            : chance(50) ? commit_fault::undone
                         : commit_fault::refused;
  mine_.faults += fault != commit_fault::none;
  if (fault == commit_fault::broken || fault == commit_fault::broken_late) {
    end_disturbance();
    oracle_.storage_broken();
  } else if (fault != commit_fault::none && !storage_fails_) {
    oracle_.storage_failing(true);
    oracle_.storage_failing(false);
  }
  return fault;
}

} // namespace trunkline::simulation
