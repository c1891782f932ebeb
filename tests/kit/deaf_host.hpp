/// A host actor that hears offers, wake-ups and signs of life alone; it answers all else with
/// nothing.
#pragma once

#include "actors/messages.hpp"

#include <utility>

namespace trunkline::kit {

template <class Offer, class Wake, class Life>
remote_host_handle::behavior_type deaf_host(Offer offer, Wake wake, Life life) {
  return {
      std::move(offer),
      std::move(wake),
      std::move(life),
      [](const fetch_document&) { return fetched_document{}; },
      [](const pause_host&) -> caf::result<void> { return caf::unit; },
      [](const resume_host&) -> caf::result<void> { return caf::unit; },
      [](const retry_host&) -> caf::result<void> { return caf::unit; },
      [](const operate_host&) { return operated_host{}; },
      [](const list_queue&) { return host_queue{}; },
      [](const describe_host&) { return host_report{}; },
      [](const host_timer&) {},
      [](const exchange_ended&) {},
      [](const place_granted&) {},
  };
}

} // namespace trunkline::kit
