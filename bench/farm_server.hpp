/// The fake hosts: thousands of loopback addresses on one port, served by one thread.
///
/// Host N is `hN.test` at 127.1.(N / 250).(N % 250 + 1). Each follows a script of its own, which
/// may change while it runs.
#pragma once

#include "bench/farm_checks.hpp"
#include "bench/farm_records.hpp"
#include "bench/farm_request.hpp"
#include "bench/farm_script.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::bench {

inline constexpr std::size_t farm_hosts_max = 62'500;

/// Returns the loopback address of host `number`.
std::string address_of_host(std::size_t number);

struct farm_host {
  host_script script;
  script_state state;
  int listener = -1;
  std::uint64_t connections = 0;
  std::uint64_t posts = 0; ///< POST requests that came in whole.
  std::uint64_t gets = 0;
  std::uint64_t taken = 0;    ///< Deliveries that count as received.
  std::uint64_t repeated = 0; ///< Of those, had before.
  std::uint32_t open = 0;     ///< Requests that wait for an answer.
  std::uint32_t open_most = 0;
  std::int64_t first_ns = 0; ///< Of the POSTs, wall clock.
  std::int64_t last_ns = 0;
};

struct farm_options {
  std::size_t hosts = 100;
  int port = 0;         ///< Of all hosts; 0: a free one.
  int control_port = 0; ///< On 127.0.0.1; 0: a free one.
  std::uint64_t signature_sample = 50;
  std::string public_key_file; ///< PEM that the actors show.
};

class farm_server {
public:
  /// Answers a request on the control port with a body; `status` is 200 before.
  using control = std::function<std::string(const farm_request&, int& status)>;

  /// Binds everything; throws `std::runtime_error`.
  explicit farm_server(farm_options options);
  farm_server(const farm_server&) = delete;
  farm_server& operator=(const farm_server&) = delete;
  ~farm_server();

  /// Serves until `is_over` says so; it is asked at least five times a second.
  void run(const control& answer, const std::function<bool()>& is_over);

  /// Gives host `number` a new script, from now on.
  void follow_script(std::size_t number, const host_script& script);

  /// Forgets arrivals and counts.
  void reset();

  int port() const { return options_.port; }
  int control_port() const { return options_.control_port; }
  const std::vector<farm_host>& hosts() const { return hosts_; }
  farm_checks& checks() { return checks_; }
  const farm_records& records() const { return records_; }

private:
  static constexpr std::uint32_t control_host = static_cast<std::uint32_t>(-1);

  struct connection {
    int fd = -1;
    std::uint32_t host = 0;
    std::uint32_t generation = 0;
    std::uint32_t waiting = 0; ///< Requests without an answer.
    bool is_fresh = true;      ///< Had no request yet.
    bool closes = false;       ///< After what is in `out`.
    bool drips = false;
    bool awaits_room = false;
    std::string in;
    std::string out;
  };
  struct timer {
    std::int64_t due_ns = 0;
    int fd = -1;
    std::uint32_t generation = 0;
    std::string text; ///< Of the answer; for a drip nothing.
    friend bool operator<(const timer& left, const timer& right) {
      return left.due_ns > right.due_ns; // the soonest on top
    }
  };

  int listen_on(const std::string& address, int port, std::uint32_t host);
  void accept_all(std::uint32_t host);
  void read_from(connection& peer);
  /// Serves the whole requests in `text`; returns the bytes that are used up, or nothing when the
  /// connection is gone.
  std::size_t serve(connection& peer, std::string_view text);
  void serve_request(connection& peer, const farm_request& request);
  void react(connection& peer, const script_turn& turn, std::string answer);
  void answer_later(connection& peer, std::int64_t delay_ms, std::string text);
  void answer(connection& peer, std::string_view text);
  void send(connection& peer, std::string_view text);
  void send_waiting(connection& peer);
  void drip_on(connection& peer);
  void fire_timers();
  void close(connection& peer, bool with_reset = false);
  void close_all_of(std::uint32_t host);
  connection* find(int fd, std::uint32_t generation);
  int wait_ms() const;

  farm_options options_;
  std::vector<farm_host> hosts_;
  farm_checks checks_;
  farm_records records_;
  std::string public_key_; ///< As it stands in JSON.
  const control* control_ = nullptr;
  int epoll_ = -1;
  int control_listener_ = -1;
  std::uint32_t generations_ = 0;
  std::vector<std::unique_ptr<connection>> connections_; ///< By descriptor.
  std::vector<std::unique_ptr<connection>> ended_;       ///< Until nobody works on them.
  std::priority_queue<timer> timers_;
  std::minstd_rand random_{1};
  std::vector<char> room_;
};

} // namespace trunkline::bench
