#include "storage/remote_store.hpp"

#include "storage/audience_store.hpp"
#include "storage/delivery_store.hpp"
#include "storage/endpoint_store.hpp"
#include "storage/graph_store.hpp"
#include "storage/node_store.hpp"
#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

constexpr auto now = time_point{std::chrono::sys_days{std::chrono::year{2026} / 11 / 28}};
const auto server = host_address{"https", "r.example", 443};
const auto own = std::string{"https://here.example"};

remote_actor actor_named(const std::string& name) {
  const auto id = "https://r.example/users/" + name;
  return {.id = id,
          .type = "Person",
          .name = name,
          .display_name = "The " + name,
          .note = "<p>hello</p>",
          .inbox = id + "/inbox",
          .shared_inbox = "https://r.example/inbox",
          .followers = id + "/followers",
          .featured = id + "/featured",
          .url = "https://r.example/@" + name,
          .avatar_url = "https://cdn.example/" + name + ".png",
          .locked = true,
          .fields = {{"site", "<a href=\"https://x.example\">x.example</a>"}},
          .emojis = {{"blob", "https://r.example/blob.png"}},
          .published = now - 24h,
          .keys = {{id + "#main-key", id, "PEM of " + name}}};
}

/// Stores through one place, with ids that rise.
struct remote_world {
  database& db;
  std::int64_t last_id = 100;

  caf::expected<account_id> store(const remote_actor& actor, const host_address& host = server,
                                  time_point at = now) {
    return store_remote_account(
        db, actor, host, [this] { return caf::expected<std::int64_t>{++last_id}; }, at);
  }
};

void on_each(const std::function<void(remote_world)>& body) {
  kit::on_both([&](kit::test_database& fresh) { body({fresh.db()}); });
}

template <class T>
errc refusal(const caf::expected<T>& result) {
  REQUIRE_FALSE(result);
  return code_of(result.error());
}

void add_local(database& db, std::int64_t id, const std::string& name) {
  REQUIRE(db.run("INSERT INTO account(id, name, folded, uri, created_at) VALUES ($1, $2, $2, $3,"
                 " 0)",
                 {id, name, own + "/users/" + name}));
}

} // namespace

TEST_CASE("an actor is stored with its host and its inboxes", "[remote_store]") {
  const auto rows = kit::equal_on_both([](kit::test_database& fresh) {
    auto world = remote_world{fresh.db()};
    must(world.store(actor_named("alice")));
    must(world.store(actor_named("bob")));
    return kit::dump(fresh.db());
  });
  CHECK(std::ranges::count_if(rows, [](const auto& row) {
          return row.find("https://r.example/inbox") != std::string::npos;
        }) == 1);
}

TEST_CASE("a stored actor is found again with all that federation looks at", "[remote_store]") {
  on_each([](remote_world world) {
    const auto actor = actor_named("alice");
    const auto id = must(world.store(actor));
    CHECK(must(find_account_by_uri(world.db, actor.id)) == id);
    CHECK_FALSE(must(find_account_by_uri(world.db, actor.id + "x")));
    const auto found = must(find_remote_account(world.db, actor.id));
    REQUIRE(found);
    CHECK(found->id == id);
    CHECK(found->host == server);
    CHECK(found->name == "alice");
    CHECK(found->followers_url == actor.followers);
    CHECK(found->featured_url == actor.featured);
    CHECK(found->public_key == "PEM of alice");
    CHECK(found->key_id == actor.keys[0].id);
    CHECK(found->fetched_at == now);
    CHECK_FALSE(found->suspended);
    CHECK(found->inbox);
    CHECK(found->bulk_endpoint() == found->shared_inbox);
    CHECK(must(find_remote_account(world.db, id))->uri == actor.id);
    add_local(world.db, 1, "carol");
    CHECK_FALSE(must(find_remote_account(world.db, account_id{1})));
  });
}

