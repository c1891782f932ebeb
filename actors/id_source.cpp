#include "actors/id_source.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/database.hpp"
#include "storage/node_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// The greatest id of `slot` that lies in the millisecond of `at`.
std::int64_t last_id_at(time_point at, std::uint8_t slot) {
  return make_id(at, slot, 0xff);
}

void raise_to(std::atomic<std::int64_t>& value, std::int64_t floor) {
  auto seen = value.load();
  while (seen < floor && !value.compare_exchange_weak(seen, floor)) {
  }
}

} // namespace

id_source::id_source(std::uint8_t slot, time_point used, wall_clock clock,
                     id_source_options options)
    : slot_{slot}, clock_{std::move(clock)}, options_{options}, last_{last_id_at(used, slot)},
      reserve_{last_id_at(used, slot)} {}

caf::expected<std::int64_t> id_source::next(std::int64_t floor) {
  const auto now = clock_();
  auto last = last_.load();
  while (true) {
    const auto id = next_id(now, slot_, std::max(last, floor));
    if (id > reserve_.load()) {
      raise_to(asked_, id);
      return make_error(errc::unavailable, "ids: none are reserved for this time yet");
    }
    if (last_.compare_exchange_weak(last, id))
      return id;
  }
}

std::optional<time_point> id_source::wanted_reserve() const {
  const auto now = clock_();
  const auto used = time_of(std::max(last_.load(), asked_.load()));
  const auto reserve = time_of(reserve_.load());
  if (now + options_.ahead - options_.refresh < reserve && used + options_.margin / 2 < reserve)
    return std::nullopt;
  return std::max(now + options_.ahead, used + options_.margin);
}

void id_source::confirm(time_point until) {
  raise_to(reserve_, last_id_at(until, slot_));
}

caf::expected<std::shared_ptr<id_source>>
open_id_source(database& db, std::uint8_t slot, wall_clock clock, id_source_options options) {
  auto used = ids_until(db, slot);
  if (!used)
    return std::move(used.error());
  auto ids = std::make_shared<id_source>(slot, *used, std::move(clock), options);
  auto until = reserve_ids(db, slot, ids->wanted_reserve().value_or(*used));
  if (!until)
    return std::move(until.error());
  ids->confirm(*until);
  return ids;
}

id_keeper_handle::behavior_type id_keeper_state::make_behavior(storage_handles storage,
                                                               std::shared_ptr<id_source> ids) {
  storage_ = std::move(storage);
  ids_ = std::move(ids);
  self_->send(self_, keep_ids{});
  return {[this](keep_ids) { look(); }};
}

void id_keeper_state::look() {
  self_->delayed_send(self_, ids_->options().tick, keep_ids{});
  const auto until = ids_->wanted_reserve();
  if (until && !std::exchange(raising_, true))
    raise(*until);
}

void id_keeper_state::raise(time_point until) {
  auto change = command<time_point>{[slot = ids_->slot(), until](write_context& context) {
    return reserve_ids(context.db, slot, until);
  }};
  ask_storage(self_, storage_, std::move(change),
              [this](const caf::expected<time_point>& stored) { raised(stored); });
}

void id_keeper_state::raised(const caf::expected<time_point>& until) {
  raising_ = false; // after a failure the next tick tries again
  if (until)
    ids_->confirm(*until);
}

id_keeper_handle::behavior_type id_keeper(watched_pointer<id_keeper_handle, id_keeper_state> self,
                                          storage_handles storage, std::shared_ptr<id_source> ids) {
  self->set_label("id_keeper");
  return self->state.make_behavior(std::move(storage), std::move(ids));
}

} // namespace trunkline
