#include "actors/link_port.hpp"

#include "actors/messages.hpp"
#include "protocol/crypto.hpp"

#include <caf/actor_cast.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/doorman.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/node_id.hpp>
#include <caf/send.hpp>

#include <unistd.h>

#include <chrono>
#include <set>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// CAF's own look at peers that are frozen; the links look more often.
constexpr auto heartbeat_interval = 1'000ms;
constexpr auto connection_timeout = 5'000ms;

/// How long a peer may take to answer the first bytes of BASP.
constexpr auto greeting_limit = 3s;

/// An acceptor of BASP that listens on nothing: the pipes bring the connections.
class pipe_doorman : public caf::io::doorman {
public:
  pipe_doorman(caf::io::network::default_multiplexer& loop, std::uint16_t number)
      : doorman{caf::io::accept_handle::from_int(-std::int64_t{number} - 1)}, loop_{loop},
        number_{number} {}

  /// On the thread of the multiplexer.
  void admit(int descriptor) {
    if (detached())
      return void(::close(descriptor));
    auto scribe = loop_.new_scribe(descriptor);
    const auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    doorman::new_connection(&loop_, handle);
  }

  bool new_connection() override { return false; }
  void launch() override {}
  void graceful_shutdown() override { detach(&loop_, false); }
  std::string addr() const override { return "pipe"; }
  std::uint16_t port() const override { return number_; }
  void add_to_loop() override {}
  void remove_from_loop() override {}

private:
  caf::io::network::default_multiplexer& loop_;
  const std::uint16_t number_;
};

caf::actor basp_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

caf::io::network::default_multiplexer& loop_of(caf::actor_system& system) {
  return static_cast<caf::io::network::default_multiplexer&>(system.middleman().backend());
}

/// CAF makes an identity of the machine's addresses and the process's number: containers made from
/// one image have the same, and take each other for themselves.
void take_identity(caf::actor_system& system) {
  auto shared = system.node(); // all copies are of one
  const auto bytes = random_bytes(sizeof(std::uint32_t) + caf::node_id::default_data::host_id_size);
  auto source = caf::binary_deserializer{system, bytes.data(), bytes.size()};
  shared->deserialize(source);
}

} // namespace

void prepare_links(caf::actor_system_config& config) {
  config.set("middleman.heartbeat-interval", caf::timespan{heartbeat_interval});
  config.set("middleman.connection-timeout", caf::timespan{connection_timeout});
  config.set("middleman.attach-utility-actors", true); // they would block, but nobody asks them
  config.add_message_type<envelope>("trunkline.envelope");
  config.load<caf::io::middleman>();
}

link_port::link_port(caf::actor_system& system) : system_{system} {
  take_identity(system_);
  system_.registry().erase(caf::atom("SpawnServ"));
  system_.registry().erase(caf::atom("ConfigServ"));
}

void link_port::open(const std::string& peer, const link_handle& own) {
  const auto held = std::scoped_lock{mutex_};
  auto& loop = loop_of(system_);
  const auto number = next_number_++;
  const auto door = caf::make_counted<pipe_doorman>(loop, number);
  doors_[peer] = [&loop, door](int descriptor) {
    loop.post([door, descriptor] { door->admit(descriptor); });
  };
  caf::anon_send(basp_of(system_), caf::publish_atom_v, caf::io::doorman_ptr{door}, number,
                 caf::actor_cast<caf::strong_actor_ptr>(own), std::set<std::string>{});
}

void link_port::accept(const std::string& peer, int descriptor) {
  const auto held = std::scoped_lock{mutex_};
  if (const auto found = doors_.find(peer); found != doors_.end())
    found->second(descriptor);
  else
    ::close(descriptor);
}

/// The pipe is a pair of sockets: the number of the port means nothing.
void link_port::connect(int descriptor, const link_handle& own) {
  auto scribe = caf::io::scribe_ptr{loop_of(system_).new_scribe(descriptor)};
  system_.spawn([scribe, own, basp = basp_of(system_)](caf::event_based_actor* self) {
    self->request(basp, greeting_limit, caf::connect_atom_v, scribe, std::uint16_t{0})
        .then(
            [self, own](const caf::node_id&, const caf::strong_actor_ptr& remote,
                        const std::set<std::string>&) {
              if (remote)
                self->send(own, caf::connect_atom_v, remote);
              else
                self->send(own, link_lost{"it has no link to this node"});
            },
            [self, own](const caf::error& failure) {
              self->send(own, link_lost{"no greeting: " + context_of(failure)});
            });
  });
}

} // namespace trunkline
