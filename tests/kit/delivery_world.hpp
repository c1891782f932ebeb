/// A node's outbound delivery in a deterministic system: writer, log reader, fan-out, dispatcher
/// and the region of hosts on a real store; a fake signer, and peers that follow a script. It can
/// be killed at any moment and started again on the same store. With several nodes each has a
/// dispatcher and hosts of its own, and some of the shards; all else they share.
#pragma once

#include "actors/blocked_domains.hpp"
#include "actors/dispatcher.hpp"
#include "actors/log_reader.hpp"
#include "actors/remote_host.hpp"
#include "actors/shard_region.hpp"
#include "actors/webhook_outbox.hpp"
#include "kit/delivery_peers.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "protocol/shard.hpp"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace trunkline::kit {

struct delivery_world_options {
  std::uint64_t seed = 0;  ///< Of the interleaving, the hints and the waits.
  unsigned hints_lost = 0; ///< Of 100.
  unsigned hints_doubled = 0;
  unsigned hints_late = 0;      ///< By up to 2 s.
  unsigned answers_doubled = 0; ///< Of 100 answers that come again, or otherwise, up to 20 s later.
  unsigned signing_lost = 0;    ///< Of 100 signatures that fail.
  unsigned offers_lost = 0;     ///< Of 100 offers that are refused on their way to a host.
  dispatcher_options dispatcher;
  log_reader_options log_reader;
  remote_host_options host;
  delivery_budget_limits budget;
  outage_limits outage;
  open_connection open;     ///< Empty: a database in memory.
  bool with_outbox = false; ///< What hosts say is kept for webhooks.
  std::size_t nodes = 1;
};

class delivery_world {
public:
  explicit delivery_world(delivery_world_options options = {});
  ~delivery_world();

  deterministic_system actors;
  test_storage storage;
  std::shared_ptr<delivery_peers> peers = std::make_shared<delivery_peers>();
  std::shared_ptr<region_counters> counters = std::make_shared<region_counters>();
  storage_handles handles;
  dispatcher_handle dispatcher;
  region_of<remote_host_handle> hosts;
  std::vector<std::string> two_actors;    ///< Hosts that had more than one at a time.
  std::vector<missing_inbox> missing;     ///< What `on_missing` was told.
  std::vector<std::string> lines;         ///< What was logged.
  std::shared_ptr<webhook_outbox> outbox; ///< Null unless it is asked for; new at each start.
  std::vector<delivery_event> deliveries;
  std::vector<host_state_event> states;
  std::map<signature_scheme, int> signatures;
  std::shared_ptr<blocked_domains> blocked; ///< New at each start, as are these. Of the first node:
  std::shared_ptr<delivery_budget> budget;
  std::shared_ptr<outage_guard> outage;
  std::shared_ptr<host_board> board;

  database& db() { return storage.db(); }

  /// Adds a host with a shared inbox "https://NAME/inbox" and `persons` personal ones,
  /// "https://NAME/N/inbox"; returns the endpoints, the shared one first.
  std::vector<endpoint_id> add_host(const std::string& name, int persons = 2);

  /// Sends a row to the writer: to who follows its author, if it says so, and to `extra`. Its body
  /// and the id of its activity are `text`, which nothing else may have.
  struct row {
    std::string text;
    account_id author{1};
    log_kind kind = log_kind::create;
    std::int64_t object = 0; ///< Of a post.
    delivery_class cls = delivery_class::bulk;
    bool to_followers = false;
    bool is_public = true;
    std::vector<endpoint_id> extra;
  };
  /// Called with what the writer answered; never when the node dies before.
  using answered = std::function<void(const caf::error&)>;
  void write(row next, answered done = {});
  void follow(account_id author, endpoint_id endpoint, answered done = {});
  void unfollow(account_id author, endpoint_id endpoint, answered done = {});
  /// The whole server blocks a name, or does so no more.
  void block(const std::string& name, answered done = {});
  void unblock(const std::string& name, answered done = {});
  /// Hands a change to the writer, after all that were handed to it before.
  void change(write_job job, answered done = {});

  /// Moves the time, from timer to timer and from answer to answer, and settles.
  void advance(std::chrono::microseconds span) { actors.advance(span); }
  void settle() { actors.settle(); }
  std::chrono::microseconds elapsed();

  /// Calls `task` later, unless the node dies before.
  void later(std::chrono::microseconds after, std::function<void()> task);

  /// Ends every actor at once and starts them anew. Without `begin` the dispatcher waits.
  void restart(bool begin = true);
  void begin();
  /// Ends the actor of one host before its next message; `then` is called when it is gone.
  void kill_host(const std::string& name, std::function<void()> then);
  bool runs_host(const std::string& name) const; ///< It has an actor.

  /// The node that has the host, by the database.
  std::size_t node_of(const host_address& host) const { return owners_[host_shard(host)]; }
  const host_board& board_of(const std::string& name) const {
    return *nodes_[node_of(address(name))].board;
  }
  /// Their nodes give up the shards, and another one has them after that.
  void hand_over(const shard_set& shards, std::size_t to);
  std::int64_t moves() const { return moves_; } ///< That were done.
  /// Ends all actors of a node before their next messages; `ended` is called for each of its hosts.
  /// Another one has its shards then, or itself after a start.
  void kill_node(std::size_t number, std::size_t heir, std::function<void(std::string)> ended);

  template <class Message>
  caf::error tell(Message message) {
    auto answer = actors.start_done(hosts, std::move(message));
    advance(std::chrono::seconds{1});
    return answer.ready() ? answer.failure() : make_error(errc::timed_out);
  }
  host_report report(const std::string& name);
  dispatcher_report books();
  std::vector<std::string> all(const std::string& sql);
  std::int64_t count(const std::string& sql);

  static host_address address(const std::string& name) { return {"https", name, 443}; }

private:
  struct clients; ///< Of the writer, in order.

  struct node {
    std::shared_ptr<dispatcher_dependencies> has;
    dispatcher_handle dispatcher;
    region_of<remote_host_handle> hosts;
    std::shared_ptr<delivery_budget> budget;
    std::shared_ptr<outage_guard> outage;
    std::shared_ptr<host_board> board;
    std::shared_ptr<shard_places> places;
    int life = 0;
  };
  struct running_host {
    remote_host_handle actor;
    std::size_t node = 0;
  };

  void start();
  void start_dispatcher(node& one);
  void start_hosts(std::size_t number);
  void begin(node& one);
  remote_host_handle start_host(std::size_t number, const host_address& host,
                                remote_host_dependencies has);
  shard_set shards_of(std::size_t number) const;
  void tell_shards(std::size_t number);
  static bool is_running(const running_host& host);

  delivery_world_options options_;
  std::mt19937_64 random_;
  std::vector<node> nodes_;
  std::array<std::size_t, shard_count> owners_{}; ///< As the database has them.
  shard_set moving_;                              ///< Their nodes were asked to give them up.
  std::int64_t moves_ = 0;
  log_reader_handle log_reader_;
  signing_handle signer_;
  std::shared_ptr<http_sender> sender_;
  std::shared_ptr<clients> clients_;
  writer_handle client_;
  std::map<host_address, running_host> running_;
  std::chrono::microseconds earlier_{0}; ///< What had passed at the last start.
  caf::actor_clock::time_point started_;
  std::int64_t ids_ = 100;
};

} // namespace trunkline::kit
