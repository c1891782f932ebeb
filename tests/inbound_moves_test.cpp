// Accounts of other servers that move, and their reports of ours.
#include "kit/inbound_world.hpp"
#include "storage/domain_block_store.hpp"
#include "storage/report_store.hpp"

#include "actors/inbound_work.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

json_object move_to(const std::string& target) {
  auto document = saying("Move", ann_uri);
  document["target"] = target;
  return document;
}

void add_alias(inbound_world& here, account_id id, const std::string& alias) {
  here.run("UPDATE account SET aliases = '[\"" + alias + "\"]' WHERE id = " + to_string(id));
}

void let_follow(inbound_world& here, account_id who, account_id whom, bool accepted = true) {
  must(store_follow(*here.storage.open_writer(), {who, whom}, {.show_boosts = false}, accepted,
                    "https://example.org/f/" + to_string(who) + "/" + to_string(whom),
                    here.actors.now()));
}

constexpr auto follows = "SELECT follower, followee, accepted, show_boosts FROM follow"
                         " ORDER BY follower, followee";

} // namespace

TEST_CASE("whoever of ours follows an account that moves follows the new one",
          "[inbound][inbound_moves]") {
  with_inbound([](inbound_world& here) {
    add_alias(here, lone, ann_uri);
    let_follow(here, alice, ann);
    let_follow(here, bob, ann, false);
    here.hear(ann_uri, move_to(lone_uri));
    CHECK(here.all(follows) == lines{"7|22|0|0", "8|22|0|0"});
    CHECK(here.all("SELECT moved_to FROM account WHERE id = 20") == lines{"22"});
    CHECK(here.log() ==
          lines{"29|20|u/0/20", "10|7|f/7/22", "9|7|f/7/20", "10|8|f/8/22", "11|8|f/8/20"});
    const auto rows = here.sent();
    CHECK(rows[1].signer == alice.value);
    CHECK(rows[1].extra == endpoints{own_endpoint(lone)});
    CHECK(rows[1].at("type") == "Follow");
    CHECK(rows[1].at("actor") == alice_uri);
    CHECK(rows[1].at("object") == lone_uri);
    CHECK(rows[1].at("id") == rows[1].ap_id);
    CHECK(here.all("SELECT uri FROM follow WHERE follower = 7") == lines{rows[1].ap_id});
    CHECK(rows[2].extra == endpoints{own_endpoint(ann)});
    CHECK(rows[2].at("type") == "Undo");
    CHECK(rows[2].at("object.id") == "https://example.org/f/7/20");
    CHECK(rows[2].at("object.object") == ann_uri);
    here.ignores("again", ann_uri, move_to(lone_uri));
    here.hear(lone_uri, saying("Accept", rows[1].ap_id));
    CHECK(here.all(follows) == lines{"7|22|1|0", "8|22|0|0"});
  });
}

TEST_CASE("an account that moves here brings its followers of ours", "[inbound][inbound_moves]") {
  with_inbound([](inbound_world& here) {
    let_follow(here, alice, ann);
    let_follow(here, bob, ann);
    add_alias(here, bob, ann_uri);
    here.hear(ann_uri, move_to(bob_uri));
    CHECK(here.all(follows) == lines{"7|8|1|0"});
    CHECK(here.told() == lines{"8|4|7|0"});
    CHECK(here.log() == lines{"29|20|u/0/20", "8|7|f/7/8", "9|7|f/7/20", "9|8|f/8/20"});
  });
}

TEST_CASE("a move that the new account does not confirm changes nothing",
          "[inbound][inbound_moves][A54]") {
  with_inbound([](inbound_world& here) {
    let_follow(here, alice, ann);
    here.ignores("no alias", ann_uri, move_to(lone_uri));
    add_alias(here, lone, ben_uri);
    here.ignores("another alias", ann_uri, move_to(lone_uri));
    add_alias(here, lone, ann_uri);
    here.ignores("another signer", ben_uri, move_to(lone_uri));
    here.ignores("unknown", ann_uri, move_to("https://lone.example/nobody"));
    here.ignores("nowhere", ann_uri, saying("Move", ann_uri));
    add_alias(here, ann, ann_uri);
    here.ignores("to itself", ann_uri, move_to(ann_uri));
    here.run("UPDATE account SET suspended_at = 1 WHERE id = 22");
    here.ignores("to a suspended one", ann_uri, move_to(lone_uri));
    here.run("UPDATE account SET suspended_at = NULL, moved_to = 21 WHERE id = 22");
    here.ignores("a chain", ann_uri, move_to(lone_uri));
  });
}

