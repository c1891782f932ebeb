#include "net/name_resolver.hpp"

#include "net/known_names.hpp"
#include "net/lookup_queue.hpp"
#include "protocol/errc.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>

#include <ares.h>
#include <netinet/in.h>

namespace trunkline {

namespace {

using boost::system::error_code;
using std::chrono::steady_clock;
using descriptor = boost::asio::posix::stream_descriptor;

constexpr std::size_t v4_begin = 12;
constexpr int tries = 2; ///< c-ares waits twice as long the second time.

struct watched_socket {
  explicit watched_socket(boost::asio::io_context& loop, int fd) : socket{loop, fd} {}

  descriptor socket;
  bool wants_read = false;
  bool wants_write = false;
  bool awaits_read = false;
  bool awaits_write = false;
};

struct looked_up {
  name_answer answer;
  std::chrono::nanoseconds kept{0};
};

ip_bytes bytes_of(const sockaddr* address) {
  ip_bytes ip{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address->sa_family == AF_INET)
    std::memcpy(ip.data() + v4_begin, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
  else
    std::memcpy(ip.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, ip.size());
  return ip;
}

looked_up read_addresses(const ares_addrinfo& found, const http_client_options& options) {
  looked_up result{.kept = options.name_kept_max};
  auto& addresses = result.answer.addresses;
  // IPv4 first: whoever has no route to IPv6 would wait for nothing.
  for (const auto family : {AF_INET, AF_INET6})
    for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
      result.kept =
          std::min<std::chrono::nanoseconds>(result.kept, std::chrono::seconds{node->ai_ttl});
      if (node->ai_family != family || addresses.size() >= options.addresses_max)
        continue;
      const auto ip = bytes_of(node->ai_addr);
      if (std::ranges::find(addresses, ip) == addresses.end())
        addresses.push_back(ip);
    }
  result.kept = std::max(result.kept, options.name_kept_min);
  addresses.shrink_to_fit();
  return result;
}

looked_up read_result(int status, const ares_addrinfo* found, const http_client_options& options) {
  if (status == ARES_SUCCESS && found != nullptr && found->nodes != nullptr)
    return read_addresses(*found, options);
  if (status == ARES_ENOTFOUND)
    return {{.reason = "the name does not exist", .is_unknown = true}, options.unknown_name_kept};
  if (status == ARES_SUCCESS || status == ARES_ENODATA)
    return {{.reason = "the name has no address"}, options.failure_kept};
  if (status == ARES_ETIMEOUT)
    return {{.reason = "no answer about the name", .timed_out = true}, options.failure_kept};
  return {{.reason = ares_strerror(status)}, options.failure_kept};
}

void start_library() {
  static std::once_flag started;
  std::call_once(started, [] { ares_library_init(ARES_LIB_INIT_ALL); });
}

} // namespace

class name_resolver::impl {
public:
  explicit impl(client_shared& shared)
      : shared_{shared}, known_{shared.options.known_hosts_max},
        queue_{shared.options.lookups_max, shared.options.lookups_per_domain_max},
        timer_{shared.loop} {}
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() { stop(); }

