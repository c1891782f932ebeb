#include "storage/cluster_store.hpp"

#include "storage/in_transaction.hpp"
#include "storage/partitions.hpp"
#include "storage/shard_moves.hpp"

#include <string>

namespace trunkline {

namespace {

caf::error end_membership(database& db, std::int64_t node, node_state state) {
  const auto now = std::string{db.now_sql()};
  auto ended = db.run("UPDATE node SET state = $1, lease_until = CASE WHEN lease_until > " + now +
                          " THEN " + now + " ELSE lease_until END WHERE id = $2",
                      {static_cast<int>(state), node});
  return ended ? caf::error{} : std::move(ended.error());
}

lease_answer lost_answer(const cluster_view& view, const write_fence& node) {
  const auto* found = view.find(node.node);
  const auto is_raised = found && may_write(found->state) && found->incarnation > node.incarnation;
  return is_raised ? lease_answer::raised : lease_answer::dead;
}

bool is_due(const cluster_view& view, const lease_mark& loser) {
  const auto* found = view.find(loser.node);
  return found && may_write(found->state) && found->mark() == loser &&
         is_over(found->lease_until, view.now);
}

/// Locks what is wanted, and who may receive; returns what there is then. What was read before only
/// told whom to lock.
caf::expected<cluster_view> lock_and_read(database& db, node_locks& locks) {
  const auto before = read_cluster(db);
  if (!before)
    return before.error();
  locks.want_receivers(*before);
  if (auto failure = locks.take(db))
    return failure;
  return read_cluster(db);
}

/// Whose row is not held may be gone before the commit.
node_filter locked_but(const node_locks& locks, std::int64_t loser) {
  return
      [&locks, loser](const cluster_node& node) { return node.id != loser && locks.has(node.id); };
}

caf::expected<takeover> take_over_once(database& db, const write_fence& taker,
                                       const lease_mark& loser) {
  auto locks = node_locks{};
  locks.want(taker.node, row_lock::shared);
  locks.want(loser.node, row_lock::exclusive);
  const auto view = lock_and_read(db, locks);
  if (!view)
    return view.error();
  if (!is_in(*view, taker))
    return takeover::deposed;
  if (taker.node == loser.node || !is_due(*view, loser))
    return takeover::not_due;
  if (auto failure = end_membership(db, loser.node, node_state::dead))
    return failure;
  auto targets = find_targets(*view, locked_but(locks, loser.node));
  fall_back_on(targets, *view, *view->find(taker.node), loser.node);
  auto moved = move_shards(db, {.node = loser.node, .incarnation = loser.incarnation}, targets);
  if (!moved)
    return std::move(moved.error());
  return takeover::done;
}

caf::expected<bool> give_free_once(database& db, const write_fence& giver) {
  const auto before = read_situation(db);
  if (!before)
    return before.error();
  auto locks = node_locks{};
  locks.want_receivers(before->view);
  locks.want(giver.node, row_lock::shared);
  locks.want_free_holders(*before);
  if (auto failure = locks.take(db))
    return failure;
  const auto known = read_situation(db);
  if (!known)
    return known.error();
  if (!is_in(known->view, giver) || known->view.free_shards() == 0)
    return false;
  auto targets = find_targets(known->view, locked_but(locks, 0));
  fall_back_on(targets, known->view, *known->view.find(giver.node), 0);
  if (targets.has_none())
    return false;
  auto moved = move_free_shards(db, *known, locks, targets);
  if (!moved)
    return std::move(moved.error());
  return *moved != moved_shards{};
}

caf::error mark_refused(database& db, std::int64_t node) {
  auto marked = db.run("UPDATE node SET refused_since = coalesce(refused_since, " +
                           std::string{db.now_sql()} + ") WHERE id = $1",
                       {node});
  return marked ? caf::error{} : std::move(marked.error());
}

/// The fence refuses it from then on: what it has under way must not be written beside the new
/// owner.
caf::expected<step_aside_answer> hand_to(database& db, const write_fence& node,
                                         const shard_targets& targets) {
  auto moved = move_shards(db, {.node = node.node, .incarnation = node.incarnation}, targets);
  if (!moved)
    return std::move(moved.error());
  if (auto failure = end_membership(db, node.node, node_state::left))
    return failure;
  return step_aside_answer::left;
}

caf::expected<step_aside_answer> step_aside_once(database& db, const write_fence& node) {
  auto locks = node_locks{};
  locks.want(node.node, row_lock::exclusive);
  const auto view = lock_and_read(db, locks);
  if (!view)
    return view.error();
  const auto kept = kept_nodes(*view);
  if (!is_in(*view, node) || kept.contains(node.node))
    return step_aside_answer::not_due;
  const auto& own = *view->find(node.node);
  const auto is_locked = locked_but(locks, node.node);
  const auto targets = find_targets(*view, [&](const cluster_node& other) {
    return is_locked(other) && kept.contains(other.id);
  });
  if (!targets.has_all_of(own))
    return step_aside_answer::not_due;
  if (auto failure = mark_refused(db, node.node))
    return failure;
  if (own.shards() > 0)
    return hand_to(db, node, targets);
  return step_aside_answer::refused;
}

caf::expected<departure> leave_once(database& db, const write_fence& node) {
  auto locks = node_locks{};
  locks.want(node.node, row_lock::exclusive);
  const auto view = lock_and_read(db, locks);
  if (!view)
    return view.error();
  if (!is_in(*view, node))
    return departure{};
  auto left = departure{.was_member = true, .successor = {}};
  const auto targets = find_targets(*view, locked_but(locks, node.node));
  const auto moved = move_shards(db, {.node = node.node, .incarnation = node.incarnation}, targets);
  if (!moved)
    return moved.error();
  if (moved->account > 0)
    left.successor = targets.account->id;
  if (auto failure = end_membership(db, node.node, node_state::left))
    return failure;
  return left;
}

} // namespace

caf::expected<renewal> renew_lease(database& db, const write_fence& node,
                                   const renewal_words& words) {
  const auto now = std::string{db.now_sql()};
  // In a transaction of its own: the row is held for no longer than this takes.
  const auto renewed =
      db.run("UPDATE node SET renewals = renewals + 1, tried_at = " + now +
                 ", lease_until = " + now + " + " + std::to_string(lease_length.count()) +
                 ", report = $3, unreachable = $4"
                 " WHERE id = $1 AND incarnation = $2 AND state IN (1, 2)", // live, leaving
             {node.node, node.incarnation, words.report, join_names(words.unreachable)});
  if (!renewed)
    return renewed.error();
  auto view = read_cluster(db);
  if (!view)
    return std::move(view.error());
  const auto answer = renewed->rows_written > 0 ? lease_answer::held : lost_answer(*view, node);
  return renewal{.answer = answer, .view = std::move(*view)};
}

caf::expected<takeover> take_over(database& db, const write_fence& taker, const lease_mark& loser) {
  return in_transaction<takeover>(
      db, [&](database& open) { return take_over_once(open, taker, loser); });
}

caf::expected<bool> give_free_shards(database& db, const write_fence& giver) {
  return in_transaction<bool>(db, [&](database& open) { return give_free_once(open, giver); });
}

caf::expected<step_aside_answer> step_aside(database& db, const write_fence& node) {
  return in_transaction<step_aside_answer>(
      db, [&](database& open) { return step_aside_once(open, node); });
}

caf::error readmit(database& db, const write_fence& node) {
  auto admitted = db.run("UPDATE node SET refused_since = NULL WHERE id = $1 AND incarnation = $2",
                         {node.node, node.incarnation});
  return admitted ? caf::error{} : std::move(admitted.error());
}

caf::expected<departure> leave_cluster(database& db, const write_fence& node) {
  return in_transaction<departure>(db, [&](database& open) { return leave_once(open, node); });
}

} // namespace trunkline
