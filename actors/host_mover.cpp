#include "actors/host_mover.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"

#include <utility>

namespace trunkline {

host_mover_handle::behavior_type
host_mover_state::make_behavior(host_mover_dependencies dependencies, host_mover_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  return {[this](const cluster_seen& news) { take(*news.view); }};
}

void host_mover_state::take(const cluster_view& view) {
  places_ = view.hosts;
  draw_routes(view);
  self_->send(has_.dispatcher, own_host_shards{own(view)});
  if (self_->clock().now() < next_move_at_)
    return;
  auto wanted = misplaced_host_shards(view, has_.node.node);
  const auto held = own(view);
  std::erase_if(wanted, [&](const host_shard_move& move) { return !held[move.shard]; });
  begin(wanted);
}

void host_mover_state::draw_routes(const cluster_view& view) const {
  auto names = shard_routes::nodes{};
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    if (const auto* owner = view.host_owner(static_cast<std::uint8_t>(shard)))
      names[shard] = owner->name;
  has_.routes->set(std::move(names));
}

shard_set host_mover_state::own(const cluster_view& view) const {
  const auto now = self_->clock().now();
  auto held = shard_set{};
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard) {
    const auto& place = view.hosts[shard];
    const auto is_own = place.node == has_.node.node && place.incarnation == has_.node.incarnation;
    held[shard] = is_own && !leaving_[shard] && place.moved_at > gone_since_[shard] &&
                  now >= doubted_until_[shard];
  }
  return held;
}

void host_mover_state::begin(const moves& wanted) {
  for (const auto& move : wanted) {
    leaving_.set(move.shard);
    self_->request(has_.dispatcher, caf::infinite, give_up_host_shards{shard_set{}.set(move.shard)})
        .then([this, move] { let_go(move); },
              [this, shard = move.shard](const caf::error&) {
                leaving_.reset(shard);
                rest();
              });
  }
}

void host_mover_state::let_go(const host_shard_move& move) {
  ready_.push_back(move);
  if (!is_handing_)
    hand_on();
}

/// What the dispatcher lets go of meanwhile goes together with the next ones.
void host_mover_state::hand_on() {
  is_handing_ = true;
  const auto wanted = std::exchange(ready_, {});
  auto change =
      command<std::vector<std::uint8_t>>{[node = has_.node, wanted](write_context& context) {
        return hand_on_host_shards(context.db, node, wanted);
      }};
  ask_storage(self_, has_.storage, std::move(change),
              [this, wanted](const caf::expected<std::vector<std::uint8_t>>& done) {
                moved(wanted, done);
              });
}

/// What was not moved is this node's own, and is taken up again with the next view. Of what failed
/// nobody knows.
void host_mover_state::moved(const moves& wanted,
                             const caf::expected<std::vector<std::uint8_t>>& done) {
  is_handing_ = false;
  for (const auto& move : wanted) {
    leaving_.reset(move.shard);
    if (!done)
      doubted_until_[move.shard] = self_->clock().now() + options_.doubt;
  }
  if (!done || done->size() < wanted.size())
    rest();
  if (done)
    for (const auto shard : *done)
      gone_since_[shard] = places_[shard].moved_at;
  if (done && !done->empty() && has_.on_moved)
    has_.on_moved();
  if (!ready_.empty())
    hand_on();
}

host_mover_handle::behavior_type
host_mover(watched_pointer<host_mover_handle, host_mover_state> self,
           host_mover_dependencies dependencies, host_mover_options options) {
  self->set_label("host_mover");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
