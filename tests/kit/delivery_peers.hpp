/// Other servers, as the HTTP client sees them: each answers as its rule says, after a while, or
/// never within the client's limit. One thread; whoever made them says what time it is, and calls
/// `answer_due` when it should be.
#pragma once

#include "net/http_exchange.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline::kit {

/// What a peer makes of one request.
struct peer_answer {
  int status = 202;
  http_headers headers;
  std::optional<exchange_failure> failure; ///< Instead of an answer.
  std::chrono::microseconds after = std::chrono::milliseconds{50};
};

/// A connection that cannot be made, and an answer that does not come.
peer_answer no_connection();
peer_answer no_answer();

using peer_rule = std::function<peer_answer(const outgoing_request&)>;

/// A request as a peer got it.
struct sent_request {
  std::uint64_t number = 0;
  std::string host;
  outgoing_request request;
  std::chrono::microseconds at{0}; ///< Since the peers began.

  std::string body() const { return request.body ? *request.body : std::string{}; }
};

/// Is told what passes over the wire.
struct wire_listener {
  virtual ~wire_listener() = default;
  /// `planned` is what will be answered, unless the request is ended early.
  virtual void sent(const sent_request& request, const peer_answer& planned) = 0;
  virtual void answered(const sent_request& request, const peer_answer& answer) = 0;
};

class delivery_peers : public http_sender {
public:
  /// How the host answers from now on; 202 until then.
  void set_rule(const std::string& host, peer_rule rule) { rules_[host] = std::move(rule); }
  void set_status(const std::string& host, int status, http_headers headers = {});
  void listen(wire_listener* listener) { listener_ = listener; }
  /// `clock` tells the time, `wake_after` sees to it that `answer_due` is called.
  void run_by(std::function<std::chrono::microseconds()> clock,
              std::function<void(std::chrono::microseconds)> wake_after) {
    clock_ = std::move(clock);
    wake_after_ = std::move(wake_after);
  }

  void send(outgoing_request request, exchange_handler done) override;
  /// What would have been answered is a timeout, due now.
  void cancel(std::uint64_t id) override;

  /// Gives the answers that are due.
  void answer_due();
  /// Forgets all requests under way: whoever sent them is gone.
  void forget();

  /// Everything that was sent, oldest first, when it is kept.
  const std::vector<sent_request>& requests() const { return requests_; }
  std::vector<std::string> bodies(const std::string& host) const;
  std::size_t in_flight() const { return pending_.size(); }
  std::size_t most_in_flight() const { return most_in_flight_; }
  void keep_requests() { keeps_ = true; }

private:
  struct pending {
    sent_request request;
    peer_answer answer;
    exchange_handler done;
  };

  std::map<std::string, peer_rule> rules_;
  std::multimap<std::chrono::microseconds, pending> pending_;
  std::vector<sent_request> requests_;
  wire_listener* listener_ = nullptr;
  std::function<std::chrono::microseconds()> clock_;
  std::function<void(std::chrono::microseconds)> wake_after_;
  std::uint64_t sent_ = 0;
  std::size_t most_in_flight_ = 0;
  bool keeps_ = false;
};

} // namespace trunkline::kit
