/// Tells systemd how the service is: one datagram each to the socket in NOTIFY_SOCKET, no library.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

class service_notify {
public:
  /// `address` is NOTIFY_SOCKET (a path, or '@' and an abstract name); "" makes every call do
  /// nothing.
  explicit service_notify(std::string address) : address_{std::move(address)} {}

  /// Sends "READY=1", "STOPPING=1", "WATCHDOG=1" or "STATUS=..."; lines may be joined with '\n'.
  /// Never blocks; returns whether somebody took it.
  bool send(std::string_view state) const;

private:
  std::string address_;
};

/// Returns how often the watchdog wants to hear from us, half of WATCHDOG_USEC; nothing when it is
/// not asked for, or asked of another process.
std::optional<std::chrono::microseconds> watchdog_interval(const char* watchdog_usec,
                                                           const char* watchdog_pid, int own_pid);

} // namespace trunkline
