#include "storage/key_store.hpp"

#include "storage/domain_block_store.hpp"
#include "tests/kit/failing_database.hpp"
#include "tests/kit/remote_rows.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

constexpr auto alice = account_id{7};
constexpr auto ann = account_id{20};
const auto now = from_micros(1'000'000'000'000);
const auto first = key_pair_row{"PEM 1", std::string{"sealed\0 1", 9}};
const auto second = key_pair_row{"PEM 2", "sealed 2"};
const auto ann_key = std::string{"https://far.example/ann#main-key"};

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

void add_alice(database& db) {
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
              " VALUES (7, 'Alice', 'alice', 'u', 1)"));
}

void add_ann(database& db) {
  kit::add_remote(db, {ann, "ann"});
  must(store_signer_key(db, {"https://far.example/ann", ann_key, "PEM"}));
}

} // namespace

TEST_CASE("the first key of an account stays; so does that of the server", "[key_store]") {
  const auto owner = GENERATE(alice, instance_actor);
  kit::on_both([&](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_alice(db);
    const auto none = must(find_own_key(db, owner));
    REQUIRE(none);
    CHECK_FALSE(none->has_key());
    CHECK(none->name == (owner == alice ? "Alice" : ""));
    const auto stored = must(store_first_key(db, owner, first));
    REQUIRE(stored);
    CHECK(stored->pair.public_pem == first.public_pem);
    CHECK(stored->pair.sealed_private == first.sealed_private);
    const auto again = must(store_first_key(db, owner, second));
    REQUIRE(again);
    CHECK(again->pair.public_pem == first.public_pem);
    CHECK(must(find_own_key(db, owner))->pair.sealed_private == first.sealed_private);
    CHECK(again->sealed_previous.empty());
  });
}

TEST_CASE("only accounts of ours have a key that signs", "[key_store]") {
  kit::on_both([&](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_ann(db);
    for (const auto owner : {ann, account_id{99}}) {
      CAPTURE(to_string(owner));
      CHECK_FALSE(must(find_own_key(db, owner)));
      CHECK_FALSE(must(store_first_key(db, owner, first)));
    }
    CHECK(kit::rows_of(db.run("SELECT private_key FROM account")) ==
          std::vector<std::string>{"null"});
  });
}

TEST_CASE("a deleted account keeps the key it has, and gets none", "[key_store]") {
  const auto had_one = GENERATE(true, false);
  kit::on_both([&](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_alice(db);
    if (had_one)
      must(store_first_key(db, alice, first));
    must(db.run("UPDATE account SET deleted_at = 5 WHERE id = 7"));
    CHECK(must(find_own_key(db, alice)).has_value() == had_one);
    CHECK(must(store_first_key(db, alice, second)).has_value() == had_one);
    if (had_one)
      CHECK(must(find_own_key(db, alice))->pair.public_pem == first.public_pem);
  });
}

TEST_CASE("the key that was replaced is found beside the new one", "[key_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_alice(db);
    must(store_first_key(db, alice, first));
    must(replace_key(db, alice, second, now));
    const auto found = must(find_own_key(db, alice));
    REQUIRE(found);
    CHECK(found->pair.public_pem == second.public_pem);
    CHECK(found->sealed_previous == first.sealed_private);
    CHECK(found->previous_until == now + retired_key_kept);
  });
}

TEST_CASE("a signer is found by the usual ids of keys", "[key_store]") {
  const auto key_id = GENERATE(as<std::string>{}, "https://far.example/ann#main-key",
                               "https://far.example/ann/main-key", "https://far.example/ann");
  CAPTURE(key_id);
  kit::on_both([&](kit::test_database& fresh) {
    auto& db = fresh.db();
    kit::add_remote(db, {ann, "ann"});
    CHECK(must(find_signer(db, {key_id, "far.example", {}})).key_id.empty());
    CHECK(must(store_signer_key(db, {"https://far.example/ann", key_id, "PEM"})));
    const auto found = must(find_signer(db, {key_id, "far.example", {}}));
    CHECK(found.actor == "https://far.example/ann");
    CHECK(found.pem == "PEM");
    CHECK_FALSE(found.host_blocked);
    CHECK_FALSE(found.suspended);
    CHECK(found.key_id == key_id);
    CHECK(must(find_signer(db, {key_id + "2", "far.example", {}})).key_id != key_id + "2");
    CHECK(must(find_signer(db, {"https://far.example/keys/1", "far.example", {}})).actor.empty());
    const auto named = named_key{"https://far.example/keys/1", "far.example", found.actor};
    CHECK(must(find_signer(db, named)).actor == found.actor);
  });
}

TEST_CASE("a key is stored for a living account of another server alone", "[key_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_alice(db);
    add_ann(db);
    CHECK_FALSE(must(store_signer_key(db, {"https://far.example/ann", ann_key, "PEM"})));
    CHECK(must(store_signer_key(db, {"https://far.example/ann", ann_key, "PEM 2"})));
    CHECK_FALSE(must(store_signer_key(db, {"u", "u#main-key", "PEM"})));
    CHECK_FALSE(must(store_signer_key(db, {"https://far.example/bob", "k", "PEM"})));
    must(db.run("UPDATE account SET deleted_at = 5 WHERE id = 20"));
    CHECK_FALSE(must(store_signer_key(db, {"https://far.example/ann", ann_key, "PEM 3"})));
    CHECK(must(find_signer(db, {ann_key, "far.example", {}})).actor.empty());
  });
}

TEST_CASE("A24: a signer of a blocked host, and a suspended one, are told", "[key_store][A24]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_ann(db);
    must(db.run("UPDATE account SET suspended_at = 5 WHERE id = 20"));
    CHECK(must(find_signer(db, {ann_key, "far.example", {}})).suspended);
    must(store_domain_block(db, {.owner = whole_server, .host = "evil.example", .at = now}));
    CHECK(must(find_signer(db, {"https://evil.example/u#main-key", "evil.example", {}}))
              .host_blocked);
    CHECK(must(find_signer(db, {"https://a.evil.example/u", "a.evil.example", {}})).host_blocked);
    CHECK_FALSE(
        must(find_signer(db, {"https://notevil.example/u", "notevil.example", {}})).host_blocked);
    // The host in the account's name counts as well as that of its id.
    must(db.run("UPDATE host SET name = 'evil.example' WHERE name = 'far.example'"));
    CHECK(must(find_signer(db, {ann_key, "far.example", {}})).host_blocked);
  });
}

TEST_CASE("operations of the key store fail as a whole", "[key_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_alice(db);
    add_ann(db);
    must(db.run("UPDATE host SET name = 'name.example' WHERE name = 'far.example'"));
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) { return error_of(find_own_key(open, alice)); });
    walk([](database& open) { return error_of(find_own_key(open, instance_actor)); });
    walk([](database& open) { return error_of(store_first_key(open, alice, first)); });
    walk([](database& open) { return error_of(store_first_key(open, instance_actor, first)); });
    walk([](database& open) { return error_of(find_signer(open, {ann_key, "far.example", {}})); });
    walk([](database& open) {
      return error_of(store_signer_key(open, {"https://far.example/ann", ann_key, "PEM 2"}));
    });
  });
}
