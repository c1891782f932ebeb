/// INTERNAL to net: looks up the addresses of names with c-ares, and remembers them.
///
/// Requests for one name share a look-up. Look-ups in flight, those that wait and the answers kept
/// are bounded, and no registrable domain has more than a share of them: one whose name servers
/// hang holds nobody up. Belongs to the client's thread.
#pragma once

#include "net/client_shared.hpp"

#include <caf/expected.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// The addresses of a name, IPv4 first, not judged yet; or why there are none.
struct name_answer {
  std::vector<ip_bytes> addresses;
  std::string_view reason; ///< Static text.
  bool is_unknown = false; ///< NXDOMAIN.
  bool timed_out = false;
};

class name_waiter {
public:
  name_waiter() = default;
  name_waiter(const name_waiter&) = delete;
  name_waiter& operator=(const name_waiter&) = delete;
  virtual ~name_waiter() = default;

  virtual void on_name(const name_answer& answer) = 0;
};

class name_resolver {
public:
  /// Fails with `errc::config_invalid`, naming the option.
  static caf::expected<std::unique_ptr<name_resolver>> make(client_shared& shared);

  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;
  ~name_resolver();

  /// Returns what is remembered of `name`, or null. Valid until the next call.
  const name_answer* find(const std::string& name);

  /// Looks `name` up and tells `waiter` if it still lives then; never before this returns.
  void look_up(const std::string& name, std::weak_ptr<name_waiter> waiter);

  /// Ends all look-ups without telling anybody.
  void stop();

private:
  class impl;
  explicit name_resolver(std::unique_ptr<impl> inner);
  std::unique_ptr<impl> impl_;
};

} // namespace trunkline
