/// How a node sends its requests to other servers: by the engine's own HTTP client, by the
/// embedder's transport, or in the network of a virtual world.
#pragma once

#include "net/http_client.hpp"
#include "net/http_exchange.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace trunkline {

class node_sender : public http_sender {
public:
  /// Ends every request with a failure and refuses further ones. A second call does nothing.
  virtual void stop() = 0;

  /// May be called from any thread.
  virtual http_client_counters counters() const = 0;
};

/// Starts the engine's own client. Fails with `errc::config_invalid`, naming the option.
caf::expected<std::shared_ptr<node_sender>> start_own_client(http_client_options options);

/// The requests that somebody else sends for a node: each is ended once, whatever comes of it. Any
/// thread may call the members.
class open_requests {
public:
  static constexpr std::size_t requests_max = 4'096;

  /// Keeps `done` and returns its number; 0 when it was stopped or has no room: then `done` has
  /// got a failure. `id` is that of the request, for `cancel`; 0: none.
  std::uint64_t begin(exchange_handler done, std::uint64_t id = 0);

  /// Gives the outcome to whoever waits for it; nothing when it has been ended before.
  void end(std::uint64_t number, exchange_outcome outcome);

  /// Ends the request with this id early, with a timeout; nothing when there is none.
  void cancel(std::uint64_t id);

  /// Ends what began before the last call of this, with a timeout.
  void end_aged();

  /// Ends all and refuses what comes.
  void stop();

  http_client_counters counters() const;

private:
  struct request {
    exchange_handler done;
    std::uint64_t id = 0;
    bool is_aged = false;
  };

  mutable std::mutex mutex_;                                 ///< Guards what follows.
  std::map<std::uint64_t, request> open_;                    ///< By number: the oldest end first.
  std::unordered_map<std::uint64_t, std::uint64_t> numbers_; ///< Of the requests with an id.
  std::uint64_t last_ = 0;
  bool stopped_ = false;
  http_client_counters counters_;
};

/// An outcome without an answer.
exchange_outcome exchange_failed(exchange_phase phase, std::string reason);

} // namespace trunkline
