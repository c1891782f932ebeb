/// A cluster's rows in one database, on a clock that the test moves.
#pragma once

#include "storage/cluster_store.hpp"
#include "tests/kit/clocked_database.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <vector>

namespace trunkline::kit {

/// A database whose clock the test moves.
struct cluster_fixture {
  explicit cluster_fixture(test_database& fresh) : inner{fresh.db()}, db{inner} {
    make_test_clock(inner, now);
  }

  void pass(std::chrono::microseconds time) {
    now += time;
    set_test_clock(inner, now);
  }

  join_answer ask_to_join(const join_wish& wish) { return must(join_cluster(db, wish)); }

  joined_node enter(const join_wish& wish) {
    const auto answer = ask_to_join(wish);
    REQUIRE(std::holds_alternative<joined_node>(answer));
    return std::get<joined_node>(answer);
  }
  joined_node join(const std::string& name) { return enter({.name = name, .holder = name}); }

  join_wait wait(const join_wish& wish) {
    const auto before = dump(inner);
    const auto answer = ask_to_join(wish);
    REQUIRE(std::holds_alternative<join_wait>(answer));
    CHECK(dump(inner) == before);
    return std::get<join_wait>(answer);
  }

  lease_answer renew(const joined_node& node) { return must(renew_lease(db, fence(node))).answer; }

  takeover take(const joined_node& taker, const joined_node& loser) {
    return must(take_over(db, fence(taker), mark(loser)));
  }

  lease_mark mark(const joined_node& node) { return must(read_cluster(db)).find(node.id)->mark(); }

  /// "node|incarnation|shards" of each who owns some, dead or alive.
  std::vector<std::string> owners() {
    return rows_of(db.run("SELECT node_id, incarnation, count(*) FROM shard_owner"
                          " GROUP BY node_id, incarnation ORDER BY node_id, incarnation"));
  }

  /// The same of one kind of shards.
  std::vector<std::string> owners(actor_kind kind) {
    return rows_of(db.run("SELECT node_id, incarnation, count(*) FROM shard_owner WHERE kind = $1"
                          " GROUP BY node_id, incarnation ORDER BY node_id, incarnation",
                          {static_cast<int>(kind)}));
  }

  /// Tells whether each host shard is on that of these nodes where it belongs.
  bool are_hosts_placed_on(const std::vector<placement_candidate>& candidates) {
    const auto view = must(read_cluster(db));
    for (auto shard = std::size_t{0}; shard < shard_count; ++shard) {
      const auto number = static_cast<std::uint8_t>(shard);
      const auto* owner = view.host_owner(number);
      const auto wanted = preferred_node(actor_kind::host, number, candidates);
      if (!owner || !wanted || owner->name != candidates[*wanted].name)
        return false;
    }
    return true;
  }

  node_state state(const joined_node& node) { return must(find_node(db, node.id))->state; }

  bool may_commit(const joined_node& node) {
    const auto done = db.commit_batch(++batches, now, fence(node),
                                      [](database&) { return std::vector<log_draft>(1); });
    CHECK((done || is_fence_refusal(done.error())));
    return done.engaged();
  }

  static write_fence fence(const joined_node& node) {
    return {.node = node.id, .incarnation = node.incarnation};
  }

  database& inner;
  clocked_database db;
  time_point now{std::chrono::seconds{1'800'000'000}};
  std::int64_t batches = 0;
};

inline void on_both_clocked(const std::function<void(cluster_fixture&)>& body) {
  on_both([&](test_database& fresh) {
    auto world = cluster_fixture{fresh};
    body(world);
  });
}

} // namespace trunkline::kit
