#include "engine/metrics.hpp"

namespace trunkline {

namespace {

using enum metric_type;

auto of_client(std::uint64_t http_client_counters::*member) {
  return [member](const metric_sources& from) {
    return std::vector<metric_sample>{{{}, static_cast<double>(from.client().*member)}};
  };
}

/// One sample of each kind of places.
template <class Read>
std::vector<metric_sample> by_budget(Read read) {
  auto found = std::vector<metric_sample>{};
  for (auto kind = std::size_t{0}; kind < budget_kinds; ++kind) {
    const auto of = static_cast<budget_kind>(kind);
    found.push_back({{std::string{to_string(of)}}, static_cast<double>(read(of))});
  }
  return found;
}

std::vector<metric_sample> in_flight(const metric_sources& from) {
  auto found = by_budget([&](budget_kind kind) { return from.budget->in_use(kind); });
  found.push_back({{"slow"}, static_cast<double>(from.budget->slow_in_use())});
  return found;
}

std::vector<metric_sample> places_waiting(const metric_sources& from) {
  return by_budget([&](budget_kind kind) { return from.budget->waiting(kind); });
}

} // namespace

std::vector<metric> federation_metrics() {
  return {
      {"trunkline_client_requests_total",
       counter,
       "Requests to other servers",
       {},
       of_client(&http_client_counters::requests)},
      {"trunkline_client_answers_total",
       counter,
       "Answers of other servers, of any status",
       {},
       of_client(&http_client_counters::answers)},
      {"trunkline_client_failures_total",
       counter,
       "Requests to other servers without an answer",
       {},
       of_client(&http_client_counters::failures)},
      {"trunkline_client_refused_total",
       counter,
       "Requests that were never sent: their address is not allowed, or there was no room",
       {},
       of_client(&http_client_counters::refused)},
      {"trunkline_client_connections_total",
       counter,
       "Connections opened to other servers",
       {},
       of_client(&http_client_counters::connections)},
      {"trunkline_client_connections",
       gauge,
       "Connections to other servers",
       {},
       of_client(&http_client_counters::open_connections)},
      {"trunkline_client_requests_in_flight",
       gauge,
       "Requests to other servers under way",
       {},
       of_client(&http_client_counters::in_flight)},
      {"trunkline_client_lookups_total",
       counter,
       "Names of other servers that were looked up",
       {},
       of_client(&http_client_counters::lookups)},
      {"trunkline_client_tls_resumed_total",
       counter,
       "TLS handshakes that resumed a session",
       {},
       of_client(&http_client_counters::resumed)},
      {"trunkline_client_known_hosts",
       gauge,
       "Hosts whose addresses are remembered",
       {},
       of_client(&http_client_counters::known_hosts)},
      {"trunkline_delivery_in_flight",
       gauge,
       "Requests to hosts under way, by the budget that they draw on",
       {"budget"},
       in_flight},
      {"trunkline_delivery_places_waiting",
       gauge,
       "Hosts that wait for a place, by budget",
       {"budget"},
       places_waiting},
  };
}

} // namespace trunkline
