#include "storage/view_store.hpp"

#include "tests/kit/both_databases.hpp"
#include "tests/kit/failing_database.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto now = time_point{1000s};
constexpr auto alice = account_id{1};
constexpr auto bob = account_id{2};
constexpr auto carol = account_id{3};
constexpr auto remote = account_id{4};
constexpr auto nobody = account_id{};

void add_account(database& db, account_id id, const std::string& name, sql_value host = {}) {
  REQUIRE(db.run("INSERT INTO account(id, host_id, name, folded, uri, created_at)"
                 " VALUES ($1, $2, $3, $3, $4, 0)",
                 {id, host, name, "https://x.example/users/" + to_string(id)}));
}

void add_post(database& db, std::int64_t id, account_id author,
              visibility seen_by = visibility::everyone, sql_value reply_to = {},
              sql_value boost_of = {}) {
  REQUIRE(db.run("INSERT INTO post(id, author, html, visibility, reply_to, reply_author, boost_of,"
                 " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $1)",
                 {id, author, "<p>" + std::to_string(id) + "</p>", static_cast<int>(seen_by),
                  reply_to, reply_to.is_null() ? sql_value{} : sql_value{alice}, boost_of}));
}

/// Alice with a post of each visibility (11 to 14), which Bob follows and Carol is named in; Bob's
/// boost of the first (15); Alice's account on another server.
void fill(database& db) {
  REQUIRE(db.run("INSERT INTO host(id, scheme, name, port) VALUES (9, 'https', 'r.example', 443)"));
  add_account(db, alice, "alice");
  add_account(db, bob, "bob");
  add_account(db, carol, "carol");
  add_account(db, remote, "alice", 9);
  for (const auto seen_by : {1, 2, 3, 4})
    add_post(db, 10 + seen_by, alice, static_cast<visibility>(seen_by));
  add_post(db, 15, bob, visibility::everyone, {}, 11);
  REQUIRE(db.run("INSERT INTO follow(follower, followee, at) VALUES (2, 1, 0)"));
  REQUIRE(db.run("INSERT INTO mention(post_id, account_id) VALUES (14, 3)"));
}

void on_each(const std::function<void(database&)>& body) {
  kit::on_both([&](kit::test_database& fresh) {
    fill(fresh.db());
    body(fresh.db());
  });
}

std::vector<post_id> all_posts() {
  return {post_id{11}, post_id{12}, post_id{13}, post_id{14}, post_id{15}};
}

std::vector<std::int64_t> seen(database& db, account_id viewer) {
  const auto ids = all_posts();
  const auto posts = load_posts(db, viewer, ids, now);
  REQUIRE(posts);
  auto numbers = std::vector<std::int64_t>{};
  for (const auto& post : *posts)
    numbers.push_back(post.row.id.value);
  return numbers;
}

std::vector<std::int64_t> listed(database& db, account_id viewer, account_page page) {
  page.author = alice;
  const auto ids = list_account_posts(db, viewer, page);
  REQUIRE(ids);
  auto numbers = std::vector<std::int64_t>{};
  for (const auto id : *ids)
    numbers.push_back(id.value);
  return numbers;
}

using numbers = std::vector<std::int64_t>;

} // namespace

TEST_CASE("a viewer gets the posts that he may see and no other", "[view_store][I7]") {
  on_each([](database& db) {
    CHECK(seen(db, nobody) == numbers{11, 12, 15});
    CHECK(seen(db, alice) == numbers{11, 12, 13, 14, 15});
    CHECK(seen(db, bob) == numbers{11, 12, 13, 15});
    CHECK(seen(db, carol) == numbers{11, 12, 14, 15});
    REQUIRE(db.run("UPDATE follow SET accepted = 0"));
    CHECK(seen(db, bob) == numbers{11, 12, 15});
    REQUIRE(db.run("INSERT INTO block(blocker, blocked, at) VALUES (1, 3, 0)"));
    CHECK(seen(db, carol).empty());
    REQUIRE(db.run("UPDATE account SET deleted_at = 1 WHERE id = 1"));
    CHECK(seen(db, alice).empty());
    CHECK(seen(db, nobody).empty());
  });
}

