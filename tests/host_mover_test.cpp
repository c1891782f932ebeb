#include "actors/host_mover.hpp"

#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/fake_region.hpp"
#include "kit/test_storage.hpp"
#include "protocol/errc.hpp"
#include "storage/cluster_store.hpp"

#include <catch2/catch.hpp>

#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

/// What the dispatcher was told, and what it has not answered yet.
struct fake_owner {
  shard_set own;
  using waiting = std::vector<std::pair<shard_set, caf::typed_response_promise<caf::unit_t>>>;
  waiting given_up;
  waiting gone; ///< Answered by the next `begin_delivery`.
  caf::error refusal;
};

dispatcher_handle::behavior_type owner_of(dispatcher_handle::pointer self,
                                          std::shared_ptr<fake_owner> told) {
  return {
      [told](begin_delivery) {
        for (auto& [shards, reply] : std::exchange(told->gone, {}))
          reply.deliver(caf::unit);
      },
      [](const dispatch_rows&) {},
      [](const host_progress&) {},
      [](const adopt_host&) -> caf::result<host_cursor> { return host_cursor{}; },
      [](const ask_open_units&) -> caf::result<open_units> { return open_units{}; },
      [](flush_books) -> caf::result<void> { return caf::unit; },
      [told](const own_host_shards& news) { told->own = news.shards; },
      [self, told](const give_up_host_shards& wish) -> caf::result<void> {
        if (told->refusal)
          return told->refusal;
        auto reply = self->make_response_promise<caf::unit_t>();
        told->given_up.emplace_back(wish.shards, reply);
        return reply;
      },
      [](describe_dispatcher) -> caf::result<dispatcher_report> { return dispatcher_report{}; },
      [](checkpoint_due) {},
  };
}

/// n1, which has all shards of hosts, and n2, to which a part of them belongs.
struct mover_fixture {
  mover_fixture() {
    first = join("n1");
    second = join("n2");
    mover = actors.spawn(host_mover,
                         host_mover_dependencies{.storage = storage.start(actors),
                                                 .dispatcher = dispatcher,
                                                 .routes = routes,
                                                 .node = fence(first),
                                                 .on_moved = [this] { ++moves; }},
                         host_mover_options{});
  }

  joined_node join(const std::string& name) {
    const auto answer = join_cluster(
        storage.db(),
        {.name = name, .holder = "on " + name, .address = {}, .weights = {}, .waited_out = {}});
    REQUIRE(answer);
    return std::get<joined_node>(*answer);
  }

  static write_fence fence(const joined_node& node) {
    return {.node = node.id, .incarnation = node.incarnation};
  }

  /// What the database says, with shards that have settled.
  cluster_view look() {
    for (const auto& node : {first, second})
      REQUIRE(renew_lease(storage.db(), fence(node)));
    return *read_cluster(storage.db());
  }

  /// The same, as if it had stood so for half a minute.
  static cluster_view later(cluster_view view) {
    view.now += settled_for + 1s;
    for (auto& node : view.nodes)
      node.tried_at = view.now;
    return view;
  }

  void tell(const cluster_view& view) {
    caf::anon_send(mover, cluster_seen{std::make_shared<const cluster_view>(view)});
    actors.settle();
  }

  /// Lets the dispatcher let go of everything that it was asked for.
  void let_go() {
    std::ranges::move(std::exchange(told->given_up, {}), std::back_inserter(told->gone));
    caf::anon_send(dispatcher, begin_delivery{});
    actors.settle();
  }

  std::size_t owned_by(const joined_node& node) {
    const auto view = *read_cluster(storage.db());
    return view.find(node.id)->host_shards;
  }

  kit::deterministic_system actors{5};
  kit::test_storage storage;
  std::shared_ptr<fake_owner> told = std::make_shared<fake_owner>();
  dispatcher_handle dispatcher = actors.spawn(owner_of, told);
  std::shared_ptr<shard_routes> routes = std::make_shared<shard_routes>();
  joined_node first, second;
  host_mover_handle mover;
  int moves = 0;
};

} // namespace

