/// What a host actor has not told the dispatcher yet.
#pragma once

#include "actors/host_board.hpp"
#include "actors/remote_host_messages.hpp"
#include "protocol/delivery_progress.hpp"
#include "protocol/host_health.hpp"

#include <caf/typed_response_promise.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct host_news {
  std::array<std::vector<settled_unit>, delivery_classes> settled;
  std::vector<exception_change> exceptions;
  std::vector<reopened_units> reopened;
  bool facts = false; ///< They have changed.

  std::array<class_progress, delivery_classes> told; ///< How far the host was.
  std::chrono::steady_clock::time_point told_at;
  std::optional<std::chrono::steady_clock::time_point> timer_at; ///< It is told then at the latest.

  std::optional<host_health_line> shown;                       ///< On the board.
  host_state told_state = host_state::unproven;                ///< The last one that was no probe.
  std::vector<caf::typed_response_promise<host_report>> asked; ///< Before it has started.
  std::string last_failure;                                    ///< In its words.

  std::size_t size() const {
    return settled[0].size() + settled[1].size() + exceptions.size() + reopened.size() + facts;
  }
};

} // namespace trunkline