TEST_CASE("a key of somebody else is not taken for the actor's", "[remote_store]") {
  on_each([](remote_world world) {
    auto actor = actor_named("alice");
    actor.keys.insert(actor.keys.begin(), {"https://r.example/k", "https://r.example/bob", "BOB"});
    const auto id = must(world.store(actor));
    CHECK(must(find_remote_account(world.db, id))->public_key == "PEM of alice");
  });
}

TEST_CASE("a known account keeps its id, host and name", "[remote_store]") {
  on_each([](remote_world world) {
    auto actor = actor_named("alice");
    const auto id = must(world.store(actor));
    actor.name = "mallory";
    actor.display_name = "New";
    actor.shared_inbox.clear();
    CHECK(must(world.store(actor, {"https", "other.example", 443}, now + 1h)) == id);
    const auto found = must(find_remote_account(world.db, id));
    CHECK(found->name == "alice");
    CHECK(found->host == server);
    CHECK_FALSE(found->shared_inbox);
    CHECK(found->fetched_at == now + 1h);
    CHECK(kit::rows_of(world.db.run("SELECT display_name FROM account WHERE id = $1", {id})) ==
          std::vector<std::string>{"New"});
  });
}

TEST_CASE("A58: a name at a domain belongs to the first id that had it", "[remote_store][A58]") {
  on_each([](remote_world world) {
    const auto id = must(world.store(actor_named("alice")));
    auto second = actor_named("alice");
    second.id = "https://r.example/users/evil";
    CHECK(refusal(world.store(second)) == errc::conflict);
    second.name = "ALICE";
    CHECK(refusal(world.store(second)) == errc::conflict);
    CHECK(must(find_remote_account(world.db, id))->public_key == "PEM of alice");
    // The same name at another domain is somebody else.
    CHECK(world.store(second, {"https", "s.example", 443}));
  });
}

TEST_CASE("A45: an actor with the id of an account of ours is refused", "[remote_store][A45]") {
  on_each([](remote_world world) {
    add_local(world.db, 1, "carol");
    auto actor = actor_named("carol");
    actor.id = own + "/users/carol";
    const auto before = kit::dump(world.db);
    CHECK(refusal(world.store(actor)) == errc::conflict);
    CHECK(kit::dump(world.db) == before);
  });
}

TEST_CASE("A47: an inbox that is no web address is refused", "[remote_store][A47]") {
  on_each([](remote_world world) {
    for (const auto* inbox :
         {"javascript:alert(1)", "", "ftp://r.example/", "https://r.example:22/",
          "https://user@r.example/", "https://r.example/\r\nX: y"}) {
      auto actor = actor_named("alice");
      actor.inbox = inbox;
      CHECK(refusal(world.store(actor)) == errc::invalid);
    }
  });
}

TEST_CASE("A97: an actor whose name is no name is refused", "[remote_store][A97]") {
  on_each([](remote_world world) {
    auto actor = actor_named("alice");
    actor.name = "alice@evil.example";
    CHECK(refusal(world.store(actor)) == errc::invalid);
  });
}

TEST_CASE("A87: pictures and pages that are no web addresses are left out", "[remote_store][A87]") {
  on_each([](remote_world world) {
    auto actor = actor_named("alice");
    actor.avatar_url = "javascript:alert(1)";
    actor.header_url = "data:image/png;base64,AAAA";
    actor.url = "file:///etc/passwd";
    actor.emojis = {{"a\"b", "https://r.example/x.png"}, {"ok", "javascript:x"}, {"", ""}};
    must(world.store(actor));
    CHECK(kit::rows_of(world.db.run("SELECT avatar_url, header_url, url, emojis FROM account")) ==
          std::vector<std::string>{"|||[]"});
  });
}

