#include "bench/farm_server.hpp"

#include "bench/farm_answers.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline::bench {

namespace {

constexpr auto turns_per_wait = 512;
constexpr std::size_t room_bytes = 256 << 10;
constexpr auto longest_wait_ms = 200;
constexpr auto drip_ns = std::int64_t{1'000'000'000};
constexpr auto listener_mark = std::uint64_t{1} << 63;

std::int64_t wall_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int port_of(int listener) {
  auto where = sockaddr_in{};
  auto bytes = socklen_t{sizeof where};
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&where), &bytes);
  return ntohs(where.sin_port);
}

} // namespace

std::string address_of_host(std::size_t number) {
  return "127.1." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1);
}

farm_server::farm_server(farm_options options)
    : options_{std::move(options)},
      hosts_(options_.hosts), checks_{options_.signature_sample}, records_{options_.hosts, {}},
      public_key_{read_public_key(options_.public_key_file)}, epoll_{::epoll_create1(
                                                                  EPOLL_CLOEXEC)},
      room_(room_bytes) {
  if (hosts_.empty() || hosts_.size() > farm_hosts_max)
    throw std::runtime_error{"between 1 and 62500 hosts"};
  control_listener_ = listen_on("127.0.0.1", options_.control_port, control_host);
  options_.control_port = port_of(control_listener_);
  for (auto number = std::uint32_t{0}; number < hosts_.size(); ++number) {
    hosts_[number].listener = listen_on(address_of_host(number), options_.port, number);
    options_.port = port_of(hosts_[number].listener);
  }
}

farm_server::~farm_server() {
  for (const auto& host : hosts_)
    ::close(host.listener);
  for (const auto& peer : connections_)
    if (peer)
      ::close(peer->fd);
  ::close(control_listener_);
  ::close(epoll_);
}

