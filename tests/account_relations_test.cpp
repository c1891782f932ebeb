// Follows, requests, blocks and blocked domains between ours and accounts of other servers.
#include "actors/domain_blocks.hpp"
#include "kit/federated_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto alice_uri = std::string{"https://example.org/users/Alice"};
const auto carol_uri = std::string{"https://example.org/users/carol"};
const auto ann_uri = std::string{"https://far.example/ann"};

/// What every row to one account has in common.
void check_direct(const sent_row& row, account_id to, account_id from) {
  CHECK(row.cls == delivery_class::direct);
  CHECK_FALSE(row.is_public);
  CHECK(row.audience.empty());
  CHECK(row.extra == endpoints{own_endpoint(to)});
  CHECK(row.signer == from.value);
  CHECK(row.at("id") == row.ap_id);
}

lines counted(federated_world& here) {
  return here.all("SELECT author, n FROM follower_endpoint ORDER BY author, endpoint_id");
}

} // namespace

TEST_CASE("A51: a follow of an account elsewhere waits until it is accepted there",
          "[account_relations][I4]") {
  with_federation([](federated_world& here) {
    const auto follow = [&](follow_options options = {}) {
      return code(here.tell(follow_account{alice, ann, options, {}}));
    };
    CHECK(follow() == errc{});
    auto row = here.last();
    CHECK(row.kind == log_kind::follow_request);
    CHECK(row.object_key == "f/7/20");
    check_direct(row, ann, alice);
    CHECK(row.at("type") == "Follow");
    CHECK(row.at("actor") == alice_uri);
    CHECK(row.at("object") == ann_uri);
    const auto follow_id = row.ap_id;
    CHECK(here.all("SELECT accepted, uri FROM follow") == lines{"0|" + follow_id});
    CHECK(follow() == errc{});
    CHECK(here.count("log") == 1);
    CHECK(follow({.show_boosts = false}) == errc{}); // is noted, and sent to nobody
    CHECK(here.last().body.is_null());
    CHECK(here.last().extra.empty());

    CHECK(code(here.tell(unfollow_account{alice, ann, {}})) == errc{});
    CHECK(code(here.tell(unfollow_account{alice, ann, {}})) == errc{});
    CHECK(here.count("log") == 3);
    row = here.last();
    CHECK(row.kind == log_kind::reject_follow);
    check_direct(row, ann, alice);
    CHECK(row.at("type") == "Undo");
    CHECK(row.at("object.id") == follow_id);
    CHECK(row.at("object.type") == "Follow");
    CHECK(row.at("object.actor") == alice_uri);
    CHECK(row.at("object.object") == ann_uri);
    CHECK(here.count("follow") == 0);
  });
}

TEST_CASE("a follow in force elsewhere is undone with its own id", "[account_relations][I4]") {
  with_federation([](federated_world& here) {
    CHECK(code(here.tell(follow_account{alice, ann, {}, {}})) == errc{});
    const auto follow_id = here.last().ap_id;
    here.run("UPDATE follow SET accepted = 1");
    CHECK(code(here.tell(follow_account{alice, ann, {.notify = true}, {}})) == errc{});
    CHECK(here.last().kind == log_kind::follow);
    CHECK(here.last().body.is_null());
    CHECK(code(here.tell(unfollow_account{alice, ann, {}})) == errc{});
    CHECK(here.last().kind == log_kind::undo_follow);
    CHECK(here.last().at("object.id") == follow_id);
    CHECK(counted(here).empty()); // ann's followers are not ours to count
  });
}

TEST_CASE("who may not be followed", "[account_relations][I6]") {
  with_federation([](federated_world& here) {
    const auto follow = [&](account_id target) {
      return code(here.tell(follow_account{alice, target, {}, {}}));
    };
    here.run("UPDATE account SET suspended_at = 1 WHERE id = 21");
    CHECK(follow(ben) == errc::forbidden);
    here.run("INSERT INTO domain_block(account_id, host, at, severity)"
             " VALUES (0, 'lone.example', 1, 2)");
    CHECK(follow(lone) == errc::forbidden);
    CHECK(code(here.tell(block_domain{alice, "far.example", true, {}})) == errc{});
    CHECK(follow(ann) == errc::forbidden);
    here.run("UPDATE account SET deleted_at = 1 WHERE id = 20");
    CHECK(follow(ann) == errc::not_found);
    CHECK(here.count("follow") == 0);
  });
}

