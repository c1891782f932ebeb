#include "actors/id_source.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/database.hpp"
#include "storage/id_slot_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// The difference between the ids of two moments.
std::int64_t id_span(std::chrono::milliseconds time) {
  return time.count() << 16;
}

void raise_to(std::atomic<std::int64_t>& value, std::int64_t floor) {
  auto seen = value.load();
  while (seen < floor && !value.compare_exchange_weak(seen, floor)) {
  }
}

} // namespace

id_source::id_source(std::uint8_t slot, std::int64_t reserve, wall_clock clock,
                     id_source_options options)
    : slot_{slot}, clock_{std::move(clock)}, options_{options}, last_{reserve}, reserve_{reserve} {}

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

std::int64_t id_source::wanted_reserve() const {
  const auto now = make_id(clock_(), slot_, 0);
  const auto used = std::max(last_.load(), asked_.load());
  const auto reserve = reserve_.load();
  const auto enough = now + id_span(options_.ahead - options_.refresh) < reserve &&
                      used + id_span(options_.margin) / 2 < reserve;
  if (enough)
    return 0;
  return std::max(now + id_span(options_.ahead), used + id_span(options_.margin));
}

void id_source::confirm(std::int64_t until) {
  raise_to(reserve_, until);
}

caf::expected<std::shared_ptr<id_source>>
open_id_source(database& db, std::uint8_t slot, wall_clock clock, id_source_options options) {
  auto stored = id_slot_store{db}.reserve(slot);
  if (!stored)
    return std::move(stored.error());
  auto ids = std::make_shared<id_source>(slot, *stored, std::move(clock), options);
  const auto until = ids->wanted_reserve();
  if (auto failure =
          db.transact([&](database& open) { return id_slot_store{open}.raise(slot, until); }))
    return failure;
  ids->confirm(until);
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
  if (until != 0 && !std::exchange(raising_, true))
    raise(until);
}

void id_keeper_state::raise(std::int64_t until) {
  auto change = command<caf::unit_t>{
      [slot = ids_->slot(), until](write_context& context) -> caf::expected<caf::unit_t> {
        if (auto failure = id_slot_store{context.db}.raise(slot, until))
          return failure;
        return caf::unit;
      }};
  ask_storage(self_, storage_, std::move(change),
              [this, until](const caf::expected<caf::unit_t>& outcome) { raised(until, outcome); });
}

void id_keeper_state::raised(std::int64_t until, const caf::expected<caf::unit_t>& outcome) {
  raising_ = false; // after a failure the next tick tries again
  if (outcome)
    ids_->confirm(until);
}

id_keeper_handle::behavior_type id_keeper(id_keeper_handle::stateful_pointer<id_keeper_state> self,
                                          storage_handles storage, std::shared_ptr<id_source> ids) {
  return self->state.make_behavior(std::move(storage), std::move(ids));
}

} // namespace trunkline
