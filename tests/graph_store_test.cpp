#include "storage/graph_store.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using lines = std::vector<std::string>;

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
constexpr auto edge = follow_edge{alice, bob, {}};
const auto now = from_micros(1'000'000'000'000);

lines all(database& db, const std::string& what) {
  return kit::rows_of(db.run(what));
}

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

follow_change follow(database& db, const follow_options& options = {}, bool accepted = true) {
  return must(store_follow(db, edge, options, accepted, "https://a/users/alice#follow/1", now));
}

void add_account(database& db, const std::string& columns, const std::string& values) {
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at" + columns + ") VALUES (" +
              values + ")"));
}

} // namespace

TEST_CASE("an account's facts are read; a deleted one is nobody", "[graph_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_account(db, "", "7, 'Alice', 'alice', 'https://a/users/Alice', 1");
    add_account(db, ", locked, disabled_at", "8, 'bob', 'bob', 'https://a/users/bob', 1, 1, 5");
    add_account(db, ", host_id", "9, 'eve', 'eve', 'https://b/eve', 1, 4");
    add_account(db, ", deleted_at", "10, 'old', 'old', 'https://a/users/old', 1, 5");
    must(db.run("INSERT INTO host(id, scheme, name, port) VALUES (4, 'https', 'b', 443)"));
    const auto of_alice = must(find_account_facts(db, alice));
    REQUIRE(of_alice);
    CHECK(of_alice->name == "Alice");
    CHECK(of_alice->is_local);
    CHECK_FALSE(of_alice->locked);
    CHECK_FALSE(of_alice->disabled);
    const auto of_bob = must(find_account_facts(db, bob));
    CHECK(of_bob->locked);
    CHECK(of_bob->disabled);
    CHECK_FALSE(must(find_account_facts(db, account_id{9}))->is_local);
    CHECK_FALSE(must(find_account_facts(db, account_id{10})));
    CHECK_FALSE(must(find_account_facts(db, account_id{11})));

    CHECK(must(find_named(db, "alice", ""))->id == alice);
    CHECK(must(find_named(db, "alice", ""))->name == "Alice");
    CHECK_FALSE(must(find_named(db, "eve", "")));
    CHECK(must(find_named(db, "eve", "b"))->uri == "https://b/eve");
    CHECK_FALSE(must(find_named(db, "alice", "b")));
    CHECK_FALSE(must(find_named(db, "old", "")));
  });
}

TEST_CASE("a follow is made once, and changed by other options", "[graph_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK(follow(db) == follow_change::followed);
    const auto before = db.rows_written();
    CHECK(follow(db) == follow_change::none);
    CHECK(follow(db, {.show_boosts = true}) == follow_change::none);
    CHECK(db.rows_written() == before);
    CHECK(follow(db, {.show_boosts = false, .languages = {{"de", "fr"}}}) ==
          follow_change::changed);
    CHECK(follow(db, {.notify = true}) == follow_change::changed); // the rest stays
    CHECK(all(db, "SELECT accepted, show_boosts, notify, languages FROM follow") ==
          lines{"1|0|1|de,fr"});
    CHECK(must(erase_follow(db, edge)) == follow_end::unfollow);
    CHECK(must(erase_follow(db, edge)) == follow_end::none);
  });
}

TEST_CASE("a follow of a locked account waits", "[graph_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK(follow(db, {}, false) == follow_change::requested);
    CHECK(follow(db, {}, true) == follow_change::none); // nobody accepts for the followee
    CHECK(follow(db, {.notify = true}, true) == follow_change::asked_anew);
    CHECK(all(db, "SELECT accepted FROM follow") == lines{"0"});
    CHECK(must(erase_follow(db, edge)) == follow_end::withdrawn);
  });
}

TEST_CASE("a remote follower is counted at its endpoint while the follow is in force",
          "[graph_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto remote = follow_edge{account_id{99}, bob, endpoint_id{5}};
    const auto n = [&] { return all(db, "SELECT n FROM follower_endpoint WHERE author = 8"); };
    must(store_follow(db, remote, {}, false, "f", now));
    CHECK(n().empty());
    must(erase_follow(db, remote));
    must(store_follow(db, remote, {}, true, "f", now));
    must(store_follow(db, remote, {}, true, "f", now));
    CHECK(n() == lines{"1"});
    must(erase_follow(db, remote));
    must(erase_follow(db, remote));
    CHECK(n() == lines{"0"});
  });
}

TEST_CASE("blocks are made and taken back once", "[graph_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK_FALSE(must(is_blocked_either_way(db, alice, bob)));
    CHECK(must(store_block(db, alice, bob, now)));
    CHECK_FALSE(must(store_block(db, alice, bob, now + 1s)));
    CHECK(must(is_blocked_either_way(db, alice, bob)));
    CHECK(must(is_blocked_either_way(db, bob, alice)));
    CHECK(must(erase_block(db, alice, bob)));
    CHECK_FALSE(must(erase_block(db, alice, bob)));
  });
}

TEST_CASE("a mute changes only when it would be another one", "[graph_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK(must(store_mute(db, alice, bob, {}, now)));
    CHECK_FALSE(must(store_mute(db, alice, bob, {}, now + 1s)));
    CHECK(must(store_mute(db, alice, bob, {.notifications = false}, now)));
    CHECK(must(store_mute(db, alice, bob, {.notifications = false, .duration = 60s}, now)));
    CHECK_FALSE(must(store_mute(db, alice, bob, {.notifications = false, .duration = 60s}, now)));
    CHECK(must(store_mute(db, alice, bob, {.notifications = false, .duration = 60s}, now + 1s)));
    CHECK(all(db, "SELECT notifications, expires_at FROM mute") ==
          lines{"0|" + std::to_string(to_micros(now + 61s))});
    CHECK(must(store_mute(db, alice, bob, {.notifications = false}, now)));
    CHECK(must(erase_mute(db, alice, bob)));
    CHECK_FALSE(must(erase_mute(db, alice, bob)));
  });
}

TEST_CASE("operations of the graph store fail as a whole", "[graph_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_account(db, "", "7, 'Alice', 'alice', 'https://a/users/Alice', 1");
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    const auto remote = follow_edge{account_id{99}, bob, endpoint_id{5}};
    walk([](database& open) { return error_of(find_account_facts(open, alice)); });
    walk([](database& open) { return error_of(find_named(open, "alice", "")); });
    walk([&](database& open) { return error_of(store_follow(open, remote, {}, true, "f", now)); });
    walk([&](database& open) {
      return error_of(store_follow(open, remote, {.notify = true}, true, "f", now));
    });
    walk([&](database& open) { return error_of(erase_follow(open, remote)); });
    walk([](database& open) { return error_of(store_block(open, alice, bob, now)); });
    walk([](database& open) { return error_of(is_blocked_either_way(open, alice, bob)); });
    walk([](database& open) { return error_of(erase_block(open, alice, bob)); });
    walk([](database& open) { return error_of(store_mute(open, alice, bob, {}, now)); });
    walk([](database& open) { return error_of(erase_mute(open, alice, bob)); });
  });
}
