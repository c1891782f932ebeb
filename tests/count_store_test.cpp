#include "storage/count_store.hpp"

#include "storage/view_store.hpp"
#include "tests/kit/both_databases.hpp"
#include "tests/kit/failing_database.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto alice = account_id{1};
constexpr auto bob = account_id{2};
constexpr auto carol = account_id{3};
constexpr auto now = time_point{1000s};

/// Keeps what it is brought, and does what a test wants at a lease and at a keep.
class noting_counts final : public known_counts {
public:
  std::optional<account_counts> find(account_id id) override { return in(accounts, id); }
  std::optional<post_counts> find(post_id id) override { return in(posts, id); }
  std::uint64_t lease(account_id id) override { return lease_of(id.value); }
  std::uint64_t lease(post_id id) override { return lease_of(id.value); }
  void keep(account_id id, const account_counts& counts, std::uint64_t lease) override {
    CHECK(leases[id.value] == lease);
    at_keep();
    accounts[id] = counts;
  }
  void keep(post_id id, const post_counts& counts, std::uint64_t lease) override {
    CHECK(leases[id.value] == lease);
    at_keep();
    posts[id] = counts;
  }

  std::map<account_id, account_counts> accounts;
  std::map<post_id, post_counts> posts;
  std::map<std::int64_t, std::uint64_t> leases;
  std::function<void()> at_lease = [] {};
  std::function<void()> at_keep = [] {};

private:
  template <class Id, class Counts>
  static std::optional<Counts> in(const std::map<Id, Counts>& map, Id id) {
    const auto found = map.find(id);
    return found == map.end() ? std::nullopt : std::optional{found->second};
  }
  std::uint64_t lease_of(std::int64_t id) {
    at_lease();
    return leases[id] = ++newest_;
  }

  std::uint64_t newest_ = 0;
};

void add_post(database& db, std::int64_t id, account_id author, visibility seen_by,
              sql_value reply_to = {}, sql_value boost_of = {}) {
  REQUIRE(db.run("INSERT INTO post(id, author, visibility, reply_to, boost_of, created_at)"
                 " VALUES ($1, $2, $3, $4, $5, $1)",
                 {id, author, static_cast<int>(seen_by), reply_to, boost_of}));
}

/// Alice's post 11, which Bob answers in public (12) and in private (13) and boosts (14), and which
/// Carol favours; Alice's direct post 15. Bob follows Alice; Carol asked to.
void fill(database& db) {
  for (const auto& [id, name] : {std::pair{alice, "alice"}, {bob, "bob"}, {carol, "carol"}})
    REQUIRE(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                   " VALUES ($1, $2, $2, $2, 0)",
                   {id, std::string{name}}));
  add_post(db, 11, alice, visibility::everyone);
  add_post(db, 12, bob, visibility::unlisted, 11);
  add_post(db, 13, bob, visibility::followers, 11);
  add_post(db, 14, bob, visibility::everyone, {}, 11);
  add_post(db, 15, alice, visibility::direct);
  REQUIRE(db.run("INSERT INTO favourite(account_id, post_id, at) VALUES (3, 11, 0)"));
  REQUIRE(db.run("INSERT INTO follow(follower, followee, at, accepted)"
                 " VALUES (2, 1, 0, 1), (3, 1, 0, 0)"));
}

void on_each(const std::function<void(database&)>& body) {
  kit::on_both([&](kit::test_database& fresh) {
    fill(fresh.db());
    body(fresh.db());
  });
}

/// How many statements `operation` makes.
std::size_t statements(database& db, const std::function<bool(database&)>& operation) {
  for (auto n = std::size_t{1};; ++n) {
    auto failing = kit::failing_database{db};
    failing.fail_at(n, errc::unavailable, kit::failing::once);
    const auto succeeded = operation(failing);
    if (failing.failed() == 0) {
      REQUIRE(succeeded);
      return n - 1;
    }
  }
}

} // namespace

