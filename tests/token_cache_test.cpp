#include "actors/token_cache.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto start = log_position::steady_time{100s};

struct token_cache_fixture {
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  token_cache cache{position, {.tokens_max = 8}};

  token_cache_fixture() { position->tick(start); }

  void keep(const std::string& hash, account_id account) {
    cache.keep(hash, {.account = account, .scopes = "read"}, cache.version());
  }
  bool knows(const std::string& hash, log_position::steady_time now = start) {
    return cache.find(hash, now).has_value();
  }
  void apply(log_kind kind, account_id account) {
    cache.apply(
        {.kind = kind, .author = account, .object = {object_kind::account, 0, account.value}});
  }
};

} // namespace

TEST_CASE_METHOD(token_cache_fixture, "a token is known once it was kept", "[token_cache]") {
  CHECK_FALSE(knows("a"));
  keep("a", {1});
  const auto owner = cache.find("a", start);
  REQUIRE(owner);
  CHECK(owner->account == account_id{1});
  CHECK(owner->scopes == "read");
  CHECK(cache.hits() == 1);
  CHECK(cache.misses() == 1);
}

TEST_CASE_METHOD(token_cache_fixture, "rows that end an account's tokens make them forgotten",
                 "[token_cache]") {
  const auto kind =
      GENERATE(log_kind::revoke_token, log_kind::disable_account, log_kind::remove_actor);
  keep("a", {1});
  keep("b", {1});
  keep("c", {2});
  apply(kind, {1});
  CHECK_FALSE(knows("a"));
  CHECK_FALSE(knows("b"));
  CHECK(knows("c"));
  apply(log_kind::create, {2});
  CHECK(knows("c"));
}

TEST_CASE_METHOD(token_cache_fixture, "no token is trusted without a tick for a second",
                 "[token_cache]") {
  keep("a", {1});
  CHECK(knows("a", start + 1s));
  CHECK_FALSE(knows("a", start + 1001ms));
  position->tick(start + 1s);
  CHECK(knows("a", start + 2s));
}

TEST_CASE_METHOD(token_cache_fixture, "no token is trusted while a committed row is not applied",
                 "[token_cache]") {
  keep("a", {1});
  position->commit(5);
  CHECK_FALSE(knows("a"));
  position->apply(5);
  CHECK(knows("a"));
}

TEST_CASE_METHOD(token_cache_fixture, "an answer that is older than a revocation is not kept",
                 "[token_cache]") {
  const auto version = cache.version();
  apply(log_kind::revoke_token, {1});
  cache.keep("a", {.account = {1}}, version);
  CHECK_FALSE(knows("a"));
}

TEST_CASE_METHOD(token_cache_fixture, "tokens in use stay, the rest is bounded", "[token_cache]") {
  keep("used", {1});
  for (auto number = 0; number < 100; ++number) {
    keep(std::to_string(number), {2});
    CHECK(knows("used"));
    CHECK(cache.size() <= 8);
  }
  CHECK(knows("99"));
  CHECK_FALSE(knows("0"));
}

TEST_CASE("a token read before the log was followed is not kept: its end may reach no cache",
          "[token_cache]") {
  const auto position = std::make_shared<log_position>();
  auto cache = token_cache{position, {.tokens_max = 8}};
  const auto version = cache.version();
  position->tick(start);
  cache.keep("a", {.account = {1}, .scopes = "read"}, version);
  CHECK_FALSE(cache.find("a", start));
  cache.keep("a", {.account = {1}, .scopes = "read"}, cache.version());
  CHECK(cache.find("a", start));
}
