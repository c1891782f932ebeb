#include "storage/inbox_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/failing_database.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

constexpr auto noon = time_point{} + 20'000h;
const auto peer = std::string{"https://peer.example:443"};
const auto other = std::string{"https://other.example:443"};

arrival sent(std::int64_t id, std::string ap_id, std::string host = peer) {
  const auto actor = host + "/users/ann";
  return {.id = id,
          .actor = actor,
          .ap_id = std::move(ap_id),
          .host = std::move(host),
          .body = std::string{"{\"a\":\"\0\"}", 9},
          .at = noon + std::chrono::seconds{id}};
}

} // namespace

TEST_CASE("A08: an activity is added once per signer and id", "[inbox_store][A08][I3]") {
  const auto answers = equal_on_both([](test_database& fresh) {
    auto& db = fresh.db();
    auto added = std::vector<bool>{};
    for (auto id = 1; id <= 20; ++id)
      added.push_back(must(add_arrival(db, sent(id, "https://peer.example/1"))));
    auto theirs = sent(30, "https://peer.example/1");
    theirs.actor = "https://peer.example/users/bob";
    added.push_back(must(add_arrival(db, theirs)));
    return added;
  });
  CHECK(std::count(answers.begin(), answers.end(), true) == 2);
  CHECK(answers.front());
  CHECK(answers.back());
}

TEST_CASE("an activity without an id is known by its body", "[inbox_store]") {
  CHECK(hash_id("{}") == hash_id("{}"));
  CHECK(hash_id("{}") != hash_id("{ }"));
}

TEST_CASE("open arrivals come in their order, host by host", "[inbox_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto id : {5, 3, 4})
      must(add_arrival(db, sent(id, std::to_string(id))));
    must(add_arrival(db, sent(1, "1", other)));
    CHECK(must(hosts_with_arrivals(db, "", 10)) == std::vector{other, peer});
    CHECK(must(hosts_with_arrivals(db, other, 10)) == std::vector{peer});
    CHECK(must(hosts_with_arrivals(db, "", 1)) == std::vector{other});
    CHECK(must(count_open_arrivals(db, peer, 10)) == 3);
    CHECK(must(count_open_arrivals(db, peer, 2)) == 2);
    for (auto id : {3, 4, 5}) {
      const auto next = must(next_arrival(db, peer));
      REQUIRE(next);
      CHECK(next->id == id);
      CHECK(next->body == sent(id, "").body);
      CHECK(next->at == noon + std::chrono::seconds{id});
      CHECK(must(end_arrival(db, id, arrival_end::done)));
      CHECK_FALSE(must(end_arrival(db, id, arrival_end::done)));
    }
    CHECK_FALSE(must(next_arrival(db, peer)));
    CHECK(must(find_arrival(db, sent(4, "").actor, "4"))->id == 4);
    CHECK_FALSE(must(find_arrival(db, sent(4, "").actor, "1")));
  });
}

TEST_CASE("what is open is never purged", "[inbox_store]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    for (auto id = 1; id <= 5; ++id)
      must(add_arrival(db, sent(id, std::to_string(id))));
    for (auto id : {1, 2, 4})
      must(end_arrival(db, id, id == 2 ? arrival_end::given_up : arrival_end::done));
    CHECK(must(purge_arrivals(db, noon + 4s, 1)) == 1);
    CHECK(must(purge_arrivals(db, noon + 4s, 10)) == 1);
    CHECK(must(purge_arrivals(db, noon + 5s, 10)) == 1);
    CHECK(must(count_open_arrivals(db, peer, 10)) == 2);
  });
}

TEST_CASE("F27: an early Undo is remembered for six hours, and counts once", "[inbox_store][F27]") {
  on_both([](test_database& fresh) {
    auto& db = fresh.db();
    must(remember_undo(db, "one", noon));
    must(remember_undo(db, "one", noon));
    must(remember_undo(db, "two", noon));
    CHECK_FALSE(must(take_undo(db, "three", noon)));
    CHECK(must(take_undo(db, "one", noon + 5h)));
    CHECK_FALSE(must(take_undo(db, "one", noon + 5h)));
    CHECK_FALSE(must(take_undo(db, "two", noon + 6h)));
    must(remember_undo(db, "four", noon));
    CHECK(must(purge_undos(db, noon + 6h, 10)) == 0);
    CHECK(must(purge_undos(db, noon + 6h + 1s, 10)) == 1);
  });
}

TEST_CASE("an arrival fails whole at every call", "[inbox_store]") {
  on_both([](test_database& fresh) {
    const auto calls = walk_every_n(fresh.db(), [](database& db) -> caf::error {
      auto added = add_arrival(db, sent(1, "1"));
      if (!added)
        return added.error();
      auto ended = end_arrival(db, 1, arrival_end::done);
      return ended ? caf::error{} : ended.error();
    });
    CHECK(calls > 2);
  });
}
