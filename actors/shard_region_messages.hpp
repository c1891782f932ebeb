/// What actors that live in a shard region say to it, and by which key a region knows them.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/ids.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace trunkline {

/// Asks the region to stop an actor that has nothing to do; nothing sent to it meanwhile is lost.
struct passivate_actor {
  std::int64_t id = 0;           ///< The actor's own id.
  std::uint64_t incarnation = 0; ///< CAF's number of the actor that asks; 0: whichever runs.
};

/// Likewise, of an actor that is known by its host.
struct passivate_host {
  host_address host;
  std::uint64_t incarnation = 0; ///< CAF's number of the actor that asks; 0: whichever runs.
};

/// Asks a region of hosts to stop the actors of some hosts, as if each had asked to be passivated.
/// Answered when all of them are gone; others may be started meanwhile, if `may_start` allows it.
struct stop_hosts {
  std::function<bool(const host_address& host)> are_meant; ///< Called in the region; not empty.
};

/// What a region knows its actors by: the member of their messages that names the target.
template <class Id>
struct region_key;

template <>
struct region_key<account_id> {
  using passivate = passivate_actor;
  template <class Handle>
  using region = typename Handle::template extend<caf::reacts_to<passivate>>;
  static account_id of(const passivate_actor& wish) { return account_id{wish.id}; }
  template <class Message>
  static auto in(const Message& message) -> decltype((message.account)) {
    return message.account;
  }
  static std::string name(account_id id) { return "account " + to_string(id); }
};

template <>
struct region_key<host_address> {
  using passivate = passivate_host;
  using stop = stop_hosts;
  template <class Handle>
  using region = typename Handle::template extend<caf::reacts_to<passivate>,
                                                  caf::replies_to<stop>::with<void>>;
  static const host_address& of(const passivate_host& wish) { return wish.host; }
  template <class Message>
  static auto in(const Message& message) -> decltype((message.host)) {
    return message.host;
  }
  static std::string name(const host_address& host) { return "host " + to_name(host); }
};

/// The key of the actors behind `Handle`; those that are known by another one than an account's id
/// say so beside their handle.
template <class Handle>
struct region_key_of {
  using type = account_id;
};

/// A region, as the actors in it see it.
template <class Key>
using passivator_of = caf::typed_actor<caf::reacts_to<typename region_key<Key>::passivate>>;
using passivator_handle = passivator_of<account_id>;
using host_passivator_handle = passivator_of<host_address>;

/// A region of hosts, as whoever moves them sees it.
using host_stopper_handle = caf::typed_actor<caf::replies_to<stop_hosts>::with<void>>;

/// A region of actors behind `Handle`: it takes what they take.
template <class Handle>
using region_of =
    typename region_key<typename region_key_of<Handle>::type>::template region<Handle>;

} // namespace trunkline
