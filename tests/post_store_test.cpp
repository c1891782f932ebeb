#include "storage/post_store.hpp"

#include "tests/kit/failing_database.hpp"
#include "tests/kit/remote_rows.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using lines = std::vector<std::string>;

constexpr auto alice = account_id{7};
constexpr auto bob = account_id{8};
const auto now = from_micros(1'000'000'000'000);

fresh_id counting_ids(std::int64_t first = 900) {
  return [next = std::make_shared<std::int64_t>(first)]() -> caf::expected<std::int64_t> {
    return (*next)++;
  };
}

post plain(std::int64_t id, std::string text = "hello", visibility seen_by = visibility::everyone) {
  return {.id = post_id{id},
          .author = alice,
          .text = text,
          .html = "<p>" + text + "</p>",
          .seen_by = seen_by,
          .created_at = now};
}

post boost(std::int64_t id, account_id author, std::int64_t of) {
  return {.id = post_id{id},
          .author = author,
          .seen_by = visibility::everyone,
          .boost_of = post_id{of},
          .boost_author = alice,
          .created_at = now};
}

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

lines all(database& db, const std::string& what) {
  return kit::rows_of(db.run(what));
}

} // namespace

TEST_CASE("a plain post is one row, read back as it was", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    auto row = plain(100);
    row.spoiler = "cw";
    row.sensitive = true;
    row.language = "de";
    row.reply_to = post_id{50};
    row.reply_author = bob;
    row.app = app_id{3};
    const auto before = db.rows_written();
    must(insert_post(db, row, audience_id{}, ""));
    CHECK(db.rows_written() == before + 1);
    const auto found = must(find_post(db, post_id{100}));
    REQUIRE(found);
    CHECK(found->text == "hello");
    CHECK(found->html == "<p>hello</p>");
    CHECK(found->spoiler == "cw");
    CHECK(found->sensitive);
    CHECK(found->language == "de");
    CHECK(found->reply_to == post_id{50});
    CHECK(found->reply_author == bob);
    CHECK(found->app == app_id{3});
    CHECK(found->created_at == now);
    CHECK_FALSE(found->edited_at);
    CHECK_FALSE(found->uri);
    CHECK_FALSE(must(find_post(db, post_id{101})));
    CHECK(must(newest_post_of(db, alice)) == post_id{100});
    CHECK(must(newest_post_of(db, bob)) == post_id{});
  });
}

TEST_CASE("whom and what a post names is one row each, and replaced by an edit", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto ids = counting_ids();
    must(insert_post(db, plain(100), {}, ""));
    auto before = db.rows_written();
    must(insert_links(db, post_id{100}, {{bob}, {{"cat", "Cat"}}}, ids));
    CHECK(db.rows_written() == before + 3); // mention, tag, post_tag
    must(insert_post(db, plain(101), {}, ""));
    before = db.rows_written();
    must(insert_links(db, post_id{101}, {{bob}, {{"cat", "CAT"}}}, ids));
    CHECK(db.rows_written() == before + 2);
    CHECK(all(db, "SELECT folded, name FROM tag") == lines{"cat|Cat"});
    must(replace_links(db, post_id{100}, {{alice}, {{"dog", "dog"}}}, ids));
    CHECK(all(db, "SELECT post_id, account_id FROM mention ORDER BY post_id") ==
          lines{"100|7", "101|8"});
    CHECK(all(db, "SELECT t.folded, p.post_id FROM post_tag p JOIN tag t ON t.id = p.tag_id"
                  " ORDER BY p.post_id") == lines{"dog|100", "cat|101"});
  });
}

TEST_CASE("a post knows whom it names and its audience", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), audience_id{44}, ""));
    must(insert_links(db, post_id{100}, {{bob, alice}, {}}, counting_ids()));
    CHECK(must(mentions_of(db, post_id{100})) == std::vector{alice, bob});
    CHECK(must(mentions_of(db, post_id{101})).empty());
    CHECK(must(audience_of(db, post_id{100})) == audience_id{44});
    CHECK(must(audience_of(db, post_id{101})) == audience_id{});
  });
}

TEST_CASE("a post knows every audience it ever had", "[post_store][I5]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), audience_id{44}, ""));
    must(add_post_audience(db, post_id{100}, audience_id{}));
    must(add_post_audience(db, post_id{100}, audience_id{44}));
    CHECK(must(audiences_of(db, post_id{100})) == std::vector{audience_id{44}});
    must(add_post_audience(db, post_id{100}, audience_id{43}));
    must(add_post_audience(db, post_id{100}, audience_id{45}));
    must(add_post_audience(db, post_id{100}, audience_id{45}));
    CHECK(must(audiences_of(db, post_id{100})) ==
          std::vector{audience_id{44}, audience_id{43}, audience_id{45}});
    must(add_post_audience(db, post_id{101}, audience_id{45})); // gone meanwhile
    CHECK(must(audiences_of(db, post_id{101})).empty());
    must(insert_post(db, plain(102), {}, ""));
    must(add_post_audience(db, post_id{102}, audience_id{9}));
    CHECK(must(audiences_of(db, post_id{102})) == std::vector{audience_id{9}});
  });
}

