#include "actors/count_cache.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto start = log_position::steady_time{100s};

struct count_cache_fixture {
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  log_position::steady_time now = start;
  count_cache cache{position, {.accounts_max = 8, .posts_max = 8}, [this] { return now; }};

  count_cache_fixture() { position->tick(start); }

  void keep(account_id account) {
    cache.keep(account, {.followers = 3}, cache.lease(account));
    REQUIRE(knows(account));
  }
  void keep(post_id post) {
    cache.keep(post, {.boosts = 3}, cache.lease(post));
    REQUIRE(knows(post));
  }
  template <class Id>
  bool knows(Id id) {
    return cache.find(id).has_value();
  }
  void apply(log_kind kind, object_key object, account_id author = {1},
             std::optional<post_facts> facts = {}) {
    cache.apply({.kind = kind, .author = author, .object = object, .facts = std::move(facts)});
  }
};

} // namespace

TEST_CASE_METHOD(count_cache_fixture, "counts are known once they were kept", "[count_cache]") {
  CHECK_FALSE(knows(account_id{1}));
  const auto lease = cache.lease(account_id{1});
  CHECK_FALSE(knows(account_id{1}));
  cache.keep(account_id{1}, {.followers = 1, .following = 2, .posts = 3}, lease);
  CHECK(cache.find(account_id{1}) == account_counts{.followers = 1, .following = 2, .posts = 3});
  CHECK_FALSE(knows(post_id{1}));
  CHECK(cache.hits() == 1);
  CHECK(cache.misses() == 3);
}

TEST_CASE_METHOD(count_cache_fixture, "a row makes what it changes forgotten, and nothing else",
                 "[count_cache]") {
  for (const auto account : {1, 2, 3})
    keep(account_id{account});
  for (const auto post : {10, 11})
    keep(post_id{post});

  SECTION("a follow") {
    const auto kind =
        GENERATE(log_kind::follow, log_kind::undo_follow, log_kind::accept_follow, log_kind::block);
    apply(kind, {object_kind::follow, 1, 2});
    CHECK_FALSE(knows(account_id{1}));
    CHECK_FALSE(knows(account_id{2}));
    CHECK(knows(post_id{10}));
  }
  SECTION("a reply") {
    apply(log_kind::create, {object_kind::post, 0, 12}, {1},
          post_facts{.id = {12}, .author = {1}, .reply_to = {10}});
    CHECK_FALSE(knows(account_id{1}));
    CHECK(knows(account_id{2}));
    CHECK_FALSE(knows(post_id{10}));
    CHECK(knows(post_id{11}));
  }
  SECTION("a boost") {
    const auto kind = GENERATE(log_kind::announce, log_kind::undo_announce);
    apply(kind, {object_kind::announce, 1, 10});
    CHECK_FALSE(knows(account_id{1}));
    CHECK_FALSE(knows(post_id{10}));
    CHECK(knows(post_id{11}));
  }
  SECTION("a favourite") {
    const auto kind = GENERATE(log_kind::like, log_kind::undo_like);
    apply(kind, {object_kind::like, 1, 10});
    CHECK(knows(account_id{1}));
    CHECK_FALSE(knows(post_id{10}));
    CHECK(knows(post_id{11}));
  }
  SECTION("an edit") {
    apply(log_kind::update, {object_kind::post, 0, 10});
    CHECK(knows(account_id{1}));
    CHECK(knows(post_id{10}));
  }
  CHECK(knows(account_id{3}));
}

TEST_CASE_METHOD(count_cache_fixture, "a deleted post changes counts that its row does not name",
                 "[count_cache]") {
  keep(account_id{2});
  keep(post_id{10});
  apply(log_kind::remove, {object_kind::post, 0, 12});
  CHECK_FALSE(knows(account_id{2}));
  CHECK_FALSE(knows(post_id{10}));
}

TEST_CASE_METHOD(count_cache_fixture, "a count that a row has overtaken is not kept",
                 "[count_cache]") {
  const auto lease = cache.lease(post_id{10});
  apply(log_kind::like, {object_kind::like, 1, 10});
  cache.keep(post_id{10}, {.favourites = 4}, lease);
  CHECK_FALSE(knows(post_id{10}));
  // Not even when somebody counts again meanwhile.
  const auto newer = cache.lease(post_id{10});
  cache.keep(post_id{10}, {.favourites = 4}, lease);
  CHECK_FALSE(knows(post_id{10}));
  cache.keep(post_id{10}, {.favourites = 5}, newer);
  CHECK(cache.find(post_id{10})->favourites == 5);
}

TEST_CASE_METHOD(count_cache_fixture, "counts are trusted only while the log is followed",
                 "[count_cache]") {
  keep(post_id{10});
  now = start + 1001ms;
  CHECK_FALSE(knows(post_id{10}));
  now = start;
  position->commit(5);
  CHECK_FALSE(knows(post_id{10}));
  position->apply(5);
  CHECK(knows(post_id{10}));
}

TEST_CASE("what was counted before the log was followed is not kept", "[count_cache]") {
  const auto position = std::make_shared<log_position>();
  auto cache = count_cache{position, {}, [] { return start; }};
  const auto early = cache.lease(post_id{10});
  position->tick(start);
  cache.keep(post_id{10}, {.boosts = 3}, early);
  CHECK_FALSE(cache.find(post_id{10}));
  cache.keep(post_id{10}, {.boosts = 3}, cache.lease(post_id{10}));
  CHECK(cache.find(post_id{10}));
}