  caf::error open() {
    start_library();
    ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH;
    options.timeout = static_cast<int>(
        std::chrono::ceil<std::chrono::milliseconds>(shared_.options.name_limit / 5).count());
    options.tries = tries;
    options.sock_state_cb = [](void* self, int fd, int readable, int writable) {
      static_cast<impl*>(self)->watch(fd, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    auto mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    char dns_alone[] = "b";
    if (!shared_.options.name_servers.empty()) {
      options.lookups = dns_alone;
      mask |= ARES_OPT_LOOKUPS;
    }
    if (ares_init_options(&channel_, &options, mask) != ARES_SUCCESS)
      return make_error(errc::config_invalid, "name_servers: the system's cannot be read");
    std::string servers;
    for (const auto& server : shared_.options.name_servers)
      servers += (servers.empty() ? "" : ",") + server;
    if (!servers.empty() && ares_set_servers_ports_csv(channel_, servers.c_str()) != ARES_SUCCESS)
      return make_error(errc::config_invalid, "name_servers: no address and port: " + servers);
    return caf::none;
  }

  const name_answer* find(const std::string& name) {
    return known_.find(name, steady_clock::now());
  }

  void look_up(const std::string& name, std::weak_ptr<name_waiter> waiter) {
    const auto [found, is_new] = waiting_.try_emplace(name);
    found->second.push_back(std::move(waiter));
    if (!is_new)
      return;
    queue_.push(name);
    begin_some();
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    if (channel_ != nullptr)
      ares_destroy(std::exchange(channel_, nullptr));
    sockets_.clear();
  }

private:
  struct lookup {
    impl* self;
    lookup_queue::turn turn;
  };

  using waiter_list = std::vector<std::weak_ptr<name_waiter>>;

  void begin_some() {
    while (!stopped_) {
      auto turn = queue_.next();
      if (!turn)
        break;
      const auto waited = waiting_.find(turn->name);
      // Who waited too long is gone: nobody wants this any more.
      if (std::ranges::all_of(waited->second, [](const auto& one) { return one.expired(); })) {
        waiting_.erase(waited);
        queue_.end(turn->domain);
      } else {
        begin(std::move(*turn));
      }
    }
    if (!stopped_)
      arm_timer();
  }

  void begin(lookup_queue::turn turn) {
    ++shared_.counts.lookups;
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT; // sorting would open a socket for every address
    const auto name = turn.name;     // what c-ares is given may be gone when it comes back
    ares_getaddrinfo(
        channel_, name.c_str(), nullptr, &hints,
        [](void* argument, int status, int, ares_addrinfo* found) {
          const std::unique_ptr<lookup> done{static_cast<lookup*>(argument)};
          if (status != ARES_EDESTRUCTION)
            done->self->end(done->turn, read_result(status, found, done->self->shared_.options));
          if (found != nullptr)
            ares_freeaddrinfo(found);
        },
        new lookup{this, std::move(turn)});
  }

  /// May be called in the middle of c-ares: what follows waits for the loop.
  void end(const lookup_queue::turn& turn, looked_up result) {
    queue_.end(turn.domain);
    auto waiters = std::move(waiting_.extract(turn.name).mapped());
    known_.keep(turn.name, result.answer, steady_clock::now() + result.kept);
    shared_.counts.known_hosts = known_.size();
    boost::asio::post(shared_.loop,
                      [this, waiters = std::move(waiters), answer = std::move(result.answer)] {
                        for (const auto& waiter : waiters)
                          if (const auto alive = waiter.lock())
                            alive->on_name(answer);
                        begin_some();
                      });
  }

  void watch(int fd, bool read, bool write) {
    if (!read && !write) {
      const auto found = sockets_.find(fd);
      if (found == sockets_.end())
        return;
      found->second->socket.release(); // c-ares closes it
      sockets_.erase(found);
      return;
    }
    auto& watched = sockets_[fd];
    if (!watched)
      watched = std::make_shared<watched_socket>(shared_.loop, fd);
    watched->wants_read = read;
    watched->wants_write = write;
    await(watched);
  }

  void await(const std::shared_ptr<watched_socket>& watched) {
    if (watched->wants_read && !std::exchange(watched->awaits_read, true))
      watched->socket.async_wait(descriptor::wait_read, [this, watched](error_code failure) {
        watched->awaits_read = false;
        if (!failure && watched->socket.is_open())
          go_on(watched, true);
      });
    if (watched->wants_write && !std::exchange(watched->awaits_write, true))
      watched->socket.async_wait(descriptor::wait_write, [this, watched](error_code failure) {
        watched->awaits_write = false;
        if (!failure && watched->socket.is_open())
          go_on(watched, false);
      });
  }

  void go_on(const std::shared_ptr<watched_socket>& watched, bool can_read) {
    const auto fd = watched->socket.native_handle();
    ares_process_fd(channel_, can_read ? fd : ARES_SOCKET_BAD, can_read ? ARES_SOCKET_BAD : fd);
    if (watched->socket.is_open())
      await(watched);
    arm_timer();
  }

  void arm_timer() {
    timeval wait{};
    if (ares_timeout(channel_, nullptr, &wait) == nullptr) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(std::chrono::seconds{wait.tv_sec} +
                         std::chrono::microseconds{wait.tv_usec});
    timer_.async_wait([this](error_code failure) {
      if (failure || stopped_)
        return;
      ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      arm_timer();
    });
  }

  client_shared& shared_;
  known_names known_;
  lookup_queue queue_; ///< At most one for each request in flight, and those that left.
  boost::asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  std::unordered_map<int, std::shared_ptr<watched_socket>> sockets_;
  std::unordered_map<std::string, waiter_list> waiting_; ///< Being looked up, or in the queue.
  bool stopped_ = false;
};

caf::expected<std::unique_ptr<name_resolver>> name_resolver::make(client_shared& shared) {
  auto inner = std::make_unique<impl>(shared);
  if (auto failure = inner->open())
    return failure;
  return std::unique_ptr<name_resolver>{new name_resolver{std::move(inner)}};
}

name_resolver::name_resolver(std::unique_ptr<impl> inner) : impl_{std::move(inner)} {}

name_resolver::~name_resolver() = default;

const name_answer* name_resolver::find(const std::string& name) {
  return impl_->find(name);
}

void name_resolver::look_up(const std::string& name, std::weak_ptr<name_waiter> waiter) {
  impl_->look_up(name, std::move(waiter));
}

void name_resolver::stop() {
  impl_->stop();
}

} // namespace trunkline
