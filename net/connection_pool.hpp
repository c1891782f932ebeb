/// INTERNAL to net: connections kept per origin, and who may have one.
///
/// At most `connections_per_host_max` of an origin and `connections_max` of all are in use or kept;
/// the least recently used kept one goes first. An origin without a connection leaves nothing
/// behind. Belongs to the client's thread.
#pragma once

#include "net/client_connection.hpp"
#include "net/client_shared.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

namespace trunkline {

/// Who asked for a connection.
class connection_waiter {
public:
  connection_waiter() = default;
  connection_waiter(const connection_waiter&) = delete;
  connection_waiter& operator=(const connection_waiter&) = delete;
  virtual ~connection_waiter() = default;

  /// It is the waiter's turn: `kept` can be used at once; null, and it may open one.
  virtual void on_turn(std::shared_ptr<client_connection> kept) = 0;
};

class connection_pool {
public:
  explicit connection_pool(client_shared& shared);
  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;
  ~connection_pool();

  /// Calls `on_turn`, now or when one of the origin's connections is given back. What is given
  /// must be given back.
  void acquire(const host_address& host, connection_waiter& waiter);

  /// Ends the waiting of one whose turn has not come.
  void cancel(const host_address& host, connection_waiter& waiter);

  /// Gives a turn back, with the connection if it can be used again, else with null.
  void release(const host_address& host, std::shared_ptr<client_connection> reusable);

  /// Closes the least recently used kept connection; false when none is kept.
  bool evict_one();

  /// Closes every kept connection.
  void stop();

private:
  struct kept_connection;
  using kept_list = std::list<kept_connection>;

  struct origin {
    std::size_t in_use = 0;
    std::vector<kept_list::iterator> kept; ///< The last used at the end.
    std::deque<connection_waiter*> waiting;
  };

  struct kept_connection : connection_user {
    kept_connection(connection_pool& owner, std::shared_ptr<client_connection> quiet,
                    std::chrono::steady_clock::time_point when)
        : pool{owner}, connection{std::move(quiet)}, since{when} {}
    void on_ready() override;

    connection_pool& pool;
    std::shared_ptr<client_connection> connection;
    std::chrono::steady_clock::time_point since;
    kept_list::iterator self;
  };

  std::shared_ptr<client_connection> take_kept(origin& from);
  void give_turn(origin& from, connection_waiter& waiter);
  void keep(origin& of, std::shared_ptr<client_connection> connection);
  void drop(kept_list::iterator kept);
  void forget_if_unused(const host_address& host);
  void arm_timer();

  client_shared& shared_;
  boost::asio::steady_timer timer_;
  std::unordered_map<host_address, origin> origins_;
  kept_list kept_; ///< The least recently used first.
  std::size_t in_use_ = 0;
  bool armed_ = false;
  bool stopped_ = false;
};

} // namespace trunkline
