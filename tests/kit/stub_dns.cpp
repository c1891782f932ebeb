#include "tests/kit/stub_dns.hpp"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline::kit {

namespace {

constexpr int ports_tried_max = 50;
constexpr std::size_t udp_bytes_max = 512;
constexpr std::size_t head_bytes = 12;
constexpr int type_a = 1;
constexpr int type_aaaa = 28;

void put16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

unsigned get16(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) << 8 | static_cast<unsigned char>(text[at + 1]);
}

/// Adds one record when `address` is of the type that is wanted.
bool put_record(std::string& out, const std::string& address, unsigned type, std::uint32_t ttl) {
  std::array<char, 16> bytes{};
  const auto family = type == type_a ? AF_INET : AF_INET6;
  if (inet_pton(family, address.c_str(), bytes.data()) != 1)
    return false;
  const auto size = type == type_a ? 4U : 16U;
  put16(out, 0xc000 | head_bytes); // the name of the question
  put16(out, type);
  put16(out, 1);
  put16(out, ttl >> 16);
  put16(out, ttl & 0xffff);
  put16(out, size);
  out.append(bytes.data(), size);
  return true;
}

} // namespace

stub_dns::stub_dns(script ask) : ask_{std::move(ask)} {
  auto bound = bind_both();
  for (auto tries = 1; !bound && tries < ports_tried_max; ++tries)
    bound = bind_both();
  if (!bound || ::listen(tcp_, 16) != 0 || ::pipe(stop_) != 0)
    throw std::runtime_error{"the name server cannot listen"};
  thread_ = std::thread{[this] { run(); }};
}

/// A port that is free for UDP may be in use for TCP: false, then.
bool stub_dns::bind_both() {
  ::close(udp_);
  ::close(tcp_);
  udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof where;
  auto* address = reinterpret_cast<sockaddr*>(&where);
  if (::bind(udp_, address, bytes) != 0 || ::getsockname(udp_, address, &bytes) != 0)
    return false;
  port_ = ntohs(where.sin_port);
  return ::bind(tcp_, address, bytes) == 0;
}

stub_dns::~stub_dns() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(udp_);
  ::close(tcp_);
}

int stub_dns::asked(const std::string& name) const {
  const std::lock_guard lock{mutex_};
  const auto found = asked_.find(name);
  return found == asked_.end() ? 0 : found->second;
}

void stub_dns::run() {
  for (;;) {
    std::array<pollfd, 3> ready{pollfd{stop_[0], POLLIN, 0}, pollfd{udp_, POLLIN, 0},
                                pollfd{tcp_, POLLIN, 0}};
    ::poll(ready.data(), ready.size(), -1);
    if (ready[0].revents != 0)
      return;
    if (ready[1].revents != 0)
      serve_udp();
    if (ready[2].revents != 0)
      serve_tcp();
  }
}

void stub_dns::serve_udp() {
  std::array<char, 1500> room;
  sockaddr_in from{};
  socklen_t bytes = sizeof from;
  auto* address = reinterpret_cast<sockaddr*>(&from);
  const auto got = ::recvfrom(udp_, room.data(), room.size(), 0, address, &bytes);
  if (got <= 0)
    return;
  const auto out = reply({room.data(), static_cast<std::size_t>(got)}, false);
  if (!out.empty())
    ::sendto(udp_, out.data(), out.size(), 0, address, bytes);
}

void stub_dns::serve_tcp() {
  const auto peer = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
  const timeval limit{2, 0};
  setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::array<char, 1500> room;
  for (;;) {
    if (::recv(peer, room.data(), 2, MSG_WAITALL) != 2)
      break;
    const auto size = get16({room.data(), 2}, 0);
    if (size > room.size() || ::recv(peer, room.data(), size, MSG_WAITALL) != ssize_t{size})
      break;
    const auto body = reply({room.data(), size}, true);
    std::string out;
    put16(out, static_cast<unsigned>(body.size()));
    out += body;
    ::send(peer, out.data(), out.size(), MSG_NOSIGNAL);
  }
  ::close(peer);
}

std::string stub_dns::reply(std::string_view query, bool over_tcp) {
  std::string name;
  auto at = head_bytes;
  while (at < query.size() && query[at] != 0) {
    const auto size = static_cast<std::size_t>(query[at]);
    name.append(name.empty() ? "" : ".").append(query.substr(at + 1, size));
    at += size + 1;
  }
  auto type = get16(query, at + 1);
  int before = 0;
  {
    const std::lock_guard lock{mutex_};
    before = asked_[name];
    if (type == type_a && !over_tcp)
      ++asked_[name];
  }
  const auto answer = ask_(name, before);
  if (answer.silent)
    return "";
  const auto question = std::string{query.substr(head_bytes, at + 5 - head_bytes)};
  std::string records;
  unsigned count = 0;
  if (answer.swapped)
    type = type == type_a ? type_aaaa : type_a;
  for (const auto& address : answer.addresses)
    count += put_record(records, address, type, answer.ttl) ? 1 : 0;
  const auto fits = over_tcp || head_bytes + question.size() + records.size() <= udp_bytes_max;
  std::string out{query.substr(0, 2)};
  put16(out, 0x8180U | (fits ? 0U : 0x0200U) | static_cast<unsigned>(answer.code));
  put16(out, 1);
  put16(out, fits ? count : 0);
  put16(out, 0);
  put16(out, 0);
  return out + question + (fits ? records : "");
}

} // namespace trunkline::kit
