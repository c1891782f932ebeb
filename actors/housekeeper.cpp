#include "actors/housekeeper.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "storage/inbox_store.hpp"
#include "storage/log_retention.hpp"
#include "storage/node_store.hpp"
#include "storage/profile_store.hpp"
#include "storage/token_store.hpp"
#include "storage/webhook_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// Removes one round's share; returns the most that was removed of one kind.
caf::expected<std::int64_t> remove_old(write_context& context, const housekeeper_options& limits) {
  auto& db = context.db;
  const auto log = purge_log(db, {.rows_before = context.now - limits.log_kept,
                                  .bodies_before = context.now - limits.bodies_kept,
                                  .bytes_max = limits.log_bytes_max,
                                  .rows_max = limits.rows_max});
  if (!log)
    return log.error();
  auto most = std::max({log->rows, log->bodies, log->counted});
  for (const auto& removed : {purge_batches(db, context.now, limits.rows_max),
                              purge_retired_keys(db, context.now, limits.rows_max),
                              purge_arrivals(db, context.now - arrivals_kept, limits.rows_max),
                              purge_undos(db, context.now, limits.rows_max),
                              purge_outbox(db, context.now - limits.log_kept, limits.rows_max)}) {
    if (!removed)
      return removed.error();
    most = std::max(most, *removed);
  }
  if (auto failure = delete_expired_access(db, context.now))
    return failure;
  return most;
}

} // namespace

housekeeper_handle::behavior_type housekeeper_state::make_behavior(storage_handles storage,
                                                                   housekeeper_options options) {
  storage_ = std::move(storage);
  options_ = options;
  self_->delayed_send(self_, options_.interval, keep_house{});
  return {[this](keep_house) { tidy(); }};
}

void housekeeper_state::tidy() {
  ask_storage(self_, storage_, command<std::int64_t>{[limits = options_](write_context& context) {
                return remove_old(context, limits);
              }},
              [this](const caf::expected<std::int64_t>& removed) { plan(removed); });
}

/// After a failure the next round comes at its time: whatever is kept longer does no harm.
void housekeeper_state::plan(const caf::expected<std::int64_t>& most_removed) {
  const auto is_more =
      most_removed && *most_removed >= static_cast<std::int64_t>(options_.rows_max);
  self_->delayed_send(self_, is_more ? options_.pause : options_.interval, keep_house{});
}

housekeeper_handle::behavior_type
housekeeper(watched_pointer<housekeeper_handle, housekeeper_state> self, storage_handles storage,
            housekeeper_options options) {
  self->set_label("housekeeper");
  return self->state.make_behavior(std::move(storage), options);
}

} // namespace trunkline
