#include "storage/node_store.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using kit::must;

namespace {

constexpr auto at(int second) {
  return time_point{std::chrono::seconds{second}};
}

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

} // namespace

TEST_CASE("a node takes a new incarnation at each start", "[node_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK_FALSE(must(find_node(db, 1)));
    auto node = node_row{.id = 1, .slot = 3, .address = "a", .joined_at = at(1)};
    CHECK(must(start_node(db, node)) == 1);
    node.joined_at = at(2);
    node.address = "b";
    node.lease_until = at(9);
    CHECK(must(start_node(db, node)) == 2);
    node.incarnation = 2;
    node.joined_at = at(1); // when it came first
    CHECK(must(find_node(db, 1)) == node);
  });
}

TEST_CASE("two nodes cannot have one slot", "[node_store]") {
  kit::on_both([](kit::test_database& fresh) {
    must(start_node(fresh.db(), {.id = 1, .slot = 3}));
    const auto refused = start_node(fresh.db(), {.id = 2, .slot = 3});
    REQUIRE_FALSE(refused);
    CHECK(code_of(refused.error()) == errc::unique_violation);
    CHECK(context_of(refused.error()) == "node.slot");
  });
}

TEST_CASE("a reserve of ids never shrinks and belongs to its slot", "[node_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK(must(ids_until(db, 255)) == time_point{});
    CHECK(must(reserve_ids(db, 255, at(10))) == at(10));
    CHECK(must(reserve_ids(db, 255, at(5))) == at(10));
    CHECK(must(reserve_ids(db, 255, at(20))) == at(20));
    CHECK(must(ids_until(db, 255)) == at(20));
    CHECK(must(ids_until(db, 0)) == time_point{});
  });
}

TEST_CASE("batches are kept for an hour", "[node_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    for (const auto second : {1, 2, 3, 3'700})
      must(db.run("INSERT INTO batch(id, at, last_seq) VALUES ($1, $2, 0)", {second, at(second)}));
    CHECK(must(purge_batches(db, at(3'602), 10)) == 1);
    CHECK(must(purge_batches(db, at(3'700), 1)) == 1);
    CHECK(must(purge_batches(db, at(3'700), 10)) == 1);
    CHECK(must(purge_batches(db, at(3'700), 10)) == 0);
    CHECK(kit::rows_of(db.run("SELECT id FROM batch")) == std::vector<std::string>{"3700"});
  });
}

TEST_CASE("a tombstone is sixteen bytes and stays", "[node_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK_FALSE(must(has_tombstone(db, "https://a.example/1")));
    must(add_tombstone(db, "https://a.example/1"));
    must(add_tombstone(db, "https://a.example/1"));
    CHECK(must(has_tombstone(db, "https://a.example/1")));
    CHECK_FALSE(must(has_tombstone(db, "https://a.example/2")));
    CHECK(kit::rows_of(db.run("SELECT count(*), max(length(hash)) FROM tombstone")) ==
          std::vector<std::string>{"1|16"});
  });
}

TEST_CASE("operations of the node store fail as a whole", "[node_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(db.run("INSERT INTO batch(id, at, last_seq) VALUES (1, 0, 0)"));
    kit::walk_every_n(db, [](database& open) { return error_of(start_node(open, {.id = 1})); });
    kit::walk_every_n(db, [](database& open) { return error_of(find_node(open, 1)); });
    kit::walk_every_n(db, [](database& open) { return error_of(reserve_ids(open, 1, at(1))); });
    kit::walk_every_n(db, [](database& open) { return error_of(ids_until(open, 1)); });
    kit::walk_every_n(db,
                      [](database& open) { return error_of(purge_batches(open, at(9'999), 9)); });
    kit::walk_every_n(db, [](database& open) { return add_tombstone(open, "a"); });
    kit::walk_every_n(db, [](database& open) { return error_of(has_tombstone(open, "a")); });
  });
}