TEST_CASE("a node takes up what the database gives it, and nothing else", "[host_mover]") {
  auto at = mover_fixture{};
  auto view = at.look();
  at.tell(view);
  CHECK(at.told->own.all());
  CHECK(at.routes->node_of(std::uint8_t{7}) == "n1");

  view.hosts[7].node = at.second.id;
  view.hosts[7].incarnation = at.second.incarnation;
  view.hosts[8].incarnation += 1; // another life of this node's
  view.hosts[9] = {};
  at.tell(view);
  CHECK(at.told->own.count() == shard_count - 3);
  CHECK_FALSE(at.told->own[7]);
  CHECK_FALSE(at.told->own[8]);
  CHECK(at.routes->node_of(std::uint8_t{7}) == "n2");
  CHECK(at.routes->node_of(std::uint8_t{9}).empty());
}

TEST_CASE("what belongs elsewhere is handed on once the dispatcher has let go", "[host_mover]") {
  auto at = mover_fixture{};
  const auto before = at.look();
  at.tell(before);
  CHECK(at.told->given_up.empty()); // it has not settled

  const auto settled = at.later(before);
  const auto wanted = misplaced_host_shards(settled, at.first.id).size();
  REQUIRE(wanted > 80);
  at.tell(settled);
  REQUIRE(at.told->given_up.size() == wanted); // each by itself
  CHECK(at.owned_by(at.second) == 0);
  at.tell(settled); // asked for once
  CHECK(at.told->given_up.size() == wanted);
  CHECK(at.told->own.count() == shard_count - wanted);

  SECTION("one that takes long holds up no other") {
    auto slow = std::move(at.told->given_up.back());
    at.told->given_up.pop_back();
    at.let_go();
    CHECK(at.owned_by(at.second) == wanted - 1);
    at.told->given_up.push_back(std::move(slow));
    at.let_go();
    CHECK(at.owned_by(at.second) == wanted);
  }
  SECTION("an old view does not bring back what was handed on, a later one does") {
    at.let_go();
    CHECK(at.owned_by(at.second) == wanted);
    CHECK(at.moves >= 1);
    at.tell(settled);
    CHECK(at.told->own.count() == shard_count - wanted);
    CHECK(at.told->given_up.empty());
    auto back = at.look();
    for (auto& place : back.hosts)
      if (place.node == at.second.id)
        place = {.node = at.first.id,
                 .incarnation = at.first.incarnation,
                 .moved_at = place.moved_at + 1s};
    at.tell(back);
    CHECK(at.told->own.all());
  }
  SECTION("of a receiver that is gone it keeps the shards") {
    REQUIRE(leave_cluster(at.storage.db(), at.fence(at.second)));
    at.let_go();
    CHECK(at.owned_by(at.first) == shard_count);
    CHECK(at.moves == 0);
    at.tell(before);
    CHECK(at.told->own.all());
  }
  SECTION("where nobody knows what became of it, it has nothing for a while") {
    at.storage.faults().after_commit = [](std::int64_t) {
      return make_error(errc::commit_unknown, "lost");
    };
    at.let_go();
    at.storage.faults().after_commit = {};
    at.actors.settle();
    at.tell(before);
    CHECK(at.told->own.count() == shard_count - wanted);
    at.actors.advance(11s);
    at.tell(before); // an old one: the database says that they are gone
    CHECK(at.told->own.all());
  }
}

TEST_CASE("what the dispatcher does not let go of stays", "[host_mover]") {
  auto at = mover_fixture{};
  at.told->refusal = make_error(errc::timed_out, "a host does not end");
  const auto settled = at.later(at.look());
  at.tell(settled);
  CHECK(at.owned_by(at.first) == shard_count);
  at.told->refusal = {};
  at.tell(settled); // it rests
  CHECK(at.told->given_up.empty());
  at.actors.advance(2'100ms);
  at.tell(settled);
  CHECK_FALSE(at.told->given_up.empty());
}
