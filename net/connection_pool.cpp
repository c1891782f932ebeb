#include "net/connection_pool.hpp"

#include <algorithm>

namespace trunkline {

using std::chrono::steady_clock;

connection_pool::connection_pool(client_shared& shared) : shared_{shared}, timer_{shared.loop} {}

connection_pool::~connection_pool() = default;

void connection_pool::kept_connection::on_ready() {
  // Tickets of TLS come without being asked for; everything else ends the connection.
  if (!connection->is_quiet())
    pool.drop(self);
}

void connection_pool::acquire(const host_address& host, connection_waiter& waiter) {
  auto& from = origins_[host];
  if (from.in_use >= shared_.options.connections_per_host_max)
    return from.waiting.push_back(&waiter);
  give_turn(from, waiter);
}

void connection_pool::cancel(const host_address& host, connection_waiter& waiter) {
  const auto found = origins_.find(host);
  if (found != origins_.end())
    std::erase(found->second.waiting, &waiter);
  forget_if_unused(host);
}

void connection_pool::release(const host_address& host,
                              std::shared_ptr<client_connection> reusable) {
  auto& from = origins_.at(host);
  --from.in_use;
  --in_use_;
  if (reusable && !stopped_)
    keep(from, std::move(reusable));
  if (!from.waiting.empty()) {
    auto* next = from.waiting.front();
    from.waiting.pop_front();
    return give_turn(from, *next);
  }
  forget_if_unused(host);
}

bool connection_pool::evict_one() {
  if (kept_.empty())
    return false;
  drop(kept_.begin());
  return true;
}

void connection_pool::stop() {
  stopped_ = true;
  timer_.cancel();
  while (evict_one()) {
  }
}

void connection_pool::give_turn(origin& from, connection_waiter& waiter) {
  ++from.in_use;
  ++in_use_;
  auto kept = take_kept(from);
  while (!kept && in_use_ + kept_.size() > shared_.options.connections_max && evict_one()) {
  }
  waiter.on_turn(std::move(kept));
}

std::shared_ptr<client_connection> connection_pool::take_kept(origin& from) {
  while (!from.kept.empty()) {
    const auto last = from.kept.back();
    from.kept.pop_back();
    auto connection = std::move(last->connection);
    connection->belongs_to(nullptr);
    kept_.erase(last);
    if (connection->is_quiet())
      return connection;
    connection->close();
  }
  return nullptr;
}

void connection_pool::keep(origin& of, std::shared_ptr<client_connection> connection) {
  kept_.emplace_back(*this, std::move(connection), steady_clock::now());
  const auto self = std::prev(kept_.end());
  self->self = self;
  self->connection->belongs_to(&*self);
  self->connection->await_read();
  of.kept.push_back(self);
  arm_timer();
}

void connection_pool::drop(kept_list::iterator kept) {
  const auto connection = std::move(kept->connection);
  connection->belongs_to(nullptr);
  connection->close();
  std::erase(origins_.at(connection->host()).kept, kept);
  kept_.erase(kept);
  forget_if_unused(connection->host());
}

void connection_pool::forget_if_unused(const host_address& host) {
  const auto found = origins_.find(host);
  if (found != origins_.end() && found->second.in_use == 0 && found->second.kept.empty() &&
      found->second.waiting.empty())
    origins_.erase(found);
}

void connection_pool::arm_timer() {
  if (armed_ || stopped_ || kept_.empty())
    return;
  armed_ = true;
  timer_.expires_at(kept_.front().since + shared_.options.idle_limit);
  timer_.async_wait([this](boost::system::error_code failure) {
    armed_ = false;
    if (failure)
      return;
    const auto before = steady_clock::now() - shared_.options.idle_limit;
    while (!kept_.empty() && kept_.front().since <= before)
      evict_one();
    arm_timer();
  });
}

} // namespace trunkline
