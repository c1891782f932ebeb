#include "storage/inbound_store.hpp"

#include "storage/interaction_store.hpp"
#include "tests/kit/failing_database.hpp"
#include "tests/kit/remote_rows.hpp"

using namespace trunkline;
using kit::must;

namespace {

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
constexpr auto ann = account_id{20};
constexpr auto ben = account_id{21};
constexpr auto now = time_point{std::chrono::seconds{1'800'000'000}};

std::string uri_of(const std::string& name) {
  return "https://here.example/users/" + name;
}

void add_local(database& db, account_id id, const std::string& name) {
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at) VALUES ($1, $2, $2, $3, 1)",
              {id, name, uri_of(name)}));
}

void add_accounts(database& db) {
  add_local(db, alice, "alice");
  add_local(db, bob, "bob");
  kit::add_remote(db, {ann, "ann"});
  kit::add_remote(db, {ben, "ben"});
}

void with_accounts(const std::function<void(database&)>& body) {
  kit::on_both([&](kit::test_database& fresh) {
    add_accounts(fresh.db());
    body(fresh.db());
  });
}

} // namespace

TEST_CASE("follows are found by the id of their Follow, between the two alone", "[inbound_store]") {
  with_accounts([](database& db) {
    must(store_follow(db, {alice, ann}, {}, false, "f1", now));
    must(store_follow(db, {ben, alice}, {}, true, "f2", now));
    CHECK(must(find_follower_by_uri(db, ann, "f1")) == alice);
    CHECK_FALSE(must(find_follower_by_uri(db, ben, "f1")));
    CHECK_FALSE(must(find_follower_by_uri(db, ann, "f2")));
    CHECK(must(find_followee_by_uri(db, ben, "f2")) == alice);
    CHECK_FALSE(must(find_followee_by_uri(db, ann, "f2")));
    must(rename_follow(db, {ben, alice}, "f3"));
    CHECK(must(find_followee_by_uri(db, ben, "f3")) == alice);
    CHECK_FALSE(must(find_followee_by_uri(db, ben, "f2")));
    const auto before = db.rows_written();
    must(rename_follow(db, {ben, alice}, "f3"));
    CHECK(db.rows_written() == before);
  });
}

TEST_CASE("favourites and blocks are found by the ids they came with", "[inbound_store]") {
  with_accounts([](database& db) {
    must(store_favourite(db, ann, post_id{5}, now, "l1"));
    must(store_block(db, ann, alice, now, "b1"));
    CHECK(must(find_liked_by_uri(db, ann, "l1")) == post_id{5});
    CHECK_FALSE(must(find_liked_by_uri(db, ben, "l1")));
    CHECK(must(find_blocked_by_uri(db, ann, "b1")) == alice);
    CHECK_FALSE(must(find_blocked_by_uri(db, ben, "b1")));
    CHECK(must(is_blocked_by(db, ann, alice)));
    CHECK_FALSE(must(is_blocked_by(db, alice, ann)));
  });
}

TEST_CASE("an account has a follower of ours when one of ours follows in force",
          "[inbound_store]") {
  with_accounts([](database& db) {
    must(store_follow(db, {ben, ann}, {}, true, "f1", now));
    must(store_follow(db, {alice, ann}, {}, false, "f2", now));
    CHECK_FALSE(must(has_local_follower(db, ann)));
    must(accept_follow(db, {alice, ann}));
    CHECK(must(has_local_follower(db, ann)));
    CHECK_FALSE(must(has_local_follower(db, ben)));
  });
}

TEST_CASE("those of ours are found among addresses, up to a limit", "[inbound_store]") {
  with_accounts([](database& db) {
    using accounts = std::vector<account_id>;
    auto uris = std::vector<std::string>{uri_of("bob"), "https://far.example/ann", uri_of("alice"),
                                         uri_of("alice"), uri_of("nobody")};
    CHECK(must(local_accounts_among(db, uris)) == accounts{alice, bob});
    CHECK(must(local_accounts_among(db, {})).empty());
    must(db.run("UPDATE account SET deleted_at = 1 WHERE id = 8"));
    CHECK(must(local_accounts_among(db, uris)) == accounts{alice});
    uris.insert(uris.begin(), addresses_looked_at_max, uri_of("nobody"));
    CHECK(must(local_accounts_among(db, uris)).empty());
  });
}

TEST_CASE("the log tells whether an author has a row about an object", "[inbound_store]") {
  with_accounts([](database& db) {
    const auto object = object_key{object_kind::post, 0, 5};
    must(db.commit_batch(1, now, std::nullopt, [&](database&) {
      return caf::expected{std::vector<log_draft>{{.author = ann, .object = object}}};
    }));
    CHECK(must(is_logged(db, ann, object)));
    CHECK_FALSE(must(is_logged(db, ben, object)));
    CHECK_FALSE(must(is_logged(db, ann, {object_kind::post, 0, 6})));
  });
}

TEST_CASE("followers of ours are listed with how they follow", "[inbound_store]") {
  with_accounts([](database& db) {
    must(store_follow(db, {bob, ann}, {}, false, "f1", now));
    must(store_follow(db, {alice, ann},
                      {.show_boosts = false, .notify = true, .languages = {{"de", "en"}}}, true,
                      "f2", now));
    must(store_follow(db, {ben, ann}, {}, true, "f3", now));
    const auto followers = must(local_followers(db, ann, 10));
    REQUIRE(followers.size() == 2);
    CHECK(followers[0].id == alice);
    CHECK(followers[0].name == "alice");
    CHECK(followers[0].follow_uri == "f2");
    CHECK(followers[0].options.show_boosts == false);
    CHECK(followers[0].options.notify == true);
    CHECK(followers[0].options.languages == std::vector<std::string>{"de", "en"});
    CHECK(followers[1].id == bob);
    CHECK(followers[1].options.languages == std::vector<std::string>{});
    CHECK(must(local_followers(db, ann, 1)).size() == 1);
  });
}
