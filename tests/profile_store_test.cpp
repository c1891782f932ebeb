#include "storage/profile_store.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using lines = std::vector<std::string>;

constexpr auto alice = account_id{7};
constexpr auto far = account_id{20};
const auto now = from_micros(1'000'000'000'000);

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

void add_everybody(database& db) {
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
              " VALUES (7, 'alice', 'alice', 'u', 1)"));
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at, host_id, aliases)"
              " VALUES (20, 'far', 'far', 'f', 1, 3, '[\"u\"]')"));
}

own_profile some_profile() {
  return {.display_name = "Alice",
          .note = "hi",
          .locked = true,
          .bot = true,
          .discoverable = true,
          .fields_json = "[]",
          .default_visibility = visibility::unlisted,
          .default_sensitive = true,
          .default_language = "de",
          .aliases = {"https://far.example/ann"}};
}

} // namespace

TEST_CASE("a profile is read as it was stored; only ours have one", "[profile_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    CHECK(must(find_profile(db, alice)).display_name.empty());
    must(store_profile(db, alice, some_profile()));
    CHECK(must(find_profile(db, alice)) == some_profile());
    CHECK(code_of(error_of(find_profile(db, far))) == errc::not_found);
    must(store_profile(db, far, some_profile()));
    CHECK(kit::rows_of(db.run("SELECT display_name FROM account WHERE id = 20")) == lines{""});
  });
}

TEST_CASE("the key that was replaced is kept for a day", "[profile_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    CHECK(must(replace_key(db, alice, {"one", "sealed one"}, now)));
    CHECK_FALSE(must(replace_key(db, alice, {"one", "sealed again"}, now)));
    CHECK(must(replace_key(db, alice, {"two", "sealed two"}, now)));
    CHECK(must(replace_key(db, alice, {"three", "sealed three"}, now + 1h)));
    const auto kept = must(db.run("SELECT private_key, until FROM retired_key")).rows;
    REQUIRE(kept.size() == 1);
    CHECK(kept[0][0].bytes() == "sealed two");
    CHECK(kept[0][1].time() == now + 25h);
    CHECK(must(purge_retired_keys(db, now + 25h - 1s, 10)) == 0);
    CHECK(must(purge_retired_keys(db, now + 25h, 10)) == 1);
    CHECK(code_of(error_of(replace_key(db, far, {"x", "y"}, now))) == errc::not_found);
  });
}

TEST_CASE("where an account has moved is known of all", "[profile_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    CHECK_FALSE(must(find_move(db, alice)).moved_to);
    must(store_move(db, alice, far, now));
    CHECK(must(find_move(db, alice)).moved_to == far);
    CHECK(must(find_move(db, alice)).moved_at == now);
    CHECK(must(find_move(db, far)).aliases == lines{"u"});
    CHECK(code_of(error_of(find_move(db, account_id{1}))) == errc::not_found);
  });
}

TEST_CASE("operations of the profile store fail as a whole", "[profile_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) { return error_of(find_profile(open, alice)); });
    walk([](database& open) { return store_profile(open, alice, some_profile()); });
    walk([](database& open) { return error_of(replace_key(open, alice, {"1", "a"}, now)); });
    walk([](database& open) { return error_of(replace_key(open, alice, {"2", "b"}, now)); });
    walk([](database& open) { return error_of(purge_retired_keys(open, now + 25h, 1)); });
    walk([](database& open) { return error_of(find_move(open, alice)); });
    walk([](database& open) { return store_move(open, alice, far, now); });
  });
}