TEST_CASE("the posts of an account are listed by the same rule", "[view_store][I7]") {
  on_each([](database& db) {
    CHECK(listed(db, nobody, {}) == numbers{12, 11});
    CHECK(listed(db, alice, {}) == numbers{14, 13, 12, 11});
    CHECK(listed(db, bob, {}) == numbers{13, 12, 11});
    CHECK(listed(db, carol, {}) == numbers{14, 12, 11});
    REQUIRE(db.run("INSERT INTO block(blocker, blocked, at) VALUES (1, 3, 0)"));
    CHECK(listed(db, carol, {}).empty());
  });
}

TEST_CASE("a list of posts is cut where it is asked to be", "[view_store]") {
  on_each([](database& db) {
    CHECK(listed(db, alice, {.max_id = post_id{13}}) == numbers{12, 11});
    CHECK(listed(db, alice, {.since_id = post_id{11}, .limit = 2}) == numbers{14, 13});
    CHECK(listed(db, alice, {.min_id = post_id{11}, .limit = 2}) == numbers{13, 12});
    add_post(db, 21, alice, visibility::everyone, 15);
    CHECK(listed(db, alice, {.limit = 1, .exclude_replies = true}) == numbers{21});
    REQUIRE(db.run("UPDATE post SET reply_author = 2 WHERE id = 21"));
    CHECK(listed(db, alice, {.limit = 1, .exclude_replies = true}) == numbers{14});
    add_post(db, 22, alice, visibility::everyone, {}, 15);
    CHECK(listed(db, alice, {.limit = 1, .exclude_boosts = true}) == numbers{21});
    REQUIRE(db.run("INSERT INTO pin(account_id, post_id, at) VALUES (1, 12, 0), (2, 11, 0)"));
    CHECK(listed(db, alice, {.pinned = true}) == numbers{12});
    REQUIRE(db.run("INSERT INTO tag(id, folded, name) VALUES (7, 'cat', 'Cat')"));
    REQUIRE(db.run("INSERT INTO post_tag(tag_id, post_id) VALUES (7, 13)"));
    CHECK(listed(db, alice, {.tag = "cat"}) == numbers{13});
    REQUIRE(db.run("INSERT INTO medium(id, author, post_id, kind, url, created_at)"
                   " VALUES (8, 1, 14, 1, 'x', 0)"));
    CHECK(listed(db, alice, {.only_media = true}) == numbers{14});
  });
}

TEST_CASE("a post comes with its author, boosted post, marks and counts", "[view_store]") {
  on_each([](database& db) {
    REQUIRE(db.run("INSERT INTO favourite(account_id, post_id, at) VALUES (2, 11, 0), (3, 11, 0)"));
    add_post(db, 16, bob, visibility::everyone, 11);
    add_post(db, 17, bob, visibility::direct, 11);
    const auto boost = load_post(db, bob, post_id{15}, now);
    REQUIRE(boost);
    REQUIRE(boost->boosted);
    CHECK(boost->author->name == "bob");
    CHECK(boost->boosted->author->name == "alice");
    CHECK(boost->boosted->boosts == 1);
    CHECK(boost->boosted->favourites == 2);
    CHECK(boost->boosted->replies == 1);
    CHECK(boost->boosted->marks.favourited);
    CHECK(boost->boosted->marks.boosted);
    CHECK_FALSE(load_post(db, alice, post_id{11}, now)->marks.favourited);
    // A boost of what the viewer may not see is not shown either.
    REQUIRE(db.run("INSERT INTO block(blocker, blocked, at) VALUES (1, 3, 0)"));
    const auto hidden = load_post(db, carol, post_id{15}, now);
    REQUIRE_FALSE(hidden);
    CHECK(code_of(hidden.error()) == errc::not_found);
  });
}

