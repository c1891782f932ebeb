/// Messages and handle of the host gate: the way to hosts that may be on other nodes.
#pragma once

#include "actors/link_messages.hpp"
#include "actors/remote_host_messages.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace trunkline {

/// What another node asks of a host that it believes to be here. Nothing of it is passed on: where
/// the host is not here, the answer is `errc::conflict`.
struct serve_peer_fetch {
  std::string body; ///< A `fetch_document`.
  peer_reply reply;
};

/// Another node has heard of a host that it believes to be here.
struct serve_peer_sign_of_life {
  host_address host;
};

/// INTERNAL: what another node said to a fetch; from any thread.
struct peer_has_fetched {
  std::uint64_t fetch = 0;
  std::shared_ptr<const caf::expected<std::string>> answer;
};

/// INTERNAL: looks again where the hosts are for which something waits.
struct look_for_hosts {};

/// What host actors take, for hosts on any node.
using host_gate_handle =
    remote_host_handle::extend<caf::reacts_to<serve_peer_fetch>,
                               caf::reacts_to<serve_peer_sign_of_life>,
                               // INTERNAL
                               caf::reacts_to<peer_has_fetched>, caf::reacts_to<look_for_hosts>>;

} // namespace trunkline