TEST_CASE("a poll is stored with its post, and who boosts it is found", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), {}, ""));
    must(insert_poll(db, post_id{100}, {.options = {"a", "b\"c"}, .multiple = true}, now + 1h));
    CHECK(all(db, "SELECT options, multiple, hide_totals, expires_at FROM poll") ==
          lines{R"(["a","b\"c"]|1|0|)" + std::to_string(to_micros(now + 1h))});
    must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                " VALUES (8, 'bob', 'bob', 'u', 1)"));
    kit::add_remote(db, {account_id{99}, "far"});
    must(insert_post(db, boost(101, bob, 100), {}, ""));
    must(insert_post(db, boost(102, account_id{99}, 100), {}, ""));
    CHECK(must(local_boosters(db, post_id{100}, 5)) == std::vector{bob});
    CHECK(must(local_boosters(db, post_id{100}, 0)).empty());
  });
}

TEST_CASE("a post of another server keeps its page and its emojis", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    auto far = plain(100);
    far.uri = "https://far.example/posts/1";
    far.url = "https://far.example/@far/1";
    far.emojis_json = R"([{"name":"cat","url":"https://far.example/cat.png"}])";
    must(insert_post(db, far, {}, ""));
    CHECK(must(find_post(db, post_id{100}))->url == far.url);
    CHECK(must(find_post(db, post_id{100}))->emojis_json == far.emojis_json);
    auto edited = far;
    edited.emojis_json = "[]";
    edited.edited_at = now + 1s;
    must(store_edit(db, far, edited));
    CHECK(must(find_post(db, post_id{100}))->emojis_json == "[]");
  });
}

TEST_CASE("a key gives the post it made for an hour", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), {}, "key"));
    CHECK(must(find_by_key(db, alice, "key", now + 59min)) == post_id{100});
    CHECK_FALSE(must(find_by_key(db, bob, "key", now)));
    CHECK_FALSE(must(find_by_key(db, alice, "other", now)));
    CHECK(code_of(insert_post(db, plain(101), {}, "key")) == errc::unique_violation);
    CHECK_FALSE(must(find_by_key(db, alice, "key", now + 60min)));
    must(insert_post(db, plain(101), {}, "key"));
    CHECK(must(find_by_key(db, alice, "key", now + 59min)) == post_id{101});
  });
}

TEST_CASE("old keys of an author are cleared, others stay", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), {}, "a"));
    auto young = plain(101);
    young.created_at = now + 1h;
    must(insert_post(db, young, {}, "b"));
    must(insert_post(db, plain(102), {}, ""));
    CHECK(must(clear_keys(db, bob, now + 30min)) == 0);
    CHECK(must(clear_keys(db, alice, now + 30min)) == 1);
    CHECK(all(db, "SELECT id, idempotency_key FROM post ORDER BY id") ==
          lines{"100|null", "101|b", "102|null"});
  });
}

TEST_CASE("who may see a post", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto sees = [&](visibility seen_by) {
      return must(may_see(db, bob, plain(100, "x", seen_by)));
    };
    must(db.run("INSERT INTO account(id, name, folded, uri, created_at)"
                " VALUES (7, 'alice', 'alice', 'u', 1)"));
    CHECK(sees(visibility::everyone));
    CHECK(sees(visibility::unlisted));
    CHECK_FALSE(sees(visibility::followers));
    CHECK_FALSE(sees(visibility::direct));
    CHECK(must(may_see(db, alice, plain(100, "x", visibility::direct))));
    must(db.run("INSERT INTO follow(follower, followee, at, accepted) VALUES (8, 7, 1, 0)"));
    CHECK_FALSE(sees(visibility::followers)); // a request is no follow
    must(db.run("UPDATE follow SET accepted = 1"));
    CHECK(sees(visibility::followers));
    CHECK_FALSE(sees(visibility::direct));
    must(db.run("DELETE FROM follow"));
    must(db.run("INSERT INTO mention(post_id, account_id) VALUES (100, 8)"));
    CHECK(sees(visibility::followers));
    CHECK(sees(visibility::direct));
    must(db.run("INSERT INTO block(blocker, blocked, at) VALUES (7, 8, 1)"));
    for (const auto seen_by :
         {visibility::everyone, visibility::unlisted, visibility::followers, visibility::direct})
      CHECK_FALSE(sees(seen_by));
    must(db.run("DELETE FROM block"));
    CHECK(sees(visibility::everyone));
    must(db.run("UPDATE account SET deleted_at = 1 WHERE id = 7"));
    CHECK_FALSE(sees(visibility::everyone)); // the posts of a deleted account are gone with it
    CHECK_FALSE(must(may_see(db, alice, plain(100))));
  });
}