TEST_CASE("an account is found by its name in any case, ours and others'", "[view_store]") {
  on_each([](database& db) {
    CHECK(*find_account(db, "ALICE", "") == alice);
    CHECK(*find_account(db, "alice", "R.example") == remote);
    CHECK(code_of(find_account(db, "alice", "nowhere.example").error()) == errc::not_found);
    CHECK(code_of(find_account(db, "alice", "no host").error()) == errc::not_found);
    REQUIRE(db.run("UPDATE host SET name = 'xn--bcher-kva.example' WHERE id = 9"));
    for (const auto* written :
         {"b\u00fccher.example", "B\u00dcCHER.example:443", "xn--bcher-kva.example"})
      CHECK(*find_account(db, "alice", written) == remote);
    REQUIRE(db.run("UPDATE host SET name = 'r.example' WHERE id = 9"));
    CHECK(load_account(db, remote)->domain == "r.example");
    const auto shown = load_account(db, alice);
    REQUIRE(shown);
    CHECK(shown->followers == 1);
    CHECK(shown->posts == 3);
    CHECK(shown->last_post_at == from_micros(13));
    REQUIRE(db.run("UPDATE account SET deleted_at = 1 WHERE id = 1"));
    CHECK(code_of(load_account(db, alice).error()) == errc::not_found);
    CHECK(code_of(find_account(db, "alice", "").error()) == errc::not_found);
  });
}

TEST_CASE("a mute that ran out is no mute", "[view_store]") {
  on_each([](database& db) {
    REQUIRE(db.run("INSERT INTO mute(muter, muted, at, notifications, expires_at)"
                   " VALUES (2, 1, 0, 0, $1)",
                   {now}));
    const auto targets = std::vector{alice, account_id{99}, carol};
    const auto before = load_relations(db, bob, targets, now - 1s);
    REQUIRE(before);
    REQUIRE(before->size() == 2);
    CHECK(before->front().muting);
    CHECK(before->front().following);
    CHECK_FALSE(before->front().muting_notifications);
    CHECK(before->front().muting_ends == now);
    CHECK_FALSE(load_relations(db, bob, targets, now)->front().muting);
    CHECK(load_relations(db, alice, std::vector{bob}, now)->front().followed_by);
  });
}

TEST_CASE("a thread is shown in reading order, within its limits", "[view_store]") {
  on_each([](database& db) {
    add_post(db, 21, bob, visibility::everyone, 11);
    add_post(db, 22, alice, visibility::everyone, 11);
    add_post(db, 23, bob, visibility::everyone, 21);
    add_post(db, 24, alice, visibility::everyone, 23);
    const auto ids = [](const std::vector<post_view>& posts) {
      auto found = numbers{};
      for (const auto& post : posts)
        found.push_back(post.row.id.value);
      return found;
    };
    const auto whole = load_thread(db, nobody, post_id{11}, {}, now);
    REQUIRE(whole);
    CHECK(ids(whole->descendants) == numbers{21, 23, 24, 22});
    const auto deep = load_thread(db, nobody, post_id{24}, {}, now);
    CHECK(ids(deep->ancestors) == numbers{11, 21, 23});
    const auto near = load_thread(db, nobody, post_id{24}, {.ancestors = 2}, now);
    CHECK(ids(near->ancestors) == numbers{21, 23});
    const auto flat = load_thread(db, nobody, post_id{11}, {.depth = 1}, now);
    CHECK(ids(flat->descendants) == numbers{21, 22});
    const auto few = load_thread(db, nobody, post_id{11}, {.descendants = 2}, now);
    CHECK(few->descendants.size() == 2);
    CHECK_FALSE(load_thread(db, nobody, post_id{13}, {}, now));
  });
}

