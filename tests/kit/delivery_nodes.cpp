#include "kit/delivery_nodes.hpp"

#include "actors/messages.hpp"
#include "kit/delivery_world.hpp"

#include <memory>
#include <utility>

namespace trunkline::kit {

namespace {

using find_region = std::function<host_region_handle(const host_address&)>;

template <class In, class Out>
auto handed_on(caf::typed_mpi<caf::detail::type_list<In>, caf::output_tuple<Out>>*,
               host_region_handle::pointer self, const find_region& region) {
  if constexpr (requires(In message) { message.host; })
    return [=](In& message) -> caf::result<Out> {
      const auto to = region(message.host);
      return self->delegate(to, std::move(message));
    };
  else if constexpr (std::is_same_v<In, stop_hosts>)
    return [](const In&) -> caf::result<Out> { return caf::unit; };
  else
    return [](const In&) {};
}

template <class... Signatures>
host_region_handle::behavior_type hand_on_all(caf::detail::type_list<Signatures...>*,
                                              host_region_handle::pointer self,
                                              const find_region& region) {
  return {handed_on(static_cast<Signatures*>(nullptr), self, region)...};
}

void add(dispatcher_report& all, const dispatcher_report& one) {
  all.outstanding += one.outstanding;
  all.hosts_open += one.hosts_open;
  all.hosts_behind += one.hosts_behind;
  all.shards += one.shards;
  all.sums += one.sums;
}

} // namespace

dispatcher_handle::behavior_type
all_dispatchers(dispatcher_handle::pointer self,
                std::function<std::vector<dispatcher_handle>()> all_nodes,
                std::function<std::size_t(const host_address&)> node_of) {
  const auto of = [=](const host_address& host) { return all_nodes()[node_of(host)]; };
  return {
      [](begin_delivery) {},
      [=](const dispatch_rows& news) {
        for (const auto& node : all_nodes())
          self->send(node, news);
      },
      [=](const host_progress& news) { self->send(of(news.host), news); },
      [=](const adopt_host& wish) -> caf::result<host_cursor> {
        return self->delegate(of(wish.host), wish);
      },
      [=](const ask_open_units& wish) -> caf::result<open_units> {
        return self->delegate(all_nodes().front(), wish);
      },
      [](flush_books) -> caf::result<void> { return caf::unit; },
      [](const own_host_shards&) {},
      [](const give_up_host_shards&) -> caf::result<void> { return caf::unit; },
      [=](describe_dispatcher question) -> caf::result<dispatcher_report> {
        struct reports {
          dispatcher_report all;
          std::size_t left = 0;
        };
        auto reply = self->make_response_promise<dispatcher_report>();
        const auto nodes = all_nodes();
        const auto sum = std::make_shared<reports>(reports{.all = {}, .left = nodes.size()});
        for (const auto& node : nodes)
          self->request(node, caf::infinite, question)
              .then(
                  [=](const dispatcher_report& one) mutable {
                    add(sum->all, one);
                    if (--sum->left == 0)
                      reply.deliver(sum->all);
                  },
                  [=](caf::error& failure) mutable { reply.deliver(std::move(failure)); });
        return reply;
      },
      [](checkpoint_due) {},
  };
}

host_region_handle::behavior_type region_by_host(host_region_handle::pointer self,
                                                 find_region region_of_host) {
  return hand_on_all(static_cast<host_region_handle::signatures*>(nullptr), self, region_of_host);
}

/// What is being given up is named again only once it is known what became of that.
void delivery_world::tell_shards(std::size_t number) {
  caf::anon_send(nodes_[number].dispatcher, own_host_shards{shards_of(number) & ~moving_});
}

shard_set delivery_world::shards_of(std::size_t number) const {
  auto shards = shard_set{};
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    shards[shard] = owners_[shard] == number;
  return shards;
}

void delivery_world::hand_over(const shard_set& shards, std::size_t to) {
  for (auto from = std::size_t{0}; from < nodes_.size(); ++from) {
    const auto moved = shards & shards_of(from) & ~moving_;
    if (from == to || moved.none())
      continue;
    moving_ |= moved;
    // The owner changes only if both are still who they were; else the giver learns that it is his.
    const auto done = [this, moved, from, to, life = nodes_[from].life,
                       heir_life = nodes_[to].life](const caf::error& failure) {
      if (nodes_[from].life != life)
        return;
      moving_ &= ~moved;
      if (failure || nodes_[to].life != heir_life)
        return tell_shards(from);
      ++moves_;
      for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
        if (moved[shard])
          owners_[shard] = to;
      tell_shards(to);
    };
    actors.system().spawn(
        [giver = nodes_[from].dispatcher, moved, done](caf::event_based_actor* self) {
          self->request(giver, caf::infinite, give_up_host_shards{moved})
              .then([done] { done({}); }, [done](const caf::error& failure) { done(failure); });
        });
  }
}

void delivery_world::kill_node(std::size_t number, std::size_t heir,
                               std::function<void(std::string)> ended) {
  auto& dead = nodes_[number];
  ++dead.life;
  actors.kill(dead.dispatcher);
  actors.kill(dead.hosts);
  for (const auto& [host, each] : running_)
    if (each.node == number && is_running(each))
      kill_host(host.name, [ended, name = host.name] { ended(name); });
  settle(); // what its writer had is written, or was refused
  moving_ &= ~shards_of(number);
  for (auto& owner : owners_)
    if (owner == number)
      owner = heir;
  start_dispatcher(dead);
  start_hosts(number);
  begin(dead);
  if (heir != number)
    tell_shards(heir);
}

} // namespace trunkline::kit
