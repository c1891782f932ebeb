/// A node in a deterministic system: storage workers, ids and the region of its accounts. It can be
/// killed and started again on the same database.
#pragma once

#include "actors/account.hpp"
#include "actors/id_source.hpp"
#include "actors/shard_region.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace trunkline::kit {

struct node_options {
  writer_options writer;
  account_options account;
  region_options region;
  std::size_t readers = 1;
  /// Makes the log reader, when there is to be one: called at each start, before the writer's.
  std::function<log_reader_handle(class test_node&)> log_reader;
};

class test_node {
public:
  explicit test_node(std::uint64_t seed = 0, node_options options = {});
  test_node(std::uint64_t seed, open_connection open, node_options options = {});

  deterministic_system actors;
  test_storage storage;
  storage_handles handles;
  std::shared_ptr<id_source> ids;
  std::shared_ptr<region_counters> counters = std::make_shared<region_counters>();
  region_of<account_handle> accounts;

  database& db() { return storage.db(); }

  /// Adds a local account, straight into the database.
  void add_account(account_id id, const std::string& name, bool locked = false);

  /// Sends one message to the account region and returns its answer.
  template <class Reply, class Message>
  caf::expected<Reply> ask(Message message) {
    return actors.ask<Reply>(accounts, std::move(message));
  }

  /// Tells whether the actor of `id` runs.
  bool runs(account_id id) const;
  /// Ends the actor of `id` at once, as a crash does.
  void kill_account(account_id id);
  /// Asks the region to stop the actor of `id`.
  void passivate(account_id id);
  /// Ends all actors at once, as `kill -9` does, and starts the node on the same database.
  void kill_and_restart();

  /// Rows in a table, as `where` says.
  std::int64_t count(const std::string& table_where);

private:
  void start();

  node_options options_;
  std::map<account_id, account_handle> running_;
};

} // namespace trunkline::kit
