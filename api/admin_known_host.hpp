/// The host that a request of the admin API is about.
#pragma once

#include "actors/host_board.hpp"
#include "api/gateway.hpp"

#include <functional>
#include <string>

namespace trunkline {

using host_found = std::function<void(const host_line&)>;

/// Calls `then` with the host of that name: `name` or `name:port`, in any spelling. The database
/// says whether there is one and what operators have ordered of it, the board how it does. Refuses
/// an unknown one with `not_found`; without a region of hosts everything with `unavailable`.
void with_known_host(gateway_state& gateway, const std::string& name, const http_reply& reply,
                     host_found then);

/// Brings a line of the board up to date by what the host's actor says.
host_line with_report(host_line host, const host_report& report);

/// Asks the host's actor how it is and answers with everything that is known of the host.
void answer_with_host(gateway_state& gateway, const host_line& host, const http_reply& reply);

} // namespace trunkline
