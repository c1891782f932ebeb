// What is read of the log for an operator.
#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t items_max = 500; // of one list

} // namespace

/// Everything from `from` to `upto` that may be open.
remote_host_state::walk_ptr remote_host_state::walk_over_open(log_seq from, log_seq upto) const {
  auto through = std::make_shared<log_walk>();
  through->limit = options_.counted_at_once;
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    const auto position = queue_.position(cls);
    if (position.first_open)
      through->parts[index_of(cls)] = {.next = std::max(*position.first_open, from),
                                       .upto = std::min(position.received_upto, upto),
                                       .sources = nullptr};
  }
  return through;
}

void remote_host_state::walk(const walk_ptr& through) {
  const auto part = std::ranges::find_if(
      through->parts, [](const log_walk::part& each) { return each.next <= each.upto; });
  if (part == through->parts.end())
    return through->then({});
  const auto cls = class_at(static_cast<std::size_t>(part - through->parts.begin()));
  self_
      ->request(has_.log_reader, options_.refill_deadline,
                read_missed{{.host = facts_.id,
                             .cls = cls,
                             .from = part->next,
                             .upto = part->upto,
                             .limit = through->limit,
                             .sources = part->sources}})
      .then([this, through, cls](const found_units& found) { walked(through, cls, found); },
            [through](const caf::error& failure) { through->then(failure); });
}

void remote_host_state::walked(const walk_ptr& through, delivery_class cls,
                               const found_units& found) {
  auto& part = through->parts[index_of(cls)];
  part.sources = found.sources;
  part.next = found.read_upto < part.next ? part.upto + 1 : found.read_upto + 1;
  if (through->take(cls, found))
    walk(through);
  else
    through->then({});
}

caf::result<host_queue> remote_host_state::tell_queue(const list_queue& wish) {
  if (early_.when_started.size() >= options_.asked_max || lists_ >= options_.asked_max)
    return make_error(errc::unavailable, to_name(address_) + ": too many ask");
  auto reply = self_->make_response_promise<host_queue>();
  if (started_)
    list(wish, reply);
  else
    early_.when_started.emplace_back([this, wish, reply] { list(wish, reply); });
  return reply;
}

/// Of each class one more than wanted is looked for: so it is known whether more follow.
void remote_host_state::list(const list_queue& wish,
                             caf::typed_response_promise<host_queue> reply) {
  const auto limit = std::clamp<std::size_t>(wish.limit, 1, items_max);
  auto items = std::make_shared<std::vector<queue_item>>();
  for (const auto& each : exceptions_.all())
    if (each.unit.key() > wish.after)
      items->push_back(item_of(each.unit));
  const auto through = walk_over_open(wish.after.seq, received_upto());
  through->limit = options_.refill_units;
  auto counts = std::make_shared<std::array<std::size_t, delivery_classes>>();
  through->take = [this, weak = std::weak_ptr{through}, items, counts, limit,
                   after = wish.after](delivery_class cls, const found_units& found) {
    auto& count = (*counts)[index_of(cls)];
    for (const auto& unit : found.units)
      if (count <= limit && unit.key() > after && queue_.is_open(unit) && !exceptions_.find(unit)) {
        items->push_back(item_of(unit));
        ++count;
      }
    const auto current = weak.lock();
    if (count > limit && current)
      current->parts[index_of(cls)].upto = 0; // enough of this class
    return true;
  };
  through->then = [this, items, limit, reply](const caf::error& failure) mutable {
    --lists_;
    if (failure)
      return void(reply.deliver(failure));
    std::ranges::sort(*items, {}, &queue_item::unit);
    auto answer = host_queue{.items = {}, .is_end = items->size() <= limit};
    items->resize(std::min(items->size(), limit));
    answer.items = std::move(*items);
    reply.deliver(std::move(answer));
  };
  ++lists_;
  walk(through);
}

queue_item remote_host_state::item_of(const delivery_unit& unit) const {
  auto item = queue_item{.unit = unit.key(),
                         .inbox = unit.to->url,
                         .author = unit.author,
                         .kind = unit.kind,
                         .object = unit.object,
                         .cls = unit.cls,
                         .at = unit.at};
  const auto found = std::ranges::find_if(exchanges_, [&](const host_exchange& open) {
    return !open.fetch && open.item.unit.key() == unit.key();
  });
  if (found != exchanges_.end()) {
    item.in_flight = true;
    item.attempts = found->item.own_failures;
  }
  if (const auto* waiting = exceptions_.find(unit)) {
    item.is_exception = true;
    item.attempts = waiting->row.attempts;
    item.error = waiting->row.error;
    item.next_try_at = waiting->row.next_try_at;
  }
  return item;
}

} // namespace trunkline
