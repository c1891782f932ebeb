#include "storage/audience_store.hpp"

#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using kit::must;

namespace {

using endpoints = std::vector<endpoint_id>;

constexpr auto author = account_id{7};
constexpr auto here = endpoint_id{100};
constexpr auto there = endpoint_id{90};

audience_id post_now(database& db, std::int64_t fresh) {
  return must(audience_for_next_post(db, author, audience_id{fresh}));
}

endpoints members(database& db, std::int64_t audience) {
  return must(endpoints_of(db, audience_id{audience}));
}

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

} // namespace

TEST_CASE("hosts and endpoints are made once", "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto address = host_address{"https", "a.example", 443};
    CHECK(must(ensure_host(db, address, host_id{1})) == host_id{1});
    CHECK(must(ensure_host(db, address, host_id{2})) == host_id{1});
    CHECK(must(ensure_host(db, {"https", "a.example", 444}, host_id{3})) == host_id{3});
    const auto inbox = endpoint_address{host_id{1}, "https://a.example/inbox", true};
    CHECK(must(ensure_endpoint(db, inbox, endpoint_id{5})) == endpoint_id{5});
    CHECK(must(ensure_endpoint(db, inbox, endpoint_id{6})) == endpoint_id{5});
    CHECK(kit::rows_of(db.run("SELECT id, host_id, url, shared, state FROM endpoint")) ==
          std::vector<std::string>{"5|1|https://a.example/inbox|1|1"});
  });
}

TEST_CASE("without remote followers a post has no audience", "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    const auto before = fresh.db().rows_written();
    CHECK_FALSE(post_now(fresh.db(), 1));
    CHECK(members(fresh.db(), 0).empty());
    CHECK(fresh.db().rows_written() == before);
  });
}

TEST_CASE("an audience is made at the first post after its set changed", "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(add_follower(db, author, here));
    must(add_follower(db, author, there));
    CHECK(kit::rows_of(db.run("SELECT count(*) FROM audience")) == std::vector<std::string>{"0"});
    auto before = db.rows_written();
    CHECK(post_now(db, 1) == audience_id{1});
    CHECK(db.rows_written() == before + 1);
    CHECK(members(db, 1) == endpoints{there, here});

    before = db.rows_written();
    CHECK(post_now(db, 2) == audience_id{1});
    CHECK(db.rows_written() == before);

    must(add_follower(db, author, here)); // a second follower there: the set is the same
    CHECK(post_now(db, 3) == audience_id{1});

    must(remove_follower(db, author, there));
    CHECK(post_now(db, 4) == audience_id{4});
    CHECK(members(db, 4) == endpoints{here});
    CHECK(members(db, 1) == endpoints{there, here}); // what a post was given, it keeps
  });
}

TEST_CASE("a set that changed and changed back needs no new audience", "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(add_follower(db, author, here));
    CHECK(post_now(db, 1) == audience_id{1});
    must(add_follower(db, author, there));
    must(remove_follower(db, author, there));
    const auto before = db.rows_written();
    CHECK(post_now(db, 2) == audience_id{1});
    must(remove_follower(db, author, here));
    CHECK_FALSE(post_now(db, 3));
    must(add_follower(db, author, here));
    CHECK(post_now(db, 4) == audience_id{1});
    CHECK(db.rows_written() == before + 4); // the follows alone
  });
}

TEST_CASE("followers are counted per endpoint, never below none", "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto n = [&] { return kit::rows_of(db.run("SELECT n FROM follower_endpoint")); };
    must(remove_follower(db, author, here));
    CHECK(n().empty());
    must(add_follower(db, author, here));
    must(add_follower(db, author, here));
    CHECK(n() == std::vector<std::string>{"2"});
    for (auto round = 0; round < 3; ++round)
      must(remove_follower(db, author, here));
    CHECK(n() == std::vector<std::string>{"0"}); // stays
    CHECK(must(authors_through(db, here)) == std::vector{author});
    CHECK(must(authors_through(db, there)).empty());
  });
}

TEST_CASE("an author with many endpoints reads them only when the set changed",
          "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(db.transact([](database& open) -> caf::error {
      for (auto number = 1; number <= 2'000; ++number)
        must(add_follower(open, author, endpoint_id{number}));
      return {};
    }));
    CHECK(post_now(db, 1) == audience_id{1});
    CHECK(members(db, 1).size() == 2'000);
    CHECK(post_now(db, 2) == audience_id{1});
  });
}

TEST_CASE("endpoints that are kept are an audience, but never that of the next post",
          "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    CHECK_FALSE(must(keep_endpoints(db, author, {}, audience_id{9})));
    CHECK(must(keep_endpoints(db, author, {there, here}, audience_id{9})) == audience_id{9});
    CHECK(must(keep_endpoints(db, author, {there}, audience_id{10})) == audience_id{10});
    CHECK(members(db, 9).size() == 2);
    CHECK_FALSE(post_now(db, 11));
    must(add_follower(db, author, here));
    CHECK(post_now(db, 12) == audience_id{12});
    CHECK(post_now(db, 13) == audience_id{12});
  });
}

TEST_CASE("a missing or damaged audience is told", "[audience_store]") {
  kit::on_both([](kit::test_database& fresh) {
    CHECK(code_of(endpoints_of(fresh.db(), audience_id{9}).error()) == errc::not_found);
    must(fresh.db().run("INSERT INTO audience(id, author, version, endpoint_ids)"
                        " VALUES (9, 1, 1, $1)",
                        {blob{"\x80"}}));
    CHECK(code_of(endpoints_of(fresh.db(), audience_id{9}).error()) == errc::storage_broken);
  });
}

TEST_CASE("operations of the audience store fail as a whole", "[audience_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    const auto host = host_address{"https", "a.example", 443};
    const auto inbox = endpoint_address{host_id{1}, "https://a.example/inbox", false};
    for (auto round = 0; round < 2; ++round) { // new, then known
      walk([&](database& open) { return error_of(ensure_host(open, host, host_id{1})); });
      walk([&](database& open) { return error_of(ensure_endpoint(open, inbox, endpoint_id{1})); });
      walk([](database& open) { return add_follower(open, author, here); });
      walk([&](database& open) {
        return error_of(audience_for_next_post(open, author, audience_id{round + 1}));
      });
    }
    walk([](database& open) { return error_of(endpoints_of(open, audience_id{1})); });
    walk([](database& open) {
      return error_of(keep_endpoints(open, author, {here}, audience_id{9}));
    });
    walk([](database& open) { return error_of(authors_through(open, here)); });
    CHECK(walk([](database& open) { return remove_follower(open, author, here); }) == 3);
    CHECK(walk([](database& open) { return remove_follower(open, author, here); }) == 4);
  });
}
