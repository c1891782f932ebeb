#include "net/pipe_dial.hpp"

#include "protocol/errc.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline {

namespace {

using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t v4_begin = 12;
constexpr std::size_t host_bytes_max = 253;

struct dial_address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
};

dial_address address_of(const ip_bytes& ip, std::uint16_t port) {
  dial_address address;
  if (is_ipv4(ip)) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, ip.data() + v4_begin, 4);
    address.bytes = sizeof v4;
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, ip.data(), ip.size());
  address.bytes = sizeof v6;
  return address;
}

std::string connect_words(int failure) {
  return std::generic_category().message(failure);
}

/// Begins to connect; -1 with `errno` set when that cannot be.
int begin_connect(const dial_address& address, std::chrono::nanoseconds silence_limit) {
  const auto descriptor =
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -1;
  watch_silence(descriptor, silence_limit);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.bytes) ==
          0 ||
      errno == EINPROGRESS)
    return descriptor;
  const auto failure = errno;
  ::close(descriptor);
  errno = failure;
  return -1;
}

} // namespace

std::optional<named_endpoint> parse_named_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  const auto is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed)
    host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc{} || end != digits.data() + digits.size() || host.empty() ||
      host.size() > host_bytes_max || is_bracketed != (host.find(':') != std::string_view::npos) ||
      host.find('\0') != std::string_view::npos)
    return std::nullopt;
  return named_endpoint{std::string{host}, port};
}

pipe_dial::pipe_dial(client_shared& shared, const node_pipe_limits& limits, named_endpoint endpoint)
    : shared_{shared}, limits_{limits}, endpoint_{std::move(endpoint)}, timer_{shared.loop},
      socket_{shared.loop}, until_{steady_clock::now() + limits.handshake_limit} {}

void pipe_dial::start(std::shared_ptr<pipe_handshake> handshake, wall_clock now,
                      end_handler ended) {
  handshake_ = std::move(handshake);
  now_ = std::move(now);
  ended_ = std::move(ended);
  arm();
  boost::asio::post(shared_.loop, [self = shared_from_this()] { self->find_addresses(); });
}

void pipe_dial::fail(caf::error why) {
  if (!is_over_)
    end(std::move(why));
}

void pipe_dial::find_addresses() {
  if (is_over_)
    return;
  if (const auto ip = parse_ip(endpoint_.host))
    return on_name({.addresses = {*ip}});
  if (const auto* known = shared_.names->find(endpoint_.host))
    return on_name(*known);
  shared_.names->look_up(endpoint_.host, weak_from_this());
}

void pipe_dial::on_name(const name_answer& answer) {
  if (is_over_ || std::exchange(has_names_, true))
    return;
  if (answer.addresses.empty())
    return fail(make_error(errc::unavailable, endpoint_.host + ": " + std::string{answer.reason}));
  addresses_ = answer.addresses;
  addresses_.resize(std::min(addresses_.size(), limits_.addresses_max));
  connect_next();
}

void pipe_dial::connect_next() {
  while (tried_ < addresses_.size()) {
    const auto address = address_of(addresses_[tried_++], endpoint_.port);
    const auto descriptor = begin_connect(address, limits_.silence_limit);
    if (descriptor < 0) {
      last_words_ = connect_words(errno);
      continue;
    }
    error_code ignored;
    socket_.assign(descriptor, ignored);
    socket_.async_wait(boost::asio::posix::descriptor_base::wait_write,
                       [self = shared_from_this()](error_code failure) {
                         if (!failure && !self->is_over_)
                           self->on_connected();
                       });
    return arm();
  }
  fail(make_error(errc::unavailable, endpoint_.host + ": " + last_words_));
}

void pipe_dial::on_connected() {
  int fault = 0;
  socklen_t bytes = sizeof fault;
  if (getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &fault, &bytes) != 0)
    fault = errno;
  if (fault == 0)
    return shake_hands();
  last_words_ = connect_words(fault);
  error_code ignored;
  socket_.close(ignored);
  connect_next();
}

void pipe_dial::shake_hands() {
  timer_.cancel(); // the handshake has its own
  handshake_->start(socket_.release(), pipe_side::dials, now_(), until_,
                    [self = shared_from_this()](caf::expected<proven_peer> outcome) {
                      self->end(std::move(outcome));
                    });
}

/// A dead address does not cost the others their time: each has its share of what is left.
void pipe_dial::arm() {
  const auto now = steady_clock::now();
  const auto shares = static_cast<std::int64_t>(addresses_.size() - tried_) + 1;
  timer_.expires_at(now + (until_ - now) / shares);
  timer_.async_wait([self = shared_from_this()](error_code failure) {
    if (failure || self->is_over_)
      return;
    self->last_words_ = "no answer in time";
    if (self->tried_ >= self->addresses_.size())
      return self->fail(
          make_error(errc::timed_out, self->endpoint_.host + ": " + self->last_words_));
    error_code ignored;
    self->socket_.close(ignored);
    self->connect_next();
  });
}

void pipe_dial::end(caf::expected<proven_peer> outcome) {
  const auto self = shared_from_this();
  is_over_ = true;
  error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
  std::exchange(handshake_, nullptr)->stop();
  std::exchange(ended_, nullptr)(std::move(outcome));
}

} // namespace trunkline
