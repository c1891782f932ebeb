/// The host that a request of the admin API is about.
#pragma once

#include "actors/host_board.hpp"
#include "api/gateway.hpp"

#include <functional>
#include <string>

namespace trunkline {

using host_found = std::function<void(const host_line&)>;

/// A request about one host.
struct host_request {
  const http_request& http; ///< As it came; copied by whoever needs it later.
  std::string name;         ///< `name` or `name:port`, in any spelling.
  http_reply reply;
  /// Called when another node answers the request; null: nobody must know.
  std::function<void()> leaves = nullptr;
};

/// Calls `then` with the host of that name, when it belongs to this node. The database says whether
/// there is one and what operators have ordered of it, the board how it does. Another node's host
/// is for that node: the whole request is passed on, once, and `then` is not called. One that was
/// passed on to this node is not passed on again but refused with 503. Refuses an unknown host with
/// `not_found`; without a region of hosts everything with `unavailable`.
void with_known_host(gateway_state& gateway, const host_request& request, host_found then);

/// Likewise, without looking whose it is: for the end of what was begun here.
void with_host_here(gateway_state& gateway, const std::string& name, const http_reply& reply,
                    host_found then);

/// Brings a line of the board up to date by what the host's actor says.
host_line with_report(host_line host, const host_report& report);

/// Asks the host's actor how it is and answers with everything that is known of the host.
void answer_with_host(gateway_state& gateway, const host_line& host, const http_reply& reply);

} // namespace trunkline
