#include "storage/reach_store.hpp"

#include "tests/kit/failing_database.hpp"
#include "tests/kit/remote_rows.hpp"

using namespace trunkline;
using kit::must;

namespace {

constexpr auto alice = account_id{7};
constexpr auto one = post_id{100};

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

void add_everybody(database& db) {
  must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
              " VALUES (7, 'Alice', 'alice', 'https://a/users/Alice', 1)"));
  for (auto id = std::int64_t{20}; id < 24; ++id)
    kit::add_remote(db, {.id = {id},
                         .name = "far" + std::to_string(id),
                         .host = std::to_string(id) + ".example",
                         .has_shared_inbox = id % 2 == 0});
}

} // namespace

TEST_CASE("an account is reached through its shared inbox, what is private through its own",
          "[reach_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    const auto ours = must(find_reach(db, alice));
    REQUIRE(ours);
    CHECK(ours->is_local());
    CHECK(ours->name == "Alice");
    CHECK(ours->uri == "https://a/users/Alice");
    CHECK_FALSE(ours->bulk());
    CHECK_FALSE(ours->personal());
    const auto shared = must(find_reach(db, account_id{20}));
    CHECK_FALSE(shared->is_local());
    CHECK(shared->domain == "20.example");
    CHECK(shared->bulk() == kit::shared_endpoint("20.example"));
    CHECK(shared->personal() == kit::own_endpoint(account_id{20}));
    CHECK(must(find_reach(db, account_id{21}))->bulk() == kit::own_endpoint(account_id{21}));
    CHECK_FALSE(must(find_reach(db, account_id{1})));
    must(db.run("UPDATE account SET deleted_at = 1 WHERE id = 20"));
    CHECK_FALSE(shared->is_deleted);
    CHECK(must(find_reach(db, account_id{20}))->is_deleted);
    must(db.run("INSERT INTO mention(post_id, account_id) VALUES (100, 21), (100, 7), (100, 20)"));
    const auto named = must(mentioned_by(db, one));
    REQUIRE(named.size() == 2);
    CHECK(named[0].id == alice);
    CHECK(named[1].domain == "21.example");
  });
}

TEST_CASE("whoever answered, liked, boosted or voted from afar is found once", "[reach_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    CHECK(must(endpoints_of_interactors(db, one)).empty());
    const auto add_post = [&](int id, int author, const char* column) {
      must(db.run("INSERT INTO post(id, author, visibility, created_at, audience_id, " +
                      std::string{column} + ") VALUES ($1, $2, 1, 1, $1, 100)",
                  {id, author}));
    };
    add_post(101, 20, "reply_to");
    add_post(102, 7, "reply_to");
    add_post(103, 21, "boost_of");
    add_post(104, 7, "boost_of");
    for (const auto account : {7, 20, 22})
      must(db.run("INSERT INTO favourite(account_id, post_id, at) VALUES ($1, 100, 1)", {account}));
    must(db.run("INSERT INTO poll_vote(post_id, account_id, choice) VALUES (100, 23, 0)"));
    auto expected = std::vector{kit::shared_endpoint("20.example"), kit::own_endpoint({21}),
                                kit::shared_endpoint("22.example"), kit::own_endpoint({23})};
    std::ranges::sort(expected);
    CHECK(must(endpoints_of_interactors(db, one)) == expected);
    CHECK(must(audiences_of_boosts(db, one)) == std::vector{audience_id{104}, audience_id{103}});
  });
}

TEST_CASE("operations of the reach store fail as a whole", "[reach_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    add_everybody(db);
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([](database& open) { return error_of(find_reach(open, alice)); });
    walk([](database& open) { return error_of(mentioned_by(open, one)); });
    walk([](database& open) { return error_of(endpoints_of_interactors(open, one)); });
    walk([](database& open) { return error_of(audiences_of_boosts(open, one)); });
  });
}
