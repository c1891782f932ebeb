#include "actors/host_board.hpp"
#include "engine/metrics.hpp"
#include "protocol/time.hpp"

#include <chrono>

namespace trunkline {

namespace {

using enum metric_type;
using samples = std::vector<metric_sample>;

/// Hosts with series of their own: however many there are, a scrape has no more.
constexpr std::size_t hosts_shown = 25;

double age_of(const std::optional<time_point>& at) {
  const auto now = std::chrono::system_clock::now();
  return at ? std::max(0.0, std::chrono::duration<double>(now - *at).count()) : 0.0;
}

template <class Read>
auto of_totals(Read read) {
  return [read](const metric_sources& from) -> samples {
    return {{{}, static_cast<double>(read(from.board->totals()))}};
  };
}

auto of_sums(std::int64_t delivery_sums::*member) {
  return of_totals([member](const host_totals& totals) { return totals.sums.*member; });
}

samples hosts_by_state(const metric_sources& from) {
  const auto totals = from.board->totals();
  auto rows = samples{};
  for (auto code = std::int64_t{1}; code < std::ssize(totals.by_state); ++code)
    if (const auto state = static_cast<host_state>(code); state != host_state::probing)
      rows.push_back({{std::string{to_string(state)}},
                      static_cast<double>(totals.by_state[static_cast<std::size_t>(code)])});
  return rows;
}

template <class Read>
auto of_worst(Read read) {
  return [read](const metric_sources& from) {
    auto rows = samples{};
    for (const auto& host : from.board->list({.limit = hosts_shown}))
      if (host.sums.pending > 0)
        rows.push_back({{to_name(host.address)}, static_cast<double>(read(host))});
    return rows;
  };
}

} // namespace

std::vector<metric> host_metrics() {
  return {
      {"trunkline_delivery_offered_total",
       counter,
       "Activities owed to inboxes since the start, with those that waited then",
       {},
       of_sums(&delivery_sums::offered)},
      {"trunkline_delivery_delivered_total",
       counter,
       "Of them delivered",
       {},
       of_sums(&delivery_sums::delivered)},
      {"trunkline_delivery_coalesced_total",
       counter,
       "Of them made superfluous by a later one",
       {},
       of_sums(&delivery_sums::coalesced)},
      {"trunkline_delivery_dead_total",
       counter,
       "Of them given up: dead letters",
       {},
       of_sums(&delivery_sums::dead)},
      {"trunkline_delivery_expired_total",
       counter,
       "Of them older than the log is kept",
       {},
       of_sums(&delivery_sums::expired)},
      {"trunkline_delivery_cancelled_total",
       counter,
       "Of them flushed, drained, revoked or blocked",
       {},
       of_sums(&delivery_sums::cancelled)},
      {"trunkline_delivery_backlog",
       gauge,
       "Activities that wait for inboxes",
       {},
       of_sums(&delivery_sums::pending)},
      {"trunkline_delivery_oldest_age_seconds",
       gauge,
       "Age of the oldest that waits",
       {},
       of_totals([](const host_totals& totals) { return age_of(totals.oldest_at); })},
      {"trunkline_delivery_exceptions",
       gauge,
       "Activities that wait by themselves: they failed while their hosts were well",
       {},
       of_totals([](const host_totals& totals) { return totals.exceptions; })},
      {"trunkline_delivery_dead_letters",
       gauge,
       "Dead letters that are kept",
       {},
       of_totals([](const host_totals& totals) { return totals.dead_letters; })},
      {"trunkline_hosts", gauge, "Remote hosts by state", {"state"}, hosts_by_state},
      {"trunkline_hosts_paused",
       gauge,
       "Remote hosts that an operator has paused",
       {},
       of_totals([](const host_totals& totals) { return totals.paused; })},
      {"trunkline_host_backlog",
       gauge,
       "Activities that wait for a host; the worst 25",
       {"host"},
       of_worst([](const host_line& host) { return host.sums.pending; })},
      {"trunkline_host_oldest_age_seconds",
       gauge,
       "Age of the oldest that waits for a host; the same 25",
       {"host"},
       of_worst([](const host_line& host) { return age_of(host.oldest_at); })},
      {"trunkline_host_fail_streak",
       gauge,
       "Failures in a row of a host; the same 25",
       {"host"},
       of_worst([](const host_line& host) { return host.health.facts.fail_streak; })},
  };
}

} // namespace trunkline