TEST_CASE("A86: the day an account was made is never in the future", "[remote_store][A86]") {
  on_each([](remote_world world) {
    const auto made = [&](std::optional<time_point> published) {
      auto actor = actor_named("a" + std::to_string(world.last_id));
      actor.published = published;
      const auto id = must(world.store(actor));
      const auto found = must(world.db.run("SELECT created_at FROM account WHERE id = $1", {id}));
      return found.rows[0][0].time();
    };
    CHECK(made(now + 24h) == now);
    CHECK(made(std::nullopt) == now);
    CHECK(made(now - 24h) == now - 24h);
    CHECK(made(time_point{-1s}) > time_point{});
  });
}

TEST_CASE("an account has moved when both sides say so", "[remote_store][A54]") {
  on_each([](remote_world world) {
    auto target = actor_named("bob");
    const auto bob = must(world.store(target));
    auto actor = actor_named("alice");
    actor.moved_to = target.id;
    const auto alice = must(world.store(actor));
    CHECK_FALSE(must(find_remote_account(world.db, alice))->moved_to);
    target.aliases = {"https://elsewhere.example/a", actor.id};
    must(world.store(target));
    CHECK(must(find_remote_account(world.db, bob))->aliases == target.aliases);
    must(world.store(actor));
    CHECK(must(find_remote_account(world.db, alice))->moved_to == bob);
    actor.moved_to = actor.id;
    must(world.store(actor));
    CHECK_FALSE(must(find_remote_account(world.db, alice))->moved_to);
  });
}

TEST_CASE("an inbox that moves on its host keeps its id, and its followers", "[remote_store]") {
  on_each([](remote_world world) {
    add_local(world.db, 1, "carol");
    auto actor = actor_named("alice");
    const auto alice = must(world.store(actor));
    const auto old = *must(find_remote_account(world.db, alice));
    must(store_follow(world.db, {alice, account_id{1}}, {}, true, "https://r.example/f", now));
    actor.shared_inbox = "https://r.example/shared";
    actor.inbox = "https://r.example/users/alice/in";
    must(world.store(actor));
    must(world.store(actor)); // again: nothing is counted twice
    const auto fresh = *must(find_remote_account(world.db, alice));
    CHECK(fresh.shared_inbox == old.shared_inbox);
    CHECK(fresh.inbox == old.inbox);
    CHECK(kit::rows_of(world.db.run("SELECT url, replaced_by FROM endpoint ORDER BY url")) ==
          std::vector<std::string>{"https://r.example/shared|null",
                                   "https://r.example/users/alice/in|null"});
    CHECK(kit::rows_of(world.db.run("SELECT endpoint_id, n FROM follower_endpoint")) ==
          std::vector{to_string(old.shared_inbox) + "|1"});
  });
}

TEST_CASE("an inbox that others still use is not moved by one of them, unless it is gone",
          "[remote_store]") {
  on_each([](remote_world world) {
    add_local(world.db, 1, "carol");
    auto actor = actor_named("alice");
    const auto alice = must(world.store(actor));
    const auto bob = must(world.store(actor_named("bob")));
    must(store_follow(world.db, {alice, account_id{1}}, {}, true, "https://r.example/f", now));
    const auto old = must(find_remote_account(world.db, alice))->shared_inbox;
    actor.shared_inbox = "https://r.example/users/alice/steal";
    must(world.store(actor));
    const auto own = must(find_remote_account(world.db, alice))->shared_inbox;
    CHECK(own != old);
    CHECK(must(find_remote_account(world.db, bob))->shared_inbox == old);
    CHECK(
        kit::rows_of(world.db.run("SELECT url, replaced_by FROM endpoint WHERE id = $1", {old})) ==
        std::vector<std::string>{"https://r.example/inbox|null"});
    CHECK(kit::rows_of(world.db.run("SELECT n FROM follower_endpoint WHERE endpoint_id = $1",
                                    {own})) == std::vector<std::string>{"1"});
    CHECK(kit::rows_of(world.db.run("SELECT n FROM follower_endpoint WHERE endpoint_id = $1",
                                    {old})) == std::vector<std::string>{"0"});

    must(world.store(actor_named("alice")));
    must(note_inbox_gone(world.db, old, now - 2h)); // long ago
    actor.shared_inbox = "https://r.example/new";
    must(world.store(actor));
    CHECK(must(find_remote_account(world.db, alice))->shared_inbox != old);
    must(world.store(actor_named("alice")));
    must(note_inbox_gone(world.db, old, now));
    actor.shared_inbox = "https://r.example/newer";
    must(world.store(actor));
    CHECK(must(find_remote_account(world.db, alice))->shared_inbox == old);
    CHECK(kit::rows_of(world.db.run("SELECT url FROM endpoint WHERE id = $1", {old})) ==
          std::vector<std::string>{"https://r.example/newer"});
  });
}

