#include "engine/service_notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace trunkline {

namespace {

std::optional<long long> parse_number(const char* text) {
  if (text == nullptr)
    return std::nullopt;
  auto number = 0LL;
  const auto* end = text + std::strlen(text);
  const auto [stop, problem] = std::from_chars(text, end, number);
  if (problem != std::errc{} || stop != end || number <= 0)
    return std::nullopt;
  return number;
}

} // namespace

bool service_notify::send(std::string_view state) const {
  auto name = sockaddr_un{};
  if (address_.size() < 2 || address_.size() >= sizeof name.sun_path)
    return false;
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, address_.data(), address_.size());
  if (address_.front() == '@')
    name.sun_path[0] = '\0';
  const auto socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0)
    return false;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const auto sent = ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&name), length);
  ::close(socket);
  return sent == static_cast<ssize_t>(state.size());
}

std::optional<std::chrono::microseconds> watchdog_interval(const char* watchdog_usec,
                                                           const char* watchdog_pid, int own_pid) {
  const auto interval = parse_number(watchdog_usec);
  const auto pid = parse_number(watchdog_pid);
  if (!interval || (watchdog_pid != nullptr && pid != own_pid))
    return std::nullopt;
  return std::chrono::microseconds{*interval / 2};
}

} // namespace trunkline
