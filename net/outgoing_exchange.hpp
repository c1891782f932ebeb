/// INTERNAL to net: one request of an `http_client` on its way, from its name to its answer.
///
/// Belongs to the client's thread. Tells its caller once, whatever happens.
#pragma once

#include "net/answer_reader.hpp"
#include "net/client_connection.hpp"
#include "net/client_shared.hpp"
#include "net/connection_pool.hpp"
#include "net/deadlines.hpp"
#include "net/name_resolver.hpp"
#include "protocol/host_address.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

class outgoing_exchange;

/// Told once how an exchange ended.
using exchange_end = std::function<void(outgoing_exchange&, exchange_outcome)>;

class outgoing_exchange final : public std::enable_shared_from_this<outgoing_exchange>,
                                public name_waiter,
                                private connection_waiter,
                                private connection_user,
                                private deadline_waiter {
public:
  outgoing_exchange(client_shared& shared, outgoing_request request,
                    std::shared_ptr<const remote_url> url, exchange_end done);

  void start();

  /// Ends it now with a failure of the phase it is in.
  void abort(std::string reason);

  /// Likewise, as if the limit of that phase had passed.
  void cancel();

  std::uint64_t id() const { return request_.id; }

  void on_name(const name_answer& answer) override;

private:
  using time_point = std::chrono::steady_clock::time_point;

  /// Each but the first and the last is a phase of the seam.
  enum class step : std::uint8_t { waiting, name, connect, tls, write, first_byte, body, done };

  void on_turn(std::shared_ptr<client_connection> kept) override;
  void on_ready() override;
  void on_deadline() override;

  void find_addresses();
  void connect_next();
  void on_connected();
  void shake_hands();
  void begin_request();
  void exchange_bytes();
  bool write_some();
  void read_some();
  void on_read(io_result result);
  void on_progress(answer_progress progress);
  void on_lost(std::string reason);
  bool may_retry() const;
  void retry();

  void enter(step next);
  std::chrono::nanoseconds limit_of(step next) const;
  std::chrono::microseconds& timing_of(step of);

  void count_body();
  void fail(exchange_failure failure);
  void fail_here(std::string reason, bool timed_out = false);
  void end(std::variant<exchange_failure, incoming_response> result);

  client_shared& shared_;
  outgoing_request request_;
  std::shared_ptr<const remote_url> url_;
  exchange_end done_;
  std::shared_ptr<client_connection> connection_;
  std::optional<answer_reader> reader_;
  std::vector<ip_bytes> addresses_; ///< Judged; the next one to try first.
  std::size_t tried_ = 0;
  std::string head_;
  std::size_t written_ = 0;
  std::size_t body_counted_ = 0;
  exchange_timing timing_;
  time_point begun_at_;
  time_point step_at_;
  time_point deadline_;
  step step_ = step::waiting;
  bool has_turn_ = false;
  bool is_reused_ = false;
  bool is_retried_ = false;
  bool is_early_ = false; ///< Answered before the request was fully written.
};

} // namespace trunkline