TEST_CASE("an inbox that moves to another host is replaced, from a while on", "[remote_store]") {
  on_each([](remote_world world) {
    auto actor = actor_named("alice");
    const auto alice = must(world.store(actor));
    const auto first = must(find_remote_account(world.db, alice))->inbox;
    const auto move_to = [&](const std::string& url) {
      actor.inbox = url;
      must(world.store(actor));
      return must(find_remote_account(world.db, alice))->inbox;
    };
    const auto second = move_to("https://second.example/inbox");
    CHECK(second != first);
    const auto known = must(find_endpoints(world.db, std::vector{first}));
    REQUIRE(known.size() == 2); // with the one that replaces it
    const auto& old = known[known[0].endpoint->id == first ? 0 : 1];
    CHECK(old.taker_of(now) == first);
    CHECK(old.taker_of(now + replacement_delay) == second);
    CHECK(old.endpoint->url == "https://r.example/users/alice/inbox");
    const auto third = move_to("https://third.example/inbox");
    const auto takers = [&] {
      return kit::rows_of(world.db.run("SELECT id, replaced_by FROM endpoint"
                                       " WHERE replaced_by IS NOT NULL ORDER BY id"));
    };
    CHECK(takers() == std::vector{to_string(first) + "|" + to_string(third),
                                  to_string(second) + "|" + to_string(third)});
    CHECK(move_to("https://r.example/users/alice/inbox") == first); // back
    CHECK(takers() == std::vector{to_string(second) + "|" + to_string(first),
                                  to_string(third) + "|" + to_string(first)});
  });
}

TEST_CASE("an inbox leads to its owner, a shared one to whoever was not fetched for longest",
          "[remote_store]") {
  on_each([](remote_world world) {
    const auto bob = must(world.store(actor_named("bob"), server, now));
    must(world.store(actor_named("carol"), server, now - 1h));
    const auto row = must(find_remote_account(world.db, bob));
    REQUIRE(row);
    CHECK(must(find_owner_of_inbox(world.db, row->inbox)) == "https://r.example/users/bob");
    CHECK(must(find_owner_of_inbox(world.db, row->shared_inbox)) ==
          "https://r.example/users/carol");
    CHECK(must(find_owner_of_inbox(world.db, endpoint_id{999})).empty());
  });
}

TEST_CASE("A48: an actor that answers 410 for a day is gone for ever", "[remote_store][A48]") {
  on_each([](remote_world world) {
    add_local(world.db, 1, "carol");
    const auto actor = actor_named("alice");
    const auto alice = must(world.store(actor));
    must(store_follow(world.db, {alice, account_id{1}}, {}, true, "f", now));
    must(store_follow(world.db, {account_id{1}, alice}, {}, true, "g", now));

    CHECK_FALSE(must(note_actor_gone(world.db, actor.id, now)));
    CHECK_FALSE(must(note_actor_gone(world.db, actor.id, now + 23h)));
    must(world.store(actor)); // it is back: the first time is forgotten
    CHECK_FALSE(must(note_actor_gone(world.db, actor.id, now + 25h)));
    CHECK(must(find_remote_account(world.db, actor.id)));
    CHECK(must(note_actor_gone(world.db, actor.id, now + 49h)));

    CHECK_FALSE(must(find_remote_account(world.db, actor.id)));
    CHECK(kit::rows_of(world.db.run("SELECT count(*) FROM follow")) ==
          std::vector<std::string>{"0"});
    CHECK(kit::rows_of(world.db.run("SELECT n FROM follower_endpoint")) ==
          std::vector<std::string>{"0"});
    CHECK(refusal(world.store(actor)) == errc::gone);
    CHECK_FALSE(must(note_actor_gone(world.db, actor.id, now + 99h)));
    // Another id may have the name: its server was set up anew.
    auto anew = actor;
    anew.id = "https://r.example/ap/users/7";
    CHECK(world.store(anew));
  });
}

