#include "net/node_pipes.hpp"

#include "net/client_shared.hpp"
#include "net/listening_socket.hpp"
#include "net/node_credentials.hpp"
#include "net/pipe_dial.hpp"
#include "net/pipe_handshake.hpp"
#include "net/pipe_listener.hpp"
#include "net/pipe_pump.hpp"
#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <future>
#include <list>
#include <map>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace trunkline {

namespace {

constexpr int listen_backlog = 128;

/// A node that moves keeps its name: what is known of it is forgotten soon.
http_client_options lookup_options(const node_pipe_limits& limits) {
  return {.addresses_max = limits.addresses_max,
          .name_limit = limits.handshake_limit,
          .name_kept_min = std::chrono::seconds{1},
          .name_kept_max = std::chrono::seconds{5},
          .failure_kept = std::chrono::milliseconds{100},
          .unknown_name_kept = std::chrono::milliseconds{100}};
}

time_point system_now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// So that what follows need not ask whether somebody listens.
void fill_in(node_pipe_options& options) {
  assert(options.opened);
  if (!options.now)
    options.now = system_now;
  if (!options.may_enter)
    options.may_enter = [](std::string_view) { return false; };
  const auto nobody = [](std::string_view, const caf::error&) {};
  for (auto* told : {&options.closed, &options.failed, &options.refused})
    if (!*told)
      *told = nobody;
}

} // namespace

class node_pipes::impl {
public:
  explicit impl(node_pipe_options options)
      : options_{std::move(options)}, shared_{lookup_options(options_.limits), {}},
        expiry_timer_{shared_.loop} {}
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  // What may be thrown is the want of memory for one handler, which ends the program anyway.
  ~impl() { stop(); } // NOLINT(bugprone-exception-escape)

  caf::error open() {
    const auto where = parse_named_endpoint(options_.listen);
    if (!where)
      return make_error(errc::config_invalid,
                        "listen: \"" + options_.listen + "\" is no address:port");
    auto credentials = read_files();
    if (!credentials)
      return std::move(credentials.error());
    credentials_ = std::move(*credentials);
    auto names = name_resolver::make(shared_);
    if (!names)
      return std::move(names.error());
    names_ = std::move(*names);
    shared_.names = names_.get();
    const auto listening = listen_tcp({where->host, where->port}, listen_backlog, true);
    if (!listening)
      return make_error(code_of(listening.error()), "listen: " + context_of(listening.error()));
    port_ = listening->port;
    listener_ = std::make_shared<pipe_listener>(
        shared_.loop, listening->descriptor, options_.limits.accept_pause,
        [this](int descriptor, const ip_bytes& from) { on_accepted(descriptor, from); });
    return caf::none;
  }

  void run() {
    busy_.emplace(shared_.loop.get_executor());
    listener_->start();
    look_at_expiry();
    // Signals belong to the program that embeds the node, and SIGPIPE to nobody.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread{[this] {
      shared_.loop.run();
      forget_thread();
    }};
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  std::uint16_t port() const { return port_; }

  void dial(std::string peer, std::string address) {
    boost::asio::post(shared_.loop, [this, peer = std::move(peer), address = std::move(address)] {
      begin_dial(peer, address);
    });
  }

  void close(std::string peer) {
    boost::asio::post(shared_.loop, [this, peer = std::move(peer)] {
      end_pipe(peer, make_error(errc::unavailable, "this node has ended it"));
    });
  }

  caf::error reload() {
    auto fresh = read_files();
    if (!fresh)
      return std::move(fresh.error());
    if (std::this_thread::get_id() == thread_.get_id()) {
      adopt(std::move(*fresh));
      return caf::none;
    }
    std::promise<void> done;
    boost::asio::post(shared_.loop, [&] {
      adopt(std::move(*fresh));
      done.set_value();
    });
    done.get_future().wait();
    return caf::none;
  }

