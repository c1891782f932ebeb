#include "storage/cluster_store.hpp"
#include "storage/in_transaction.hpp"
#include "storage/shard_moves.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace trunkline {

namespace {

/// Two that enter at once may want the same id, slot or name; one of them looks again.
constexpr auto attempts_max = 4;

std::string lease_from(const std::string& now) {
  return now + " + " + std::to_string(lease_length.count());
}

caf::error no_slot(const cluster_view& view) {
  const auto gone = std::ranges::find_if(
      view.nodes, [](const cluster_node& node) { return !may_write(node.state); });
  auto advice = std::string{"end one of the others first, then start this one under its name"};
  if (gone != view.nodes.end())
    advice = "start this node under the name of one that will not come back, such as \"" +
             gone->name + "\"";
  return make_error(errc::config_invalid,
                    "cluster.node: there are " + std::to_string(node_slots) +
                        " nodes already, which is all there can be: " + advice);
}

std::optional<std::uint8_t> free_slot(const cluster_view& view) {
  auto is_taken = std::vector<bool>(node_slots);
  for (const auto& node : view.nodes)
    is_taken[node.slot] = true;
  const auto found = std::find(is_taken.begin(), is_taken.end(), false);
  if (found == is_taken.end())
    return std::nullopt;
  return static_cast<std::uint8_t>(found - is_taken.begin());
}

bool must_wait(const cluster_node& own, const join_wish& wish, time_point now) {
  if (!may_write(own.state) || own.holder == wish.holder)
    return false;
  if (!is_over(own.lease_until, now))
    return true;
  const auto was_set_back = own.lease_until > now;
  return was_set_back && wish.waited_out != own.mark();
}

caf::expected<joined_node> add_node(database& db, const join_wish& wish, const cluster_view& view) {
  if (wish.name.empty() && !view.nodes.empty())
    return make_error(errc::config_invalid,
                      "cluster.node: is needed, because the database has nodes with names");
  const auto slot = free_slot(view);
  if (!slot)
    return no_slot(view);
  const auto id = view.nodes.empty() ? std::int64_t{1} : view.nodes.back().id + 1;
  const auto now = std::string{db.now_sql()};
  const auto added = db.run(
      "INSERT INTO node(id, slot, name, holder, address, weights, state, incarnation, renewals,"
      " joined_at, tried_at, lease_until) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, " +
          now + ", " + now + ", " + lease_from(now) + ")",
      {id, *slot, wish.name, wish.holder, wish.address, to_json(wish.weights),
       static_cast<int>(node_state::live)});
  if (!added)
    return added.error();
  return joined_node{.id = id, .slot = *slot, .incarnation = 1};
}

caf::expected<joined_node> enter_again(database& db, const join_wish& wish,
                                       const cluster_node& own) {
  const auto now = std::string{db.now_sql()};
  const auto entered = db.run(
      "UPDATE node SET incarnation = incarnation + 1, holder = $1, address = $2, weights = $3,"
      " state = $4, renewals = renewals + 1, unreachable = '', joined_at = " +
          now + ", tried_at = " + now + ", lease_until = " + lease_from(now) +
          " WHERE id = $5 RETURNING incarnation",
      {wish.holder, wish.address, to_json(wish.weights), static_cast<int>(node_state::live),
       own.id});
  if (!entered)
    return entered.error();
  return joined_node{
      .id = own.id, .slot = own.slot, .incarnation = entered->rows.at(0)[0].integer()};
}

/// All account shards or none: a part would be of no use. Of the host shards those that belong on
/// it; the others give away the rest. Returns whether it serves.
caf::expected<bool> take_what_is_free(database& db, const joined_node& node,
                                      const node_locks& locks) {
  const auto known = read_situation(db);
  if (!known)
    return known.error();
  const auto* own = known->view.find(node.id);
  if (!own)
    return false;
  auto targets = find_targets(known->view, [](const cluster_node&) { return true; });
  const auto all_are_free = known->view.free_account_shards == shard_count;
  targets.account = all_are_free && is_fit(*own, actor_kind::account) ? own : nullptr;
  std::ranges::replace_if(
      targets.hosts, [&](const auto* to) { return to != own; }, nullptr);
  if (known->view.free_shards() == 0 || targets.has_none())
    return false;
  const auto moved = move_free_shards(db, *known, locks, targets);
  if (!moved)
    return moved.error();
  return moved->account == shard_count;
}

caf::expected<join_answer> join_once(database& db, const join_wish& wish) {
  const auto before = read_situation(db);
  if (!before)
    return before.error();
  auto locks = node_locks{};
  locks.want_free_holders(*before);
  if (const auto* own = before->view.find(wish.name))
    locks.want(own->id, row_lock::exclusive);
  if (auto failure = locks.take(db))
    return failure;
  const auto view = read_cluster(db);
  if (!view)
    return view.error();
  const auto* own = view->find(wish.name);
  if (own && !locks.has_alone(own->id))
    return make_error(errc::unique_violation, "node.name"); // it has just come
  if (own && must_wait(*own, wish, view->now))
    return join_wait{.length = time_until_over(own->lease_until, view->now),
                     .holder = own->holder,
                     .lease = own->mark()};
  auto joined = own ? enter_again(db, wish, *own) : add_node(db, wish, *view);
  if (!joined)
    return std::move(joined.error());
  const auto serves = take_what_is_free(db, *joined, locks);
  if (!serves)
    return serves.error();
  joined->serves = *serves;
  return *joined;
}

} // namespace

caf::expected<join_answer> join_cluster(database& db, const join_wish& wish) {
  for (auto attempt = 1;; ++attempt) {
    auto answer =
        in_transaction<join_answer>(db, [&](database& open) { return join_once(open, wish); });
    if (answer || code_of(answer.error()) != errc::unique_violation || attempt == attempts_max)
      return answer;
  }
}

} // namespace trunkline