TEST_CASE("counts leave out who waits and what few may see", "[count_store][I12]") {
  on_each([](database& db) {
    const auto people = std::vector{alice, bob, alice, account_id{99}};
    const auto accounts = load_counts(db, people, nullptr);
    REQUIRE(accounts);
    CHECK(accounts->size() == 2);
    CHECK(accounts->at(alice) ==
          account_counts{.followers = 1, .posts = 1, .last_post_at = from_micros(11)});
    CHECK(accounts->at(bob) ==
          account_counts{.following = 1, .posts = 3, .last_post_at = from_micros(14)});
    const auto ids = std::vector{post_id{11}, post_id{12}, post_id{99}};
    const auto posts = load_counts(db, ids, nullptr);
    REQUIRE(posts);
    CHECK(posts->size() == 2);
    CHECK(posts->at(post_id{11}) == post_counts{.replies = 1, .boosts = 1, .favourites = 1});
    CHECK(posts->at(post_id{12}) == post_counts{});
  });
}

TEST_CASE("what is known is shown without counting it", "[count_store][P3]") {
  on_each([](database& db) {
    auto known = noting_counts{};
    const auto account = [&](database& at) {
      return static_cast<bool>(load_account(at, alice, &known));
    };
    const auto post = [&](database& at) {
      return static_cast<bool>(load_post(at, bob, post_id{11}, now, &known));
    };
    CHECK(statements(
              db, [&](database& at) { return static_cast<bool>(load_account(at, alice)); }) == 2);
    known.accounts[alice] = {.followers = 70, .following = 71, .posts = 72, .last_post_at = now};
    CHECK(statements(db, account) == 1);
    const auto shown = load_account(db, alice, &known);
    REQUIRE(shown);
    CHECK(shown->followers == 70);
    CHECK(shown->following == 71);
    CHECK(shown->posts == 72);
    CHECK(shown->last_post_at == now);

    known.posts[post_id{11}] = {.replies = 80, .boosts = 81, .favourites = 82};
    const auto warm = statements(db, post);
    const auto seen = load_post(db, bob, post_id{11}, now, &known);
    REQUIRE(seen);
    CHECK(seen->replies == 80);
    CHECK(seen->boosts == 81);
    CHECK(seen->favourites == 82);
    CHECK(seen->author->followers == 70);
    const auto cold = statements(
        db, [&](database& at) { return static_cast<bool>(load_post(at, bob, post_id{11}, now)); });
    CHECK(cold == warm + 2); // its own counts and its author's
    const auto ids = std::vector{post_id{11}};
    CHECK(statements(db, [&](database& at) {
            return static_cast<bool>(load_counts(at, ids, &known));
          }) == 0);
  });
}

TEST_CASE("what was counted is known to the next reader", "[count_store][P3]") {
  on_each([](database& db) {
    auto known = noting_counts{};
    const auto ids = std::vector{post_id{14}, post_id{12}};
    REQUIRE(load_posts(db, bob, ids, now, &known));
    CHECK(known.accounts.size() == 2); // Bob, and Alice whom he boosts
    CHECK(known.posts.size() == 3);
    CHECK(known.posts.at(post_id{11}) == post_counts{.replies = 1, .boosts = 1, .favourites = 1});
    REQUIRE(load_thread(db, bob, post_id{11}, {}, now, &known));
    CHECK(known.posts.contains(post_id{13}));
    REQUIRE(load_own_account(db, carol, &known));
    CHECK(known.accounts.contains(carol));
  });
}

TEST_CASE("a lease is taken before the count, which is kept after it", "[count_store]") {
  on_each([](database& db) {
    auto known = noting_counts{};
    known.at_lease = [&] {
      REQUIRE(db.run("INSERT INTO favourite(account_id, post_id, at) VALUES (1, 11, 0)"));
    };
    known.at_keep = [&] {
      REQUIRE(db.run("INSERT INTO favourite(account_id, post_id, at) VALUES (2, 11, 0)"));
    };
    const auto ids = std::vector{post_id{11}};
    REQUIRE(load_counts(db, ids, &known));
    CHECK(known.posts.at(post_id{11}).favourites == 2);
  });
}

TEST_CASE("a count that fails is reported and not kept", "[count_store]") {
  on_each([](database& db) {
    auto known = noting_counts{};
    auto failing = kit::failing_database{db};
    failing.fail_at(1, errc::storage_busy, kit::failing::once);
    const auto ids = std::vector{post_id{11}};
    const auto counted = load_counts(failing, ids, &known);
    REQUIRE_FALSE(counted);
    CHECK(code_of(counted.error()) == errc::storage_busy);
    CHECK(known.posts.empty());
  });
}
