#include "storage/graph_store.hpp"

#include "storage/audience_store.hpp"
#include "storage/domain_block_store.hpp"
#include "tests/kit/failing_database.hpp"
#include "tests/kit/remote_rows.hpp"

#include <random>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using lines = std::vector<std::string>;

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
constexpr auto edge = follow_edge{alice, bob};
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
    kit::add_remote(db, {account_id{99}, "far"});
    kit::add_remote(db, {.id = account_id{98}, .name = "lone", .has_shared_inbox = false});
    const auto remote = follow_edge{account_id{99}, bob};
    const auto n = [&] { return all(db, "SELECT endpoint_id, n FROM follower_endpoint"); };
    const auto counted = [](endpoint_id endpoint, int followers) {
      return lines{to_string(endpoint) + "|" + std::to_string(followers)};
    };
    must(store_follow(db, remote, {}, false, "f", now));
    CHECK(n().empty());
    must(erase_follow(db, remote));
    must(store_follow(db, remote, {}, true, "f", now));
    must(store_follow(db, remote, {}, true, "f", now));
    CHECK(n() == counted(kit::shared_endpoint(), 1));
    must(erase_follow(db, remote));
    must(erase_follow(db, remote));
    CHECK(n() == counted(kit::shared_endpoint(), 0));
    must(db.run("DELETE FROM follower_endpoint"));
    must(store_follow(db, {account_id{98}, bob}, {}, true, "f", now));
    CHECK(n() == counted(kit::own_endpoint(account_id{98}), 1));
    must(db.run("UPDATE account SET deleted_at = 1 WHERE id = 98"));
    must(erase_follow(db, {account_id{98}, bob})); // also when the account went first
    CHECK(n() == counted(kit::own_endpoint(account_id{98}), 0));
  });
}

TEST_CASE("a follow that waits is put in force once, and knows its id", "[graph_store][I4]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    kit::add_remote(db, {account_id{99}, "far"});
    const auto remote = follow_edge{account_id{99}, bob};
    CHECK_FALSE(must(accept_follow(db, remote)));
    CHECK_FALSE(must(find_follow(db, remote)));
    must(store_follow(db, remote, {}, false, "https://far.example/f/1", now));
    CHECK_FALSE(must(find_follow(db, remote))->accepted);
    CHECK(must(accept_follow(db, remote)));
    CHECK_FALSE(must(accept_follow(db, remote)));
    CHECK(must(find_follow(db, remote))->accepted);
    CHECK(must(find_follow(db, remote))->uri == "https://far.example/f/1");
    CHECK(all(db, "SELECT n FROM follower_endpoint") == lines{"1"});
  });
}

TEST_CASE("followers per endpoint are those that a recount finds, whatever happens",
          "[graph_store][I4][I12]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    auto random = std::mt19937_64{17};
    const auto below = [&](std::size_t end) { return static_cast<std::int64_t>(random() % end); };
    add_account(db, "", "7, 'alice', 'alice', 'https://a/users/alice', 1");
    add_account(db, "", "8, 'bob', 'bob', 'https://a/users/bob', 1");
    for (auto id = std::int64_t{20}; id < 30; ++id)
      kit::add_remote(db, {.id = {id},
                           .name = "far" + std::to_string(id),
                           .host = id % 2 ? "odd.example" : "even.odd.example",
                           .has_shared_inbox = id % 3 != 0});
    const auto sets = [&] {
      return all(db, "SELECT author, endpoint_id FROM follower_endpoint WHERE n > 0 ORDER BY 1, 2");
    };
    const auto versions = [&] {
      return all(db, "SELECT author, version FROM follower_set ORDER BY author");
    };
    for (auto step = 0; step < 300; ++step) {
      const auto before = std::pair{sets(), versions()};
      const auto one = follow_edge{{20 + below(10)}, {7 + below(2)}};
      switch (below(9)) {
      case 0:
      case 1:
      case 2:
        must(store_follow(db, one, {}, true, "f", now));
        break;
      case 3:
        must(store_follow(db, one, {}, false, "f", now));
        break;
      case 4:
      case 5:
        must(accept_follow(db, one));
        break;
      case 6:
      case 7:
        must(erase_follow(db, one));
        break;
      default:
        must(end_follows_with(db, one.followee, step % 2 ? "odd.example" : "even.odd.example", 3));
      }
      CHECK((before.first != sets()) == (before.second != versions()));
      REQUIRE(all(db, "SELECT author, endpoint_id, n FROM follower_endpoint WHERE n > 0"
                      " ORDER BY 1, 2") ==
              all(db, "SELECT f.followee, COALESCE(a.shared_inbox_id, a.inbox_id), COUNT(*)"
                      " FROM follow f JOIN account a ON a.id = f.follower WHERE f.accepted = 1"
                      " GROUP BY 1, 2 ORDER BY 1, 2"));
    }
  });
}

TEST_CASE("blocks are made and taken back once", "[graph_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK_FALSE(must(is_blocked_either_way(db, alice, bob)));
    CHECK(must(block_uri(db, alice, bob)).empty());
    CHECK(must(store_block(db, alice, bob, now, "https://a/users/alice#block/1")));
    CHECK_FALSE(must(store_block(db, alice, bob, now + 1s)));
    CHECK(must(block_uri(db, alice, bob)) == "https://a/users/alice#block/1");
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
    kit::add_remote(db, {account_id{99}, "far"});
    const auto remote = follow_edge{account_id{99}, bob};
    walk([](database& open) { return error_of(find_account_facts(open, alice)); });
    walk([](database& open) { return error_of(find_named(open, "alice", "")); });
    walk([&](database& open) { return error_of(store_follow(open, remote, {}, true, "f", now)); });
    walk([&](database& open) {
      return error_of(store_follow(open, remote, {.notify = true}, true, "f", now));
    });
    walk([&](database& open) { return error_of(find_follow(open, remote)); });
    walk([&](database& open) { return error_of(erase_follow(open, remote)); });
    walk([&](database& open) { return error_of(store_follow(open, remote, {}, false, "f", now)); });
    walk([&](database& open) { return error_of(accept_follow(open, remote)); });
    walk([](database& open) { return error_of(store_block(open, alice, bob, now)); });
    walk([](database& open) { return error_of(block_uri(open, alice, bob)); });
    walk([](database& open) { return error_of(is_blocked_either_way(open, alice, bob)); });
    walk([](database& open) { return error_of(erase_block(open, alice, bob)); });
    walk([](database& open) { return error_of(store_mute(open, alice, bob, {}, now)); });
    walk([](database& open) { return error_of(erase_mute(open, alice, bob)); });
  });
}