TEST_CASE("an actor whose deletion came first is refused", "[remote_store]") {
  on_each([](remote_world world) {
    must(add_tombstone(world.db, actor_named("alice").id));
    CHECK(refusal(world.store(actor_named("alice"))) == errc::gone);
  });
}

TEST_CASE("a blocked domain covers what is below it and nothing beside it", "[remote_store]") {
  on_each([](remote_world world) {
    REQUIRE(world.db.run("INSERT INTO domain_block(account_id, host, at, severity) VALUES"
                         " (0, 'bad.example', 0, 2), (7, 'mine.example', 0, 2),"
                         " (0, 'loud.example', 0, 1)"));
    CHECK_FALSE(must(is_host_blocked(world.db, "loud.example")));
    CHECK(must(is_host_blocked(world.db, "bad.example")));
    CHECK(must(is_host_blocked(world.db, "a.b.bad.example")));
    CHECK_FALSE(must(is_host_blocked(world.db, "notbad.example")));
    CHECK_FALSE(must(is_host_blocked(world.db, "example")));
    CHECK_FALSE(must(is_host_blocked(world.db, "mine.example")));
    CHECK_FALSE(must(is_host_blocked(world.db, "")));
  });
}

TEST_CASE("a post is found by its id, ours by its place below its author", "[remote_store]") {
  on_each([](remote_world world) {
    auto& db = world.db;
    add_local(db, 1, "carol");
    const auto author = must(world.store(actor_named("alice")));
    REQUIRE(db.run("INSERT INTO post(id, author, uri, visibility, created_at)"
                   " VALUES (20, $1, 'https://r.example/n/1', 1, 0)",
                   {author}));
    REQUIRE(db.run("INSERT INTO post(id, author, visibility, boost_of, created_at)"
                   " VALUES (21, 1, 1, NULL, 0), (22, 1, 1, 20, 0)"));
    const auto found = [&](const std::string& uri) {
      return must(find_post_by_uri(db, uri, own)).value_or(post_id{});
    };
    CHECK(found("https://r.example/n/1") == post_id{20});
    CHECK(found(own + "/users/carol/statuses/21") == post_id{21});
    CHECK(found(own + "/users/carol/statuses/22/activity") == post_id{22});
    CHECK_FALSE(found(own + "/users/carol/statuses/22"));
    CHECK_FALSE(found(own + "/users/carol/statuses/21/activity"));
    CHECK_FALSE(found(own + "/users/carol/statuses/20"));
    CHECK_FALSE(found(own + "/users/dave/statuses/21"));
    CHECK_FALSE(found(own + "/users/carol/statuses/021"));
    CHECK_FALSE(found(own + "/users/carol"));
    CHECK_FALSE(found("https://here.example.evil.example/users/carol/statuses/21"));
  });
}

TEST_CASE("storing an actor that fails anywhere leaves nothing", "[remote_store][failing]") {
  const auto fresh = kit::fresh_sqlite();
  auto last_id = std::int64_t{100};
  const auto calls = kit::walk_every_n(fresh->db(), [&](database& db) -> caf::error {
    auto stored = store_remote_account(
        db, actor_named("alice"), server, [&] { return caf::expected<std::int64_t>{++last_id}; },
        now);
    return stored ? caf::error{} : stored.error();
  });
  CHECK(calls > 5);
}