TEST_CASE("an edit keeps what it replaces", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), {}, ""));
    auto after = plain(100, "better");
    after.edited_at = now + 1s;
    must(store_edit(db, plain(100), after));
    auto again = plain(100, "best");
    again.edited_at = now + 2s;
    must(store_edit(db, after, again));
    CHECK(must(find_post(db, post_id{100}))->text == "best");
    CHECK(must(find_post(db, post_id{100}))->edited_at == now + 2s);
    CHECK(all(db, "SELECT text FROM post_edit ORDER BY at") == lines{"hello", "better"});
  });
}

TEST_CASE("an account boosts a post once", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), {}, ""));
    must(insert_post(db, boost(101, bob, 100), {}, ""));
    CHECK(code_of(insert_post(db, boost(102, bob, 100), {}, "")) == errc::unique_violation);
    CHECK(must(boost_by(db, bob, post_id{100})) == post_id{101});
    CHECK_FALSE(must(boost_by(db, alice, post_id{100})));
    CHECK(must(erase_boost(db, bob, post_id{100})) == post_id{101});
    CHECK_FALSE(must(erase_boost(db, bob, post_id{100})));
  });
}

TEST_CASE("a deleted post takes with it what hangs on it", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto empty = kit::dump(db);
    must(insert_post(db, plain(100), {}, "key"));
    must(insert_links(db, post_id{100}, {{bob}, {}}, counting_ids()));
    must(insert_post(db, boost(101, bob, 100), {}, ""));
    auto edited = plain(100, "x");
    edited.edited_at = now + 1s;
    must(store_edit(db, plain(100), edited));
    for (const auto* table : {"favourite", "bookmark", "pin"})
      must(db.run(std::string{"INSERT INTO "} + table +
                  "(account_id, post_id, at) VALUES (8, 100, 1)"));
    must(db.run("INSERT INTO poll(post_id, options, multiple, hide_totals)"
                " VALUES (100, '[]', 0, 0)"));
    must(db.run("INSERT INTO poll_vote(post_id, account_id, choice) VALUES (100, 8, 0)"));
    must(add_post_audience(db, post_id{100}, audience_id{3}));
    must(db.run("INSERT INTO notification(id, account_id, kind, from_id, post_id, at)"
                " VALUES (1, 7, 3, 8, 100, 1)"));
    must(erase_post(db, post_id{100}));
    CHECK(kit::dump(db) == empty);
  });
}

TEST_CASE("replies stay when the post they answer is deleted", "[post_store]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    must(insert_post(db, plain(100), {}, ""));
    auto reply = plain(101);
    reply.reply_to = post_id{100};
    reply.reply_author = alice;
    must(insert_post(db, reply, {}, ""));
    must(erase_post(db, post_id{100}));
    CHECK(must(find_post(db, post_id{101}))->reply_author == alice);
  });
}

TEST_CASE("operations of the post store fail as a whole", "[post_store][walk]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto ids = counting_ids();
    const auto links = post_links{{bob}, {{"cat", "Cat"}}};
    const auto walk = [&](const auto& operation) { return kit::walk_every_n(db, operation); };
    walk([&](database& open) { return insert_post(open, plain(100), {}, "key"); });
    walk([&](database& open) { return insert_links(open, post_id{100}, links, ids); });
    walk([&](database& open) { return replace_links(open, post_id{100}, links, ids); });
    walk([&](database& open) { return error_of(find_by_key(open, alice, "key", now)); });
    walk([&](database& open) { return error_of(find_by_key(open, alice, "key", now + 2h)); });
    walk([&](database& open) { return error_of(find_post(open, post_id{100})); });
    walk([&](database& open) { return error_of(may_see(open, bob, plain(100))); });
    walk([&](database& open) { return error_of(newest_post_of(open, alice)); });
    walk([&](database& open) { return error_of(mentions_of(open, post_id{100})); });
    walk([&](database& open) { return error_of(audience_of(open, post_id{100})); });
    walk([&](database& open) { return add_post_audience(open, post_id{100}, audience_id{3}); });
    walk([&](database& open) { return error_of(audiences_of(open, post_id{100})); });
    walk([&](database& open) { return error_of(local_boosters(open, post_id{100}, 9)); });
    walk([&](database& open) {
      return insert_poll(open, post_id{100}, {.options = {"a", "b"}}, now);
    });
    walk([&](database& open) { return error_of(clear_keys(open, alice, now + 1h)); });
    auto edited = plain(100, "x");
    edited.edited_at = now + 1s;
    walk([&](database& open) { return store_edit(open, plain(100), edited); });
    walk([&](database& open) { return insert_post(open, boost(101, bob, 100), {}, ""); });
    walk([&](database& open) { return error_of(boost_by(open, bob, post_id{100})); });
    walk([&](database& open) { return error_of(erase_boost(open, bob, post_id{100})); });
    CHECK(walk([&](database& open) { return erase_post(open, post_id{100}); }) == 15);
  });
}
