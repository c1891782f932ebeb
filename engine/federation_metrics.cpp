#include "engine/metrics.hpp"

namespace trunkline {

namespace {

constexpr auto counter = metric_type::counter;
constexpr auto gauge = metric_type::gauge;

auto of_client(std::uint64_t http_client_counters::*member) {
  return [member](const metric_sources& from) {
    return std::vector<metric_sample>{{{}, static_cast<double>(from.client().*member)}};
  };
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
  };
}

} // namespace trunkline
