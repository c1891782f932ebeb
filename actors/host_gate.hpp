/// The host gate: takes what is for the actors of hosts, and brings it to the node that has them.
///
/// Documents and signs of life go anywhere; everything else is about hosts of this node, and fails
/// with `errc::unavailable` for others. A fetch for a host whose shard is on its way from one node
/// to another waits, at most `wait_max`, and at most `waiting_per_shard` of a shard. What another
/// node was asked is asked once: a node that is lost then fails the fetch with `errc::timed_out`.
#pragma once

#include "actors/host_gate_messages.hpp"
#include "actors/shard_routes.hpp"
#include "actors/watched_actor.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace trunkline {

struct host_gate_options {
  std::size_t waiting_per_shard = 256;
  std::chrono::milliseconds wait_max{3'000};
  std::chrono::milliseconds look_interval{100};
  std::chrono::milliseconds ask_limit{30'000}; ///< Of a fetch by another node.
};

struct host_gate_dependencies {
  remote_host_handle region; ///< Of this node's hosts.
  std::string own_name;      ///< Of this node.
  std::function<bool(std::uint8_t shard)> is_here;
  std::shared_ptr<const shard_routes> routes;
  std::function<void(const std::string& node, ask_peer)> ask; ///< Any thread; must not block.
};

class host_gate_state {
public:
  explicit host_gate_state(host_gate_handle::pointer self) : self_{self} {}
  ~host_gate_state();

  host_gate_handle::behavior_type make_behavior(host_gate_dependencies dependencies,
                                                host_gate_options options);

private:
  using fetch_promise = caf::typed_response_promise<fetched_document>;
  using clock_point = caf::actor_clock::time_point;

  struct open_fetch {
    fetch_document wanted;
    fetch_promise reply;
    clock_point give_up_at; ///< Of waiting for its host to be somewhere.
  };

  template <class... Signatures>
  host_gate_handle::behavior_type behavior_of(caf::detail::type_list<Signatures...>*);
  template <class In, class Out>
  auto handler(caf::typed_mpi<caf::detail::type_list<In>, caf::output_tuple<Out>>*);

  caf::result<fetched_document> take(fetch_document& wanted);
  void bring(open_fetch fetch);
  bool is_here(const host_address& host) const;
  void ask(const std::string& node, open_fetch fetch);
  void take(const peer_has_fetched& news);
  void wait(open_fetch fetch);
  void look();
  void tell(const note_sign_of_life& life);
  void serve(const serve_peer_fetch& asked);
  void serve(const serve_peer_sign_of_life& told);

  host_gate_handle::pointer self_;
  host_gate_dependencies has_;
  host_gate_options options_;
  std::uint64_t next_fetch_ = 0;
  std::unordered_map<std::uint64_t, open_fetch> asked_; ///< Other nodes.
  std::deque<open_fetch> waiting_;                      ///< For their shards to be somewhere.
  std::array<std::size_t, shard_count> waiting_of_{};   ///< How many, by shard.
  bool is_looking_ = false;
};

host_gate_handle::behavior_type host_gate(watched_pointer<host_gate_handle, host_gate_state> self,
                                          host_gate_dependencies dependencies,
                                          host_gate_options options);

} // namespace trunkline
