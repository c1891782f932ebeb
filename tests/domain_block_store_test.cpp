#include "storage/domain_block_store.hpp"

#include "storage/notification_store.hpp"
#include "tests/kit/failing_database.hpp"
#include "tests/kit/remote_rows.hpp"

using namespace trunkline;
using kit::must;

namespace {

using lines = std::vector<std::string>;

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
const auto now = from_micros(1'000'000'000'000);

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

domain_block_row block_of(account_id owner, const std::string& host) {
  return {.owner = owner, .host = host, .at = now};
}

/// Two of ours and three of theirs, who all follow each other.
void add_everybody(database& db) {
  for (const auto& [id, name] : {std::pair{alice, "alice"}, std::pair{bob, "bob"}})
    must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                " VALUES ($1, $2, $2, $2, 1)",
                {id, name}));
  kit::add_remote(db, {account_id{20}, "one", "far.example"});
  kit::add_remote(db, {account_id{21}, "two", "sub.far.example"});
  kit::add_remote(db, {account_id{22}, "three", "notfar.example"});
  for (const auto ours : {alice, bob})
    for (const auto theirs : {20, 21, 22}) {
      must(store_follow(db, {ours, {theirs}}, {}, theirs != 21, "out", now));
      must(store_follow(db, {{theirs}, ours}, {}, true, "in", now));
    }
}

lines follows(database& db) {
  return kit::rows_of(db.run("SELECT follower, followee FROM follow ORDER BY follower, followee"));
}

} // namespace

TEST_CASE("a blocked domain includes its subdomains, and no other name", "[domain_block_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto is_blocked = [&](const std::string& host, account_id owner = alice) {
      return must(is_domain_blocked(db, owner, host));
    };
    CHECK(must(store_domain_block(db, block_of(alice, "far.example"))));
    CHECK_FALSE(must(store_domain_block(db, block_of(alice, "far.example"))));
    CHECK(is_blocked("far.example"));
    CHECK(is_blocked("a.b.far.example"));
    CHECK_FALSE(is_blocked("notfar.example"));
    CHECK_FALSE(is_blocked("example"));
    CHECK_FALSE(is_blocked(""));
    CHECK_FALSE(is_blocked("far.example", bob));
    CHECK_FALSE(is_blocked("far.example", whole_server));
    auto silenced = block_of(whole_server, "loud.example");
    silenced.severity = domain_severity::silence;
    silenced.reason = "noise";
    CHECK(must(store_domain_block(db, silenced)));
    CHECK_FALSE(is_blocked("loud.example")); // silence is no block
    silenced.severity = domain_severity::suspend;
    CHECK(must(store_domain_block(db, silenced)));
    CHECK(is_blocked("loud.example"));
    CHECK(is_blocked("loud.example", bob));
    CHECK(must(list_domain_blocks(db, whole_server, "", 10))[0].reason == "noise");
    must(store_domain_block(db, block_of(alice, "b.example")));
    CHECK(must(list_domain_blocks(db, alice, "", 1))[0].host == "b.example");
    CHECK(must(list_domain_blocks(db, alice, "b.example", 10))[0].host == "far.example");
    CHECK(must(list_domain_blocks(db, alice, "far.example", 10)).empty());
    CHECK(must(erase_domain_block(db, alice, "far.example")));
    CHECK_FALSE(must(erase_domain_block(db, alice, "far.example")));
    CHECK_FALSE(is_blocked("far.example"));
  });
}

TEST_CASE("follows with a blocked domain end in rounds, in both directions",
          "[domain_block_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    const auto ended = must(end_follows_with(db, alice, "far.example", 3));
    CHECK(ended.size() == 3);
    CHECK(ended[0].edge == follow_edge{account_id{20}, alice});
    CHECK(ended[0].was_accepted);
    CHECK(ended[0].uri == "in");
    CHECK(must(end_follows_with(db, alice, "far.example", 3)).size() == 1);
    CHECK(must(end_follows_with(db, alice, "far.example", 3)).empty());
    CHECK(follows(db) == lines{"7|22", "8|20", "8|21", "8|22", "20|8", "21|8", "22|7", "22|8"});
    CHECK(must(end_follows_with(db, whole_server, "far.example", 10)).size() == 4);
    CHECK(follows(db) == lines{"7|22", "8|22", "22|7", "22|8"});
  });
}

TEST_CASE("what a blocked domain has told is forgotten", "[domain_block_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    auto id = std::int64_t{0};
    for (const auto from : {8, 20, 21, 22})
      must(add_notification(db, {.id = ++id,
                                 .owner = alice,
                                 .kind = notification_kind::follow,
                                 .from = {from},
                                 .at = now}));
    CHECK(must(remove_notifications_of(db, alice, "far.example", 1)) == 1);
    CHECK(must(remove_notifications_of(db, alice, "far.example", 9)) == 1);
    CHECK(kit::rows_of(db.run("SELECT from_id FROM notification ORDER BY id")) == lines{"8", "22"});
  });
}

TEST_CASE("operations of the domain block store fail as a whole", "[domain_block_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) {
      return error_of(store_domain_block(open, block_of(alice, "far.example")));
    });
    walk([](database& open) { return error_of(is_domain_blocked(open, alice, "far.example")); });
    walk([](database& open) { return error_of(list_domain_blocks(open, alice, "", 9)); });
    walk([](database& open) { return error_of(end_follows_with(open, alice, "far.example", 9)); });
    walk([](database& open) {
      return error_of(remove_notifications_of(open, alice, "far.example", 9));
    });
    walk([](database& open) { return error_of(erase_domain_block(open, alice, "far.example")); });
  });
}