TEST_CASE("a request from elsewhere is accepted once", "[account_relations][I4]") {
  with_federation([](federated_world& here) {
    const auto answer = [&](bool accepted) {
      return code(here.tell(answer_follow_request{carol, ann, accepted, {}}));
    };
    CHECK(answer(true) == errc::not_found);
    here.ask_from_afar(ann, carol);
    here.run("INSERT INTO notification(id, account_id, kind, from_id, at) VALUES (1, 9, 5, 20, 1)");
    CHECK(answer(true) == errc{});
    const auto row = here.last();
    CHECK(row.kind == log_kind::accept_follow);
    CHECK(row.object_key == "f/20/9");
    check_direct(row, ann, carol);
    CHECK(row.at("type") == "Accept");
    CHECK(row.at("actor") == carol_uri);
    CHECK(row.at("object.id") == here.follow_uri(ann));
    CHECK(row.at("object.actor") == ann_uri);
    CHECK(row.at("object.object") == carol_uri);
    CHECK(counted(here) == lines{"9|1"});
    CHECK(here.told() == lines{"9|4|20|0"}); // the request has become a follow
    CHECK(answer(true) == errc::not_found);
    CHECK(answer(false) == errc::not_found);
    CHECK(here.count("log") == 1);
  });
}

TEST_CASE("a request from elsewhere is refused once", "[account_relations][I4]") {
  with_federation([](federated_world& here) {
    here.ask_from_afar(ann, carol);
    here.run("INSERT INTO notification(id, account_id, kind, from_id, at) VALUES (1, 9, 5, 20, 1)");
    CHECK(code(here.tell(answer_follow_request{carol, ann, false, {}})) == errc{});
    const auto row = here.last();
    CHECK(row.kind == log_kind::reject_follow);
    check_direct(row, ann, carol);
    CHECK(row.at("type") == "Reject");
    CHECK(row.at("object.id") == here.follow_uri(ann));
    CHECK(here.count("follow") == 0);
    CHECK(here.told().empty());
    CHECK(counted(here).empty());
    CHECK(code(here.tell(answer_follow_request{carol, ann, false, {}})) == errc::not_found);
  });
}

TEST_CASE("requests among ours are answered, and told", "[account_relations][I16]") {
  with_federation([](federated_world& here) {
    CHECK(code(here.tell(follow_account{alice, carol, {}, {}})) == errc{});
    CHECK(here.told() == lines{"9|5|7|0"});
    CHECK(code(here.tell(change_profile{carol, {.locked = false}, {}})) == errc{});
    CHECK(here.all("SELECT accepted FROM follow") == lines{"0"}); // as Mastodon: it goes on waiting
    CHECK(code(here.tell(answer_follow_request{carol, alice, true, {}})) == errc{});
    CHECK(here.last().kind == log_kind::follow);
    CHECK(here.last().object_key == "f/7/9");
    CHECK(here.last().body.is_null());
    CHECK(here.told() == lines{"9|4|7|0"});
    CHECK(code(here.tell(unfollow_account{alice, carol, {}})) == errc{});
    CHECK(here.told().empty());
    CHECK(code(here.tell(follow_account{alice, bob, {}, {}})) == errc{});
    CHECK(code(here.tell(follow_account{alice, bob, {}, {}})) == errc{});
    CHECK(here.told() == lines{"8|4|7|0"});
  });
}

TEST_CASE("a follower is dropped with a Reject", "[account_relations][I4]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ann, alice);
    here.follow_from_afar(ben, alice);
    CHECK(counted(here) == lines{"7|2"});
    CHECK(code(here.tell(drop_follower{alice, ann, {}})) == errc{});
    CHECK(code(here.tell(drop_follower{alice, ann, {}})) == errc{});
    CHECK(here.count("log") == 1);
    const auto row = here.last();
    CHECK(row.kind == log_kind::undo_follow);
    CHECK(row.object_key == "f/20/7");
    check_direct(row, ann, alice);
    CHECK(row.at("type") == "Reject");
    CHECK(row.at("object.id") == here.follow_uri(ann));
    CHECK(counted(here) == lines{"7|1"});
  });
}

