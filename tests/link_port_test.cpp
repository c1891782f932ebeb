// Two actor systems in one process, with a pair of sockets between them: what BASP really does.

#include "actors/link.hpp"
#include "actors/link_port.hpp"
#include "actors/messages.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;

/// A node's end of a link: its own actor system, its port and the link. It answers what it is asked
/// with its name.
struct node_end {
  node_end(std::string own, const std::string& peer, std::function<void()> dial) {
    prepare_links(config);
    system = std::make_unique<caf::actor_system>(config);
    system->await_actors_before_shutdown(false);
    port = std::make_unique<link_port>(*system);
    link = system->spawn(
        trunkline::link,
        link_dependencies{
            .own_name = own,
            .peer = peer,
            .epoch = own.size(),
            .dial = std::move(dial),
            .close = [] {},
            .serve = [own](link_topic, const std::string& body,
                           const peer_reply& reply) { reply(own + " heard " + body); },
            .board = board},
        link_options{});
    port->open(peer, link);
  }

  ~node_end() { caf::anon_send_exit(link, caf::exit_reason::user_shutdown); }
  node_end(const node_end&) = delete;
  node_end& operator=(const node_end&) = delete;

  /// Waits until the link is up, or down.
  bool becomes(bool up) const {
    return board->wait(patience, [up](const link_board::links& links) {
      return !links.empty() && links.begin()->second.is_up == up;
    });
  }

  caf::expected<std::string> ask(const std::string& body) const {
    auto answer = std::make_shared<std::promise<caf::expected<std::string>>>();
    auto coming = answer->get_future();
    caf::anon_send(link, ask_peer{.body = body,
                                  .limit = 30s,
                                  .reply = peer_reply{[answer](caf::expected<std::string> given) {
                                    answer->set_value(std::move(given));
                                  }}});
    return coming.get();
  }

  caf::actor_system_config config;
  std::shared_ptr<link_board> board = std::make_shared<link_board>();
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<link_port> port;
  link_handle link;
};

/// n1 dials n2 with a new pair of sockets each time; one of the ends that n2 got is kept to cut it.
struct pair_of_nodes {
  pair_of_nodes() {
    is_made = true;
    is_made.notify_all();
  }

  ~pair_of_nodes() { ::close(cut_at); }
  pair_of_nodes(const pair_of_nodes&) = delete;
  pair_of_nodes& operator=(const pair_of_nodes&) = delete;

  /// On a thread of n1's, perhaps before that one is there.
  void dial() {
    is_made.wait(false);
    auto ends = std::array<int, 2>{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return;
    ::close(cut_at.exchange(::fcntl(ends[1], F_DUPFD_CLOEXEC, 0)));
    n2.port->accept("n1", ends[1]);
    n1.port->connect(ends[0], n1.link);
  }

  bool come_up() const { return n1.becomes(true) && n2.becomes(true); }

  std::atomic<bool> is_made = false;
  std::atomic<int> cut_at = -1;
  node_end n2{"n2", "n1", {}};
  node_end n1{"n1", "n2", [this] { dial(); }};
};

} // namespace

TEST_CASE("two actor systems speak through a pair of sockets, and again when it ends",
          "[link_port]") {
  auto made = pair_of_nodes{};
  CHECK(made.n1.system->node() != made.n2.system->node());
  REQUIRE(made.come_up());
  CHECK(*made.n1.ask("hello") == "n2 heard hello");
  CHECK(*made.n2.ask("hello") == "n1 heard hello");
  const auto large = std::string(3 << 20, 'x');
  CHECK(*made.n1.ask(large) == "n2 heard " + large);

  ::shutdown(made.cut_at, SHUT_RDWR);
  REQUIRE(made.n1.becomes(false));
  REQUIRE(made.come_up());
  CHECK(*made.n1.ask("again") == "n2 heard again");
}

TEST_CASE("a peer finds no actor that would start others or tell of the configuration",
          "[link_port][A131]") {
  auto made = pair_of_nodes{};
  for (auto* node : {&made.n1, &made.n2}) {
    CHECK_FALSE(node->system->registry().get(caf::atom("SpawnServ")));
    CHECK_FALSE(node->system->registry().get(caf::atom("ConfigServ")));
  }
  REQUIRE(made.come_up());
}

TEST_CASE("two systems of one machine have identities of their own, whatever CAF made of it",
          "[link_port]") {
  auto first = caf::actor_system_config{};
  prepare_links(first);
  auto system = caf::actor_system{first};
  const auto before = caf::to_string(system.node());
  const auto port = link_port{system};
  const auto after = caf::to_string(system.node());
  CHECK(before != after);
  CHECK(before.substr(0, 38) != after.substr(0, 38)); // not the last byte alone
}
