#include "storage/admin_store.hpp"

#include "protocol/errc.hpp"
#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

const auto now = time_point{1000s};

operator_account alice() {
  return {.id = account_id{7},
          .name = "Alice",
          .folded = "alice",
          .uri = "https://a.example/users/Alice",
          .password_hash = "$argon2id$1",
          .role = account_role::admin,
          .created_at = now};
}

std::string hash_of(database& db) {
  return db.run("SELECT password_hash FROM account WHERE id = 7")->rows.front()[0].text();
}

} // namespace

TEST_CASE("an account is made once, and seen as it was made", "[admin_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    REQUIRE_FALSE(insert_account(db, alice()));
    auto other = alice();
    other.id = account_id{8};
    CHECK(code_of(insert_account(db, other)) == errc::conflict);

    const auto seen = overview_of(db, account_id{7});
    REQUIRE(seen);
    CHECK(seen->name == "Alice");
    CHECK(seen->role == account_role::admin);
    CHECK(seen->created_at == now);
    CHECK_FALSE(seen->disabled_at);
    CHECK(seen->posts == 0);
    CHECK((*overview_named(db, "alice"))->id == account_id{7});
    CHECK_FALSE(*overview_named(db, "bob"));
    CHECK(code_of(overview_of(db, account_id{8}).error()) == errc::not_found);
  });
}

TEST_CASE("an operator sees what an account has", "[admin_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    REQUIRE_FALSE(insert_account(db, alice()));
    REQUIRE(db.run("INSERT INTO post(id, author, visibility, created_at) VALUES(1, 7, 1, 0)"));
    REQUIRE(db.run("INSERT INTO follow(follower, followee, at) VALUES(9, 7, 0)"));
    REQUIRE(db.run("INSERT INTO follow(follower, followee, at, accepted) VALUES(10, 7, 0, 0)"));
    REQUIRE(db.run("INSERT INTO follow(follower, followee, at) VALUES(7, 11, 0)"));
    REQUIRE(db.run("INSERT INTO follow(follower, followee, at) VALUES(7, 12, 0)"));
    REQUIRE(db.run("INSERT INTO token(hash, account_id, scopes, created_at) VALUES($1, 7, '', 0)",
                   {blob{"t"}}));
    const auto seen = overview_of(db, account_id{7});
    REQUIRE(seen);
    CHECK(seen->posts == 1);
    CHECK(seen->followers == 1);
    CHECK(seen->following == 2);
    CHECK(seen->tokens == 1);
  });
}

TEST_CASE("accounts come by id, a page at a time, and remote ones never", "[admin_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    for (const auto id : {3, 1, 2}) {
      auto account = alice();
      account.id = account_id{id};
      account.folded = account.uri = "a" + std::to_string(id);
      REQUIRE_FALSE(insert_account(db, account));
    }
    REQUIRE(db.run("INSERT INTO account(id, host_id, name, folded, uri, created_at)"
                   " VALUES(4, 1, 'x', 'x', 'x', 0)"));
    const auto page = overviews_after(db, account_id{1}, 5);
    REQUIRE(page);
    REQUIRE(page->size() == 2);
    CHECK(page->front().id == account_id{2});
    CHECK(page->back().id == account_id{3});
    CHECK(overviews_after(db, account_id{0}, 1)->size() == 1);
    CHECK(code_of(overview_of(db, account_id{4}).error()) == errc::not_found);
    CHECK(code_of(set_password_hash(db, account_id{4}, "x")) == errc::not_found);
    CHECK(code_of(set_disabled(db, account_id{4}, now).error()) == errc::not_found);
  });
}

TEST_CASE("disabling and enabling say whether they changed anything", "[admin_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    REQUIRE_FALSE(insert_account(db, alice()));
    CHECK_FALSE(*set_disabled(db, account_id{7}, std::nullopt));
    CHECK(*set_disabled(db, account_id{7}, now));
    CHECK_FALSE(*set_disabled(db, account_id{7}, now + 1s));
    CHECK(overview_of(db, account_id{7})->disabled_at == now);
    CHECK(*set_disabled(db, account_id{7}, std::nullopt));
    CHECK_FALSE(overview_of(db, account_id{7})->disabled_at);
  });
}

TEST_CASE("a password changes for its account alone", "[admin_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    REQUIRE_FALSE(insert_account(db, alice()));
    CHECK(hash_of(db) == "$argon2id$1");
    REQUIRE_FALSE(set_password_hash(db, account_id{7}, "$argon2id$2"));
    CHECK(hash_of(db) == "$argon2id$2");
    CHECK(code_of(set_password_hash(db, account_id{8}, "x")) == errc::not_found);
    REQUIRE(db.run("UPDATE account SET deleted_at = 1"));
    CHECK(code_of(set_password_hash(db, account_id{7}, "x")) == errc::not_found);
  });
}

TEST_CASE("an admin token is found by its hash with its scope", "[admin_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto hash = std::string{"\0\xff hash", 7};
    REQUIRE_FALSE(insert_admin_token(db, hash, admin_scope::operate, "me", now));
    const auto holder = **find_admin_token(db, hash);
    CHECK(holder.scope == admin_scope::operate);
    CHECK(holder.name == "me");
    CHECK_FALSE(*find_admin_token(db, "other"));
    CHECK(insert_admin_token(db, hash, admin_scope::read, "me", now));
  });
}