TEST_CASE("an account moves once a week", "[inbound][inbound_moves][A54]") {
  with_inbound([](inbound_world& here) {
    add_alias(here, lone, ann_uri);
    add_alias(here, ben, ann_uri);
    let_follow(here, alice, ann);
    here.hear(ann_uri, move_to(lone_uri));
    let_follow(here, bob, ann);
    here.wait(24h * 6);
    here.ignores("elsewhere", ann_uri, move_to(ben_uri));
    here.wait(24h + 1s);
    here.hear(ann_uri, move_to(ben_uri));
    CHECK(here.all(follows) == lines{"7|22|0|0", "8|21|0|0"});
  });
}

TEST_CASE("blocks and follows that are there already outlive a move", "[inbound][inbound_moves]") {
  with_inbound([](inbound_world& here) {
    add_alias(here, lone, ann_uri);
    for (const auto who : {alice, bob, carol})
      let_follow(here, who, ann);
    must(store_domain_block(*here.storage.open_writer(), {.owner = bob, .host = "lone.example"}));
    must(here.tell(block_account{carol, lone, {}}));
    must(store_follow(*here.storage.open_writer(), {alice, lone}, {}, true, "f", {}));
    here.hear(ann_uri, move_to(lone_uri));
    CHECK(here.all(follows) == lines{"7|22|1|1"});
  });
}

TEST_CASE("a move takes along a limited number at a time", "[inbound][inbound_moves]") {
  with_inbound([](inbound_world& here) {
    add_alias(here, lone, ann_uri);
    must(here.storage.open_writer()->transact([&](database& db) {
      for (auto id = std::int64_t{1'000}; id <= 1'000 + moved_followers_max; ++id) {
        const auto name = "u" + std::to_string(id);
        must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                    " VALUES ($1, $2, $2, $3, 1)",
                    {id, name, "https://example.org/users/" + name}));
        must(store_follow(db, {{id}, ann}, {}, true, "f" + name, {}));
      }
      return caf::error{};
    }));
    here.hear(ann_uri, move_to(lone_uri));
    CHECK(here.count("follow WHERE followee = 22") == moved_followers_max);
    CHECK(here.count("follow WHERE followee = 20") == 1);
    here.hear(ann_uri, move_to(lone_uri));
    CHECK(here.count("follow WHERE followee = 20") == 0);
    here.ignores("again", ann_uri, move_to(lone_uri));
  });
}

TEST_CASE("a Flag is a report for each account of ours, once", "[inbound][inbound_reports][A57]") {
  with_inbound([](inbound_world& here) {
    const auto one = here.posted(alice, {.text = "one"});
    const auto two = here.posted(bob, {.text = "two"});
    auto flag = saying("Flag",
                       json_array{alice_uri, alice_uri + "/statuses/" + to_string(one),
                                  bob_uri + "/statuses/" + to_string(two), ben_uri},
                       "https://far.example/flags/1");
    flag["content"] = "it\x01 is\n\n\u202e spam" + std::string(5'000, 'x');
    here.hear(ann_uri, flag);
    const auto reports = must(list_reports(here.db(), true, 0, 10));
    REQUIRE(reports.size() == 2);
    CHECK(reports[1].reporter == ann);
    CHECK(reports[1].target == alice);
    CHECK(reports[1].posts == std::vector{one});
    CHECK(reports[1].category == "other");
    CHECK(reports[1].uri == "https://far.example/flags/1");
    CHECK(reports[1].comment.starts_with("it is\n spamxxx"));
    CHECK(reports[1].comment.size() < 5'010);
    CHECK(reports[0].target == bob);
    CHECK(reports[0].posts == std::vector{two});
    here.ignores("again", ann_uri, flag);
    here.ignores("of nobody here", ann_uri, saying("Flag", json_array{ben_uri}));
    here.ignores("an unknown signer", "https://far.example/actor", saying("Flag", alice_uri));
  });
}

TEST_CASE("a Flag reports at most ten accounts", "[inbound][inbound_reports]") {
  with_inbound([](inbound_world& here) {
    auto named = json_array{};
    for (auto id = std::int64_t{1'000}; id < 1'012; ++id) {
      here.add_account({id}, "u" + std::to_string(id));
      named.emplace_back("https://example.org/users/u" + std::to_string(id));
    }
    here.hear(ann_uri, saying("Flag", named));
    CHECK(here.count("report") == 10);
  });
}
