/// CAF's end of the pipes between nodes: what a pipe hands over becomes a connection of BASP, CAF's
/// protocol between actor systems.
///
/// Nothing listens here and nothing is dialled: BASP has no authentication, and reads what any
/// length says. Each peer has an entry of its own, which leads to its link alone. Any thread.
#pragma once

#include "actors/link_messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace trunkline {

/// Before the actor system is made: lets it speak with others, and notice in `silent_for` that one
/// is gone.
void prepare_links(caf::actor_system_config& config);

class link_port {
public:
  /// The system lives longer. It gets an identity that no other has, and loses what a peer could
  /// use to start actors or to read settings.
  explicit link_port(caf::actor_system& system);

  link_port(const link_port&) = delete;
  link_port& operator=(const link_port&) = delete;

  /// Lets the peer reach `own`, once it has dialled.
  void open(const std::string& peer, const link_handle& own);

  /// The peer has dialled: `descriptor` is the open pipe, and belongs to the port.
  void accept(const std::string& peer, int descriptor);

  /// This node has dialled. The link of the peer is told to `own` as its connection, or
  /// `link_lost`.
  void connect(int descriptor, const link_handle& own);

private:
  caf::actor_system& system_;
  std::mutex mutex_;                                      ///< Guards what follows.
  std::map<std::string, std::function<void(int)>> doors_; ///< Each takes an open pipe.
  std::uint16_t next_number_ = 1;
};

} // namespace trunkline