TEST_CASE("what another server tells of accounts and posts is loaded", "[view_store]") {
  on_each([](database& db) {
    REQUIRE(db.run("UPDATE account SET url = 'https://r.example/@alice', avatar_url = 'a',"
                   " header_url = 'h', emojis = '[1]' WHERE id = 4"));
    const auto shown = load_account(db, remote);
    REQUIRE(shown);
    CHECK(shown->page == "https://r.example/@alice");
    CHECK(shown->avatar_url == "a");
    CHECK(shown->header_url == "h");
    CHECK(shown->emojis_json == "[1]");
    add_post(db, 21, remote);
    REQUIRE(db.run("UPDATE post SET uri = 'u', url = 'https://r.example/@alice/21', emojis = '[2]'"
                   " WHERE id = 21"));
    REQUIRE(db.run("INSERT INTO mention(post_id, account_id) VALUES (21, 4)"));
    const auto post = load_post(db, nobody, post_id{21}, now);
    REQUIRE(post);
    CHECK(post->row.url == "https://r.example/@alice/21");
    CHECK(post->row.emojis_json == "[2]");
    REQUIRE(post->mentions.size() == 1);
    CHECK(post->mentions[0].page == "https://r.example/@alice");
  });
}

TEST_CASE("a poll of another server shows what its server counts", "[view_store]") {
  struct told {
    std::string votes;
    std::int64_t voters;
    bool multiple;
    numbers shown;
    std::optional<std::int64_t> shown_voters;
  };
  // Carol has voted here for the second.
  const auto cases =
      std::vector<told>{{"", 0, false, {0, 1}, 1},      {"[6,3]", 9, false, {6, 3}, 9},
                        {"[6,3]", 0, false, {6, 3}, 9}, {"[6,3]", 0, true, {6, 3}, std::nullopt},
                        {"[6,0]", 6, false, {6, 1}, 6}, {"[6,3,4]", 7, true, {6, 3}, 7}};
  on_each([&](database& db) {
    REQUIRE(db.run("INSERT INTO poll(post_id, options, multiple, hide_totals)"
                   " VALUES (11, '[\"a\",\"b\"]', 0, 0)"));
    REQUIRE(db.run("INSERT INTO poll_vote(post_id, account_id, choice) VALUES (11, 3, 1)"));
    for (const auto& each : cases) {
      REQUIRE(db.run("UPDATE poll SET remote_votes = $1, remote_voters = $2, multiple = $3",
                     {each.votes, each.voters, each.multiple}));
      const auto post = load_post(db, carol, post_id{11}, now);
      REQUIRE(post);
      REQUIRE(post->poll);
      CHECK(post->poll->votes == each.shown);
      CHECK(post->poll->voters == each.shown_voters);
      CHECK(post->poll->own_votes == numbers{1});
    }
  });
}

TEST_CASE("every failing statement of a view is reported", "[view_store]") {
  on_each([](database& db) {
    const auto ids = all_posts();
    const auto targets = std::vector{alice, bob};
    const auto operations = std::vector<std::function<bool(database&)>>{
        [&](database& at) { return static_cast<bool>(load_posts(at, bob, ids, now)); },
        [&](database& at) { return static_cast<bool>(load_thread(at, bob, post_id{11}, {}, now)); },
        [&](database& at) { return static_cast<bool>(load_own_account(at, alice)); },
        [&](database& at) { return static_cast<bool>(load_relations(at, bob, targets, now)); },
        [&](database& at) {
          return static_cast<bool>(list_account_posts(at, bob, {.author = alice}));
        },
        [&](database& at) { return static_cast<bool>(load_figures(at, now)); }};
    for (const auto& operation : operations)
      for (auto n = std::size_t{1}; n < 50; ++n) {
        auto failing = kit::failing_database{db};
        failing.fail_at(n, errc::unavailable, kit::failing::once);
        const auto succeeded = operation(failing);
        CHECK(succeeded == (failing.failed() == 0));
        if (failing.failed() == 0)
          break;
      }
  });
}