private:
  using dial_ptr = std::shared_ptr<pipe_dial>;

  struct visitor {
    std::shared_ptr<pipe_handshake> handshake;
    ip_bytes from;
  };
  using visitor_place = std::list<visitor>::iterator;

  struct standing_pipe {
    std::shared_ptr<pipe_pump> pump;
    time_point peer_until;
    time_point own_until;
  };

  caf::expected<std::shared_ptr<const node_credentials>> read_files() const {
    return node_credentials::read(options_.files, options_.name,
                                  options_.limits.certificate_bytes_max, options_.now());
  }

  // --- the way in ---

  void on_accepted(int descriptor, const ip_bytes& from) {
    make_room(from);
    watch_silence(descriptor, options_.limits.silence_limit);
    auto handshake = std::make_shared<pipe_handshake>(
        shared_.loop, credentials_,
        [this](const std::string& name) { return judge_visitor(name); });
    const auto place = visitors_.insert(visitors_.end(), {handshake, from});
    handshake->start(descriptor, pipe_side::accepts, options_.now(),
                     std::chrono::steady_clock::now() + options_.limits.handshake_limit,
                     [this, place](caf::expected<proven_peer> outcome) {
                       on_visitor(place, std::move(outcome));
                     });
  }

  /// Mute connections must keep nobody out: the oldest one goes, which has had the most time.
  void make_room(const ip_bytes& from) {
    const auto is_from = [&](const visitor& each) { return each.from == from; };
    const auto same = static_cast<std::size_t>(std::ranges::count_if(visitors_, is_from));
    auto oldest = visitors_.end();
    if (same >= options_.limits.handshakes_per_address_max)
      oldest = std::ranges::find_if(visitors_, is_from);
    else if (visitors_.size() >= options_.limits.handshakes_max)
      oldest = visitors_.begin();
    if (oldest != visitors_.end())
      std::shared_ptr {
        oldest->handshake
        } -> fail(make_error(errc::rate_limited,
                             "too many handshakes at once: a newer one took its place"));
  }

  std::optional<std::string> judge_visitor(const std::string& name) {
    if (name == options_.name)
      return "its certificate carries this node's own name, " + name;
    if (!options_.may_enter(name))
      return "the node " + name + " may not enter";
    return find_want_of_room(name);
  }

  std::optional<std::string> find_want_of_room(const std::string& name) const {
    if (pipes_.contains(name) || pipes_.size() < options_.limits.pipes_max)
      return std::nullopt;
    return "no more than " + std::to_string(options_.limits.pipes_max) + " pipes";
  }

  void on_visitor(visitor_place place, caf::expected<proven_peer> outcome) {
    const auto from = to_text(place->from);
    visitors_.erase(place);
    auto failure = outcome ? enter(std::move(*outcome), false) : std::move(outcome.error());
    if (failure)
      options_.refused(from, failure);
  }

  // --- the way out ---

  void begin_dial(const std::string& peer, const std::string& address) {
    const auto endpoint = parse_named_endpoint(address);
    if (!endpoint || endpoint->port == 0)
      return options_.failed(peer, make_error(errc::invalid, address + ": is no host:port"));
    if (dials_.size() >= options_.limits.dials_max)
      return options_.failed(peer, make_error(errc::rate_limited, "too many dials are under way"));
    auto handshake = std::make_shared<pipe_handshake>(
        shared_.loop, credentials_,
        [this, peer](const std::string& name) { return judge_dialled(peer, name); });
    const auto dial = std::make_shared<pipe_dial>(shared_, options_.limits, *endpoint);
    dials_.insert(dial);
    dial->start(std::move(handshake), options_.now,
                [this, peer, of = dial.get()](caf::expected<proven_peer> outcome) {
                  on_dialled(of->shared_from_this(), peer, std::move(outcome));
                });
  }

  std::optional<std::string> judge_dialled(const std::string& peer, const std::string& name) {
    if (name != peer)
      return "its certificate is for the node " + name + ", not for " + peer;
    if (name == options_.name)
      return name + " is this node itself";
    return find_want_of_room(name);
  }

  void on_dialled(const dial_ptr& dial, const std::string& peer,
                  caf::expected<proven_peer> outcome) {
    dials_.erase(dial);
    auto failure = outcome ? enter(std::move(*outcome), true) : std::move(outcome.error());
    if (failure)
      options_.failed(peer, failure);
  }

  // --- pipes ---

  caf::error enter(proven_peer peer, bool dialled) {
    auto* ssl = peer.stream->ssl();
    if (peer.credentials != credentials_) // read anew in the meantime
      if (const auto fault = credentials_->find_fault(ssl, options_.now()))
        return make_error(errc::forbidden, *fault);
    if (const auto fault = find_want_of_room(peer.name))
      return make_error(errc::rate_limited, *fault);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return make_error(errc::unavailable, std::generic_category().message(errno));
    end_pipe(peer.name, make_error(errc::unavailable, "a newer pipe took its place"));
    const standing_pipe made{.pump = std::make_shared<pipe_pump>(
                                 shared_.loop, std::move(peer.stream), ends[0], options_.limits),
                             .peer_until = peer_valid_until(ssl),
                             .own_until = peer.credentials->valid_until()};
    pipes_.emplace(peer.name, made);
    options_.opened({.peer = peer.name, .dialled = dialled, .descriptor = ends[1]});
    made.pump->start(options_.make_guard ? options_.make_guard() : pipe_guard{},
                     [this, name = peer.name](pipe_pump&, const caf::error& why) {
                       pipes_.erase(name);
                       options_.closed(name, why);
                     });
    return caf::none;
  }

  void end_pipe(const std::string& peer, caf::error why) {
    if (const auto found = pipes_.find(peer); found != pipes_.end())
      std::shared_ptr {
        found->second.pump
        } -> stop(std::move(why));
  }

  /// Ends those pipes for which `find_fault(pipe)` has words.
  template <class FindFault>
  void end_faulty(FindFault find_fault) {
    std::vector<std::pair<std::string, std::string>> faulty; // ending one changes `pipes_`
    for (const auto& [name, pipe] : pipes_)
      if (auto fault = find_fault(pipe))
        faulty.emplace_back(name, std::move(*fault));
    for (const auto& [name, fault] : faulty)
      end_pipe(name, make_error(errc::forbidden, fault));
  }

  void adopt(std::shared_ptr<const node_credentials> fresh) {
    credentials_ = std::move(fresh);
    const auto now = options_.now();
    end_faulty([&](const standing_pipe& pipe) -> std::optional<std::string> {
      if (const auto fault = credentials_->find_fault(pipe.pump->ssl(), now))
        return "the peer would not be let in any more: " + *fault;
      return std::nullopt;
    });
  }

  void look_at_expiry() {
    const auto now = options_.now();
    end_faulty([&](const standing_pipe& pipe) -> std::optional<std::string> {
      if (pipe.peer_until <= now)
        return "the peer's certificate has expired";
      if (pipe.own_until <= now)
        return "this node's certificate of that time has expired";
      return std::nullopt;
    });
    expiry_timer_.expires_after(options_.limits.expiry_look);
    expiry_timer_.async_wait([this](boost::system::error_code failure) {
      if (!failure && busy_)
        look_at_expiry();
    });
  }

  // --- the end ---

  void stop() {
    if (!thread_.joinable())
      return;
    boost::asio::post(shared_.loop, [this] { end_all(); });
    thread_.join();
  }

  void end_all() {
    const auto why = make_error(errc::unavailable, "this node is ending");
    busy_.reset();
    listener_->stop();
    for (const auto& each : std::exchange(visitors_, {}))
      each.handshake->stop();
    while (!dials_.empty())
      dial_ptr {
        *dials_.begin()
        } -> fail(why); // which takes it out
    while (!pipes_.empty())
      end_pipe(std::string{pipes_.begin()->first}, why); // likewise
    names_->stop();
    shared_.limits.stop();
    expiry_timer_.cancel();
  }

  const node_pipe_options options_;
  client_shared shared_;
  std::unique_ptr<name_resolver> names_;
  std::shared_ptr<const node_credentials> credentials_;
  std::shared_ptr<pipe_listener> listener_;
  std::uint16_t port_ = 0;
  std::list<visitor> visitors_; ///< The oldest first.
  std::unordered_set<dial_ptr> dials_;
  std::map<std::string, standing_pipe> pipes_;
  boost::asio::steady_timer expiry_timer_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> busy_;
  std::thread thread_;
};

caf::expected<std::unique_ptr<node_pipes>> node_pipes::start(node_pipe_options options) {
  fill_in(options);
  auto inner = std::make_unique<impl>(std::move(options));
  if (auto failure = inner->open())
    return failure;
  inner->run();
  return std::unique_ptr<node_pipes>{new node_pipes{std::move(inner)}};
}

node_pipes::node_pipes(std::unique_ptr<impl> inner) : impl_{std::move(inner)} {}

node_pipes::~node_pipes() = default;

std::uint16_t node_pipes::port() const {
  return impl_->port();
}

void node_pipes::dial(std::string peer, std::string address) {
  impl_->dial(std::move(peer), std::move(address));
}

void node_pipes::close(std::string peer) {
  impl_->close(std::move(peer));
}

caf::error node_pipes::reload() {
  return impl_->reload();
}

} // namespace trunkline
