#include "kit/test_node.hpp"

#include "actors/messages.hpp"
#include "protocol/names.hpp"

#include <stdexcept>

namespace trunkline::kit {

namespace {

constexpr auto domain = "example.org";
constexpr std::uint8_t slot = 1;

template <class T>
T need(caf::expected<T> result) {
  if (!result)
    throw std::runtime_error{context_of(result.error())};
  return std::move(*result);
}

} // namespace

test_node::test_node(std::uint64_t seed, node_options options)
    : actors{seed}, options_{std::move(options)} {
  start();
}

test_node::test_node(std::uint64_t seed, open_connection open, node_options options)
    : actors{seed}, storage{std::move(open)}, options_{std::move(options)} {
  start();
}

void test_node::start() {
  storage.faults() = {};
  ids = need(open_id_source(*storage.open_writer(), slot, actors.clock()));
  handles = {};
  handles.readers = storage.start_readers(actors, options_.readers);
  auto log_reader = options_.log_reader ? options_.log_reader(*this) : log_reader_handle{};
  handles.writer = storage.start_writer(actors, std::move(log_reader), options_.writer);
  actors.spawn(id_keeper, handles, ids);
  auto start_account = [this](account_id id, const passivator_handle& region) {
    auto needs = account_dependencies{.storage = handles,
                                      .ids = ids,
                                      .domain = domain,
                                      .urls = urls_of(domain),
                                      .region = region};
    return running_[id] = actors.spawn(account, id, std::move(needs), options_.account);
  };
  accounts = actors.spawn(shard_region<account_handle>, start_account, counters, options_.region);
}

void test_node::add_account(account_id id, const std::string& name, bool locked) {
  need(storage.open_writer()->run(
      "INSERT INTO account(id, name, folded, uri, locked, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      {id, name, fold_name(name), urls_of(domain).actor(name), locked, actors.now()}));
}

bool test_node::runs(account_id id) const {
  const auto found = running_.find(id);
  return found != running_.end() && !found->second->getf(caf::abstract_actor::is_terminated_flag);
}

void test_node::kill_account(account_id id) {
  if (const auto found = running_.find(id); found != running_.end())
    actors.kill(found->second);
}

void test_node::passivate(account_id id) {
  caf::anon_send(accounts, passivate_actor{.id = id.value});
}

void test_node::kill_and_restart() {
  running_.clear();
  accounts = nullptr;
  handles = {};
  actors.restart();
  start();
}

std::int64_t test_node::count(const std::string& table_where) {
  return need(db().run("SELECT COUNT(*) FROM " + table_where)).rows[0][0].integer();
}

} // namespace trunkline::kit