int farm_server::listen_on(const std::string& address, int port, std::uint32_t host) {
  const auto listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const auto yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  auto where = sockaddr_in{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  if (listener < 0 ||
      ::bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 ||
      ::listen(listener, 1'024) != 0)
    throw std::runtime_error{address + ":" + std::to_string(port) + ": cannot listen, error " +
                             std::to_string(errno)};
  auto wish = epoll_event{.events = EPOLLIN, .data = {.u64 = listener_mark | host}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &wish);
  return listener;
}

void farm_server::run(const control& answer, const std::function<bool()>& is_over) {
  control_ = &answer;
  auto turns = std::array<epoll_event, turns_per_wait>{};
  while (!is_over()) {
    const auto count = ::epoll_wait(epoll_, turns.data(), turns_per_wait, wait_ms());
    for (auto at = 0; at < count; ++at) {
      const auto& turn = turns[static_cast<std::size_t>(at)];
      const auto low = static_cast<std::uint32_t>(turn.data.u64);
      if (turn.data.u64 & listener_mark) {
        accept_all(low);
        continue;
      }
      auto* peer = find(static_cast<int>(low), static_cast<std::uint32_t>(turn.data.u64 >> 32));
      if (peer && turn.events & EPOLLOUT)
        send_waiting(*peer);
      if (peer && peer->fd >= 0 && turn.events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_from(*peer);
    }
    fire_timers();
    ended_.clear();
  }
}

int farm_server::wait_ms() const {
  if (timers_.empty())
    return longest_wait_ms;
  const auto left = (timers_.top().due_ns - steady_ns() + 999'999) / 1'000'000;
  return static_cast<int>(std::clamp(left, std::int64_t{0}, std::int64_t{longest_wait_ms}));
}

void farm_server::follow_script(std::size_t number, const host_script& script) {
  auto& host = hosts_[number];
  host.script = script;
  host.state = {.began_ns = steady_ns(), .requests = 0};
  const auto index = static_cast<std::uint32_t>(number);
  if (script.mode != host_mode::refuse && host.listener < 0)
    host.listener = listen_on(address_of_host(number), options_.port, index);
  if (script.mode != host_mode::refuse || host.listener < 0)
    return;
  ::close(host.listener);
  host.listener = -1;
  close_all_of(index);
}

void farm_server::reset() {
  records_.reset();
  checks_.reset();
  for (auto& host : hosts_) {
    host.connections = host.posts = host.gets = host.taken = host.repeated = 0;
    host.open_most = host.open;
    host.first_ns = host.last_ns = 0;
  }
}

void farm_server::accept_all(std::uint32_t host) {
  const auto listener = host == control_host ? control_listener_ : hosts_[host].listener;
  for (;;) {
    const auto fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    const auto yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto peer = std::make_unique<connection>();
    peer->fd = fd;
    peer->host = host;
    peer->generation = ++generations_ & 0x7fffffff;
    if (host != control_host)
      ++hosts_[host].connections;
    auto wish = epoll_event{
        .events = EPOLLIN,
        .data = {.u64 = std::uint64_t{peer->generation} << 32 | static_cast<std::uint32_t>(fd)}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wish);
    if (connections_.size() <= static_cast<std::size_t>(fd))
      connections_.resize(static_cast<std::size_t>(fd) + 1);
    connections_[static_cast<std::size_t>(fd)] = std::move(peer);
  }
}

farm_server::connection* farm_server::find(int fd, std::uint32_t generation) {
  const auto at = static_cast<std::size_t>(fd);
  auto* peer = at < connections_.size() ? connections_[at].get() : nullptr;
  return peer && peer->generation == generation ? peer : nullptr;
}

void farm_server::read_from(connection& peer) {
  const auto got = ::recv(peer.fd, room_.data(), room_.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    close(peer);
    return;
  }
  const auto fresh = std::string_view{room_.data(), static_cast<std::size_t>(got)};
  if (peer.in.empty()) { // as a rule: a whole request in one piece, and no copy
    const auto used = serve(peer, fresh);
    if (peer.fd >= 0)
      peer.in.assign(fresh.substr(used));
    return;
  }
  peer.in.append(fresh);
  const auto used = serve(peer, peer.in);
  if (peer.fd >= 0)
    peer.in.erase(0, used);
}

std::size_t farm_server::serve(connection& peer, std::string_view text) {
  auto used = std::size_t{0};
  if (peer.host != control_host && hosts_[peer.host].script.mode == host_mode::tls_broken) {
    send(peer, "\x15\x03 neither TLS nor HTTP\r\n");
    close(peer);
    return 0;
  }
  auto request = farm_request{};
  while (peer.fd >= 0 && used < text.size()) {
    const auto how = read_request(text.substr(used), request);
    if (how == reading::more)
      break;
    if (how == reading::broken) {
      close(peer);
      break;
    }
    serve_request(peer, request);
    used += request.bytes;
  }
  return used;
}

void farm_server::serve_request(connection& peer, const farm_request& request) {
  peer.closes = peer.closes || request.is_last;
  ++peer.waiting;
  if (peer.host == control_host) {
    auto status = 200;
    const auto body = (*control_)(request, status);
    answer(peer, http_answer(status, "application/json", body));
    return;
  }
  auto& host = hosts_[peer.host];
  host.open_most = std::max(host.open_most, ++host.open);
  const auto is_get = request.method != "POST";
  auto turn = next_turn(host.script, host.state, is_get, steady_ns(), random_);
  if (peer.is_fresh) // connecting costs a round trip as well
    turn.delay_ms += host.script.latency_ms;
  peer.is_fresh = false;
  if (is_get) {
    ++host.gets;
    const auto document = document_of(header_of(request, "host"), request.target, public_key_);
    react(peer, turn, answer_of_get(turn, document));
    return;
  }
  const auto now = wall_ns();
  ++host.posts;
  host.last_ns = now;
  if (host.posts == 1)
    host.first_ns = now;
  const auto hash = checks_.check(request);
  if (turn.is_handled) {
    ++host.taken;
    host.repeated += records_.note(hash, request.body, peer.host, now);
  }
  if (turn.how == reaction::answer && turn.status == 202 && turn.delay_ms == 0)
    answer(peer, accepted_answer);
  else
    react(peer, turn, answer_of_post(turn));
}

void farm_server::react(connection& peer, const script_turn& turn, std::string text) {
  switch (turn.how) {
  case reaction::silence:
    return;
  case reaction::reset:
  case reaction::garbage:
    close(peer, true);
    return;
  case reaction::drip:
    peer.drips = true;
    peer.out = std::move(text);
    timers_.push({steady_ns() + drip_ns, peer.fd, peer.generation, {}});
    return;
  case reaction::answer:
    if (turn.delay_ms == 0)
      answer(peer, text);
    else
      timers_.push({steady_ns() + std::int64_t{turn.delay_ms} * 1'000'000, peer.fd, peer.generation,
                    std::move(text)});
  }
}

void farm_server::answer(connection& peer, std::string_view text) {
  --peer.waiting;
  if (peer.host != control_host)
    --hosts_[peer.host].open;
  send(peer, text);
}

void farm_server::send(connection& peer, std::string_view text) {
  if (!peer.out.empty()) {
    peer.out.append(text);
    return;
  }
  const auto sent = ::send(peer.fd, text.data(), text.size(), MSG_NOSIGNAL);
  const auto used = sent > 0 ? static_cast<std::size_t>(sent) : std::size_t{0};
  if (used < text.size()) {
    peer.out.assign(text.substr(used));
    send_waiting(peer);
  } else if (peer.closes) {
    close(peer);
  }
}

void farm_server::send_waiting(connection& peer) {
  while (!peer.out.empty() && !peer.drips) {
    const auto sent = ::send(peer.fd, peer.out.data(), peer.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      close(peer);
      return;
    }
    if (sent <= 0)
      break;
    peer.out.erase(0, static_cast<std::size_t>(sent));
  }
  if (peer.out.empty() && peer.closes) {
    close(peer);
    return;
  }
  const auto awaits_room = !peer.out.empty() && !peer.drips;
  if (awaits_room == peer.awaits_room)
    return;
  peer.awaits_room = awaits_room;
  auto wish = epoll_event{
      .events = EPOLLIN | (awaits_room ? std::uint32_t{EPOLLOUT} : 0U),
      .data = {.u64 = std::uint64_t{peer.generation} << 32 | static_cast<std::uint32_t>(peer.fd)}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, peer.fd, &wish);
}

void farm_server::drip_on(connection& peer) {
  ::send(peer.fd, peer.out.data(), 1, MSG_NOSIGNAL);
  peer.out.erase(0, 1);
  if (!peer.out.empty()) {
    timers_.push({steady_ns() + drip_ns, peer.fd, peer.generation, {}});
    return;
  }
  peer.drips = false;
  answer(peer, {});
}

void farm_server::fire_timers() {
  const auto now = steady_ns();
  while (!timers_.empty() && timers_.top().due_ns <= now) {
    const auto due = timers_.top();
    timers_.pop();
    auto* peer = find(due.fd, due.generation);
    if (peer && due.text.empty() && !peer->out.empty())
      drip_on(*peer);
    else if (peer && !due.text.empty())
      answer(*peer, due.text);
  }
}

void farm_server::close(connection& peer, bool with_reset) {
  if (peer.fd < 0)
    return;
  if (with_reset) {
    const auto at_once = linger{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  if (peer.host != control_host)
    hosts_[peer.host].open -= peer.waiting;
  const auto at = static_cast<std::size_t>(peer.fd);
  ::close(peer.fd);
  peer.fd = -1;
  ended_.push_back(std::move(connections_[at]));
}

void farm_server::close_all_of(std::uint32_t host) {
  for (std::size_t at = 0; at < connections_.size(); ++at)
    if (connections_[at] && connections_[at]->host == host)
      close(*connections_[at], true);
}

} // namespace trunkline::bench
