// Apps, tokens, codes and sessions; and the walk over the failures of all that touches access.
#include "protocol/crypto.hpp"
#include "storage/account_store.hpp"
#include "storage/admin_store.hpp"
#include "storage/app_store.hpp"
#include "storage/session_store.hpp"
#include "storage/token_store.hpp"
#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

constexpr auto alice = account_id{7};
const auto now = from_micros(1'000'000'000'000);
const auto secret = sha256("secret");
const auto other = sha256("other");

operator_account account(account_id id, const std::string& name) {
  return {.id = id,
          .name = name,
          .folded = name,
          .uri = "https://trunkline.example/users/" + name,
          .password_hash = "hash of " + name,
          .created_at = now};
}

stored_app app() {
  return {.id = app_id{3},
          .client_id = "client",
          .secret_hash = secret,
          .name = "App",
          .redirect_uris = "https://app.example/back",
          .scopes = "read write",
          .created_at = now};
}

token_owner owner() {
  return {.account = alice, .app = app_id{3}, .scopes = "read", .created_at = now};
}

code_grant grant(time_point ends = now + 10min) {
  return {.app = app_id{3},
          .account = alice,
          .scopes = "read",
          .redirect_uri = "https://app.example/back",
          .challenge = "challenge",
          .expires_at = ends};
}

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

/// A database with one account; the same body runs on both kinds.
void with_account(const std::function<void(database&)>& body) {
  kit::on_both([&](kit::test_database& fresh) {
    REQUIRE_FALSE(insert_account(fresh.db(), account(alice, "alice")));
    body(fresh.db());
  });
}

} // namespace

TEST_CASE("an app is found by its client id and by its own", "[app_store]") {
  with_account([](database& db) {
    CHECK_FALSE(must(find_app(db, "client")));
    REQUIRE_FALSE(store_app(db, app()));
    CHECK(must(find_app(db, "client"))->secret_hash == secret);
    CHECK(must(find_app(db, app_id{3}))->redirect_uris == "https://app.example/back");
    CHECK_FALSE(must(find_app(db, "Client")));
    CHECK(code_of(store_app(db, app())) == errc::unique_violation);
  });
}

TEST_CASE("a token is whose it is until it is deleted", "[token_store]") {
  with_account([](database& db) {
    REQUIRE_FALSE(store_token(db, secret, owner()));
    CHECK(must(find_token(db, secret))->account == alice);
    CHECK_FALSE(must(find_token(db, other)));
    CHECK(must(delete_token(db, secret))->account == alice);
    CHECK_FALSE(must(find_token(db, secret)));
    CHECK_FALSE(must(delete_token(db, secret)));
  });
}

TEST_CASE("nothing of a disabled account is found, and all of it once it is enabled",
          "[token_store][session_store][I11]") {
  with_account([](database& db) {
    REQUIRE_FALSE(store_token(db, secret, owner()));
    REQUIRE_FALSE(store_code(db, secret, grant()));
    REQUIRE_FALSE(store_session(db, secret, alice, now, now + 1h));
    const auto is_found = [&] {
      return std::vector<bool>{must(find_token(db, secret)).has_value(),
                               must(find_code(db, secret)).has_value(),
                               must(find_session(db, secret, now)).has_value()};
    };
    CHECK(is_found() == std::vector{true, true, true});
    CHECK(must(set_disabled(db, alice, now)));
    CHECK_FALSE(must(set_disabled(db, alice, now)));
    CHECK(is_found() == std::vector{false, false, false});
    CHECK(must(find_login(db, "alice"))->disabled);
    CHECK(must(set_disabled(db, alice, std::nullopt)));
    CHECK(is_found() == std::vector{true, true, true});
    CHECK(must(delete_access(db, alice)) == 3);
    CHECK(is_found() == std::vector{false, false, false});
  });
}

TEST_CASE("a code remembers the token it was exchanged for", "[token_store][A102]") {
  with_account([](database& db) {
    REQUIRE_FALSE(store_code(db, secret, grant()));
    CHECK(must(find_code(db, secret))->token_hash.empty());
    REQUIRE_FALSE(spend_code(db, secret, other));
    const auto spent = must(find_code(db, secret));
    CHECK(spent->token_hash == other);
    CHECK(spent->challenge == "challenge");
    CHECK(spent->expires_at == now + 10min);
  });
}

TEST_CASE("what has ended is deleted, what has not stays", "[token_store]") {
  with_account([](database& db) {
    REQUIRE_FALSE(store_code(db, secret, grant(now - 1s)));
    REQUIRE_FALSE(store_code(db, other, grant(now + 1s)));
    REQUIRE_FALSE(store_session(db, secret, alice, now - 2h, now - 1s));
    REQUIRE_FALSE(store_session(db, other, alice, now - 2h, now + 1s));
    CHECK_FALSE(must(find_session(db, secret, now)));
    REQUIRE_FALSE(delete_expired_access(db, now));
    CHECK_FALSE(must(find_code(db, secret)));
    CHECK(must(find_code(db, other)));
    CHECK(must(find_session(db, other, now)) == alice);
    REQUIRE_FALSE(delete_session(db, other));
    CHECK_FALSE(must(find_session(db, other, now)));
  });
}

TEST_CASE("operations of the access stores fail as a whole", "[access_store][walk]") {
  with_account([](database& db) {
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) { return insert_account(open, account(account_id{8}, "bob")); });
    walk([](database& open) { return error_of(overview_of(open, alice)); });
    walk([](database& open) { return error_of(overview_named(open, "alice")); });
    walk([](database& open) { return error_of(overviews_after(open, account_id{}, 10)); });
    walk([](database& open) { return set_password_hash(open, alice, "new"); });
    walk([](database& open) { return error_of(find_login(open, "alice")); });
    walk([](database& open) { return store_app(open, app()); });
    walk([](database& open) { return error_of(find_app(open, "client")); });
    walk([](database& open) { return error_of(find_app(open, app_id{3})); });
    walk([](database& open) { return store_token(open, secret, owner()); });
    walk([](database& open) { return error_of(find_token(open, secret)); });
    walk([](database& open) { return store_code(open, secret, grant()); });
    walk([](database& open) { return error_of(find_code(open, secret)); });
    walk([](database& open) { return spend_code(open, secret, other); });
    walk([](database& open) { return store_session(open, secret, alice, now, now + 1h); });
    walk([](database& open) { return error_of(find_session(open, secret, now)); });
    walk([](database& open) { return delete_session(open, secret); });
    walk([](database& open) { return delete_expired_access(open, now + 1h); });
    walk([](database& open) { return error_of(delete_token(open, secret)); });
    walk([](database& open) { return error_of(set_disabled(open, alice, now)); });
    walk([](database& open) { return error_of(delete_access(open, alice)); });
    walk([](database& open) {
      return insert_admin_token(open, secret, admin_scope::operate, "", now);
    });
    walk([](database& open) { return error_of(find_admin_token(open, secret)); });
  });
}