TEST_CASE("I6: a block ends the follows both ways, tells the other server, and is undone by name",
          "[account_relations][I6]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ann, alice);
    CHECK(code(here.tell(follow_account{alice, ann, {}, {}})) == errc{});
    const auto follow_id = here.last().ap_id;
    here.run("UPDATE follow SET accepted = 1");
    here.run("INSERT INTO notification(id, account_id, kind, from_id, at) VALUES (1, 7, 4, 20, 1)");
    CHECK(code(here.tell(block_account{alice, ann, {}})) == errc{});
    CHECK(code(here.tell(block_account{alice, ann, {}})) == errc{});
    const auto rows = here.sent(1);
    REQUIRE(rows.size() == 3);
    for (const auto& row : rows)
      check_direct(row, ann, alice);
    CHECK(rows[0].at("type") == "Undo");
    CHECK(rows[0].at("object.id") == follow_id);
    CHECK(rows[1].at("type") == "Reject");
    CHECK(rows[1].at("object.id") == here.follow_uri(ann));
    CHECK(rows[2].kind == log_kind::block);
    CHECK(rows[2].at("type") == "Block");
    CHECK(rows[2].at("object") == ann_uri);
    CHECK(here.count("follow") == 0);
    CHECK(here.told().empty());
    CHECK(counted(here) == lines{"7|0"});
    CHECK(code(here.tell(unblock_account{alice, ann, {}})) == errc{});
    CHECK(code(here.tell(unblock_account{alice, ann, {}})) == errc{});
    const auto row = here.last();
    CHECK(row.kind == log_kind::undo_block);
    check_direct(row, ann, alice);
    CHECK(row.at("type") == "Undo");
    CHECK(row.at("object.id") == rows[2].ap_id);
    CHECK(row.at("object.type") == "Block");
    CHECK(here.count("log") == 5);
  });
}

TEST_CASE("a mute is sent to nobody", "[account_relations]") {
  with_federation([](federated_world& here) {
    CHECK(code(here.tell(mute_account{alice, ann, {}, {}})) == errc{});
    CHECK(code(here.tell(unmute_account{alice, ann, {}})) == errc{});
    for (const auto& row : here.sent()) {
      CHECK(row.body.is_null());
      CHECK(row.extra.empty());
    }
  });
}

TEST_CASE("a blocked domain loses its follows in rounds", "[account_relations][I6]") {
  with_federation([](federated_world& here) {
    auto writer = here.storage.open_writer();
    constexpr auto many = domain_round + 20;
    for (auto id = std::int64_t{1000}; id < 1000 + many; ++id)
      add_remote(*writer, {{id}, "f" + std::to_string(id), "sub.far.example"});
    for (auto id = std::int64_t{1000}; id < 1000 + many; ++id)
      must(store_follow(*writer, {{id}, alice}, {}, true, "f" + std::to_string(id), {}));
    here.follow_from_afar(lone, alice);
    must(store_follow(*writer, {alice, ann}, {}, true, "https://example.org/f", {}));
    here.run("INSERT INTO notification(id, account_id, kind, from_id, at) VALUES (1, 7, 4, 20, 1)");

    CHECK(code(here.tell(block_domain{alice, "not a domain", true, {}})) == errc::invalid);
    CHECK(code(here.tell(block_domain{alice, "Far.Example", true, {}})) == errc{});
    CHECK(here.all("SELECT follower, followee FROM follow") == lines{"22|7"});
    CHECK(here.all("SELECT host FROM domain_block") == lines{"far.example"});
    CHECK(here.all("SELECT SUM(n) FROM follower_endpoint") == lines{"1"});
    CHECK(here.told().empty());
    const auto rows = here.sent();
    CHECK(rows.size() == static_cast<std::size_t>(many) + 2);
    CHECK(rows[0].kind == log_kind::domain_block);
    CHECK(rows[0].object_key.starts_with("d/7/"));
    CHECK(rows[0].body.is_null()); // no server is told that it is blocked
    CHECK(rows[1].at("type") == "Reject");
    check_direct(rows[1], account_id{1000}, alice);
    CHECK(rows.back().at("type") == "Undo");
    check_direct(rows.back(), ann, alice);
    CHECK(code(here.tell(block_domain{alice, "far.example", true, {}})) == errc{});
    CHECK(here.sent().size() == rows.size());
    CHECK(must(here.ask<account_report>(describe_account{alice})).in_flight == 0);

    CHECK(code(here.tell(block_domain{alice, "far.example", false, {}})) == errc{});
    CHECK(code(here.tell(block_domain{alice, "far.example", false, {}})) == errc{});
    CHECK(here.sent().size() == rows.size() + 1);
    CHECK(here.last().kind == log_kind::undo_domain_block);
    CHECK(here.last().object_key == rows[0].object_key);
    CHECK(here.count("domain_block") == 0);
  });
}
