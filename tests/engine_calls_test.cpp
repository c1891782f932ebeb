// What programs do as clients do: typed calls of a whole engine.

#include "protocol/json.hpp"
#include "tests/kit/running_engine.hpp"
#include "trunkline/testing.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

using namespace trunkline;
using kit::must;

namespace {

struct called_engine {
  engine node;
  std::string alice;
  std::string bob;

  called_engine() : called_engine{kit::parts_in_memory()} {}

  explicit called_engine(engine::builder parts)
      : node{kit::start_engine(std::move(parts))}, alice{make("alice")}, bob{make("bob")} {}

  std::string make(const std::string& name) { return must(node.create_account({.name = name})).id; }

  std::string say(const std::string& account, const std::string& text) {
    return must(node.post(account, {.text = text})).id;
  }

  std::vector<std::string> home_of(const std::string& account, const page& part = {}) {
    auto ids = std::vector<std::string>{};
    for (const auto& post : must(node.home(account, part)))
      ids.push_back(post.id);
    return ids;
  }
};

struct limited_engine : called_engine {
  limited_engine() : called_engine{kit::parts_in_memory(values())} {}

  static options values() {
    auto made = must(options::for_domain("a.example"));
    must(made.set("rate_limit.requests", "10"));
    return made;
  }
};

class word_filter final : public content_filter {
public:
  verdict check(const activity_origin&, filtered_activity& activity) override {
    if (activity.content.find("forbidden") == std::string::npos)
      return verdict::accept();
    return verdict::reject("that word is not said here");
  }
};

struct filtered_engine : called_engine {
  filtered_engine() : called_engine{parts()} {}

  static engine::builder parts() {
    auto made = kit::parts_in_memory();
    made.filter(std::make_shared<word_filter>(), {.name = "words"});
    return made;
  }
};

/// In test mode there is the one grant that needs no browser.
struct login_engine : called_engine {
  std::string app;
  std::string secret;

  login_engine() : called_engine{kit::parts_in_memory(values())} {
    const auto made = ask("/api/v1/apps", {{"client_name", "a program"},
                                           {"redirect_uris", "urn:ietf:wg:oauth:2.0:oob"},
                                           {"scopes", "read"}});
    REQUIRE(made.status == 200);
    const auto parsed = parse_json(made.body);
    REQUIRE(parsed);
    app = *parsed->find("client_id")->as_string();
    secret = *parsed->find("client_secret")->as_string();
  }

  static options values() {
    auto made = must(options::for_domain("a.example"));
    must(made.set("test.enabled", "true"));
    return made;
  }

  web_response ask(const std::string& target, const json_object& body) {
    return node.handle({.method = "POST",
                        .target = target,
                        .headers = {{"Content-Type", "application/json"}},
                        .body = to_json(body)});
  }

  int log_in(const std::string& name, const std::string& password) {
    return ask("/oauth/token", {{"grant_type", "password"},
                                {"client_id", app},
                                {"client_secret", secret},
                                {"scope", "read"},
                                {"username", name},
                                {"password", password}})
        .status;
  }
};

template <class T>
failure failure_of(const result<T>& answer) {
  REQUIRE_FALSE(answer);
  return answer.error();
}

} // namespace

TEST_CASE_METHOD(called_engine, "accounts are made once, and refused by name", "[calls]") {
  const auto card = must(node.find_account("alice"));
  CHECK(card.id == alice);
  CHECK(card.account == "alice");
  CHECK(card.uri == "https://a.example/users/alice");
  CHECK(card.url == "https://a.example/@alice");

  const auto taken = failure_of(node.create_account({.name = "ALICE"}));
  CHECK(taken.kind == failure_kind::conflict);
  CHECK(taken.where == "create_account");
  CHECK(taken.what.find("taken") != std::string::npos);

  for (const auto& wrong :
       {v0::new_account{.name = ""}, v0::new_account{.name = "a b"},
        v0::new_account{.name = "inbox"}, v0::new_account{.name = std::string(31, 'a')},
        v0::new_account{.name = "carol", .role = "moderator"},
        v0::new_account{.name = "carol", .password = std::string(257, 'x')}}) {
    CAPTURE(wrong.name, wrong.role);
    CHECK(failure_of(node.create_account(wrong)).kind == failure_kind::invalid);
  }
  CHECK(failure_of(node.find_account("carol")).kind == failure_kind::not_found);
  CHECK(
      must(node.create_account({.name = "root", .password = "secret", .role = "admin"})).account ==
      "root");
}

TEST_CASE_METHOD(called_engine, "accounts are found by their addresses alone", "[calls]") {
  for (const auto* address : {"alice", "@alice", "Alice", "alice@a.example", "@alice@A.example"}) {
    CAPTURE(address);
    CHECK(must(node.find_account(address)).id == alice);
  }
  for (const auto* address :
       {"", "@", "a b", "alice@", "@@alice", "alice@b..example", "al/ice", "alice@b.example?x=1"}) {
    CAPTURE(address);
    const auto refused = failure_of(node.find_account(address));
    CHECK(refused.kind == failure_kind::invalid);
    CHECK(refused.where == "find_account: address");
    CHECK_FALSE(refused.advice.empty());
  }
  CHECK(failure_of(node.find_account("nobody")).kind == failure_kind::not_found);
  CHECK(failure_of(node.find_account("nobody@a.example")).kind == failure_kind::not_found);
}

TEST_CASE_METHOD(called_engine, "people follow, post, edit, boost, favourite and delete",
                 "[calls]") {
  CHECK(must(node.following(bob, "alice")) == follow_state::none);
  CHECK(must(node.follow(bob, "alice@a.example")) == follow_state::following);
  CHECK(must(node.following(bob, "alice")) == follow_state::following);

  const auto first = must(node.post(alice, {.text = "Hello @bob & all",
                                            .spoiler = "greeting",
                                            .sensitive = true,
                                            .visibility = post_visibility::unlisted,
                                            .language = "en"}));
  CHECK(first.author.account == "alice");
  CHECK(first.content.find("Hello") != std::string::npos);
  CHECK(first.content.find("&amp; all") != std::string::npos);
  CHECK(first.spoiler == "greeting");
  CHECK(first.sensitive);
  CHECK(first.visibility == post_visibility::unlisted);
  CHECK(first.language == "en");
  CHECK(first.mentions == std::vector<std::string>{"bob"});
  CHECK(first.boost_of_id.empty());
  CHECK_FALSE(first.edited);
  const auto age = std::chrono::system_clock::now() - first.created_at;
  CHECK(std::chrono::abs(age) < kit::engine_patience);
  CHECK(home_of(bob) == std::vector<std::string>{first.id});

  const auto edited = must(node.edit(alice, first.id, {.text = "Good bye"}));
  CHECK(edited.id == first.id);
  CHECK(edited.edited);
  CHECK(edited.content.find("Good bye") != std::string::npos);
  CHECK(edited.spoiler.empty());
  CHECK(edited.visibility == post_visibility::unlisted);

  const auto reply = must(node.post(bob, {.text = "Bye", .reply_to_id = first.id}));
  CHECK(reply.reply_to_id == first.id);
  CHECK(must(node.favourite(bob, first.id)).id == first.id);
  const auto boosted = must(node.boost(bob, first.id));
  CHECK(boosted.boost_of_id == first.id);
  CHECK(boosted.author.account == "bob");
  CHECK(boosted.content == edited.content);
  CHECK(must(node.posts_of(alice, bob)).size() == 2);

  CHECK(failure_of(node.delete_post(bob, first.id)).kind == failure_kind::not_found);
  CHECK(must(node.delete_post(alice, first.id)));
  CHECK(failure_of(node.read_post(bob, first.id)).kind == failure_kind::not_found);
  CHECK(must(node.unfollow(bob, "alice")) == follow_state::none);
  CHECK(must(node.following(bob, "alice")) == follow_state::none);
}

TEST_CASE_METHOD(called_engine, "a timeline is read in pages, newest first", "[calls]") {
  auto ids = std::vector<std::string>{};
  for (auto i = 0; i < 5; ++i)
    ids.insert(ids.begin(), say(alice, "post " + std::to_string(i)));
  using texts = std::vector<std::string>;
  CHECK(home_of(alice) == ids);
  CHECK(home_of(alice, {.limit = 2}) == texts{ids[0], ids[1]});
  CHECK(home_of(alice, {.max_id = ids[1], .limit = 2}) == texts{ids[2], ids[3]});
  CHECK(home_of(alice, {.since_id = ids[4], .limit = 2}) == texts{ids[0], ids[1]});
  CHECK(home_of(alice, {.min_id = ids[4], .limit = 2}) == texts{ids[2], ids[3]});
  CHECK(must(node.posts_of(bob, alice, {.max_id = ids[0], .limit = 1})).front().id == ids[1]);
  for (const auto& part :
       {page{.limit = 0}, page{.limit = 41}, page{.limit = -1}, page{.max_id = "x"},
        page{.since_id = "-1"}, page{.min_id = "1&limit=40"}}) {
    CHECK(failure_of(node.home(alice, part)).kind == failure_kind::invalid);
    CHECK(failure_of(node.posts_of(alice, alice, part)).kind == failure_kind::invalid);
  }
}

TEST_CASE_METHOD(called_engine, "a wrong argument is named, and changes nothing", "[calls]") {
  const auto post = say(alice, "the one");
  const auto expect = [](const failure& refused, const std::string& where) {
    CHECK(refused.kind == failure_kind::invalid);
    CHECK(refused.where == where);
    CHECK(refused.message.starts_with(where + ": "));
  };
  const auto key = std::string(256, 'k');
  expect(failure_of(node.post("x", {.text = "a"})), "post: account");
  expect(failure_of(node.post("", {.text = "a"})), "post: account");
  expect(failure_of(node.post("01", {.text = "a"})), "post: account");
  expect(failure_of(node.post(alice, {.text = ""})), "post: text");
  expect(failure_of(node.post(alice, {.text = " \n"})), "post: text");
  expect(failure_of(node.post(alice, {.text = "a", .reply_to_id = "b"})), "post: reply_to_id");
  expect(failure_of(node.post(alice, {.text = "a", .idempotency_key = key})),
         "post: idempotency_key");
  expect(failure_of(node.post(alice, {.text = "a", .idempotency_key = "a\r\nX: b"})),
         "post: idempotency_key");
  expect(failure_of(node.post(alice, {.text = "a", .visibility = static_cast<post_visibility>(9)})),
         "post: visibility");
  expect(failure_of(node.post(alice, {.text = std::string(501, 'a')})), "post");
  expect(failure_of(node.edit(alice, "y", {.text = "a"})), "edit: post");
  expect(failure_of(node.edit(alice, post, {.text = ""})), "edit: text");
  expect(failure_of(node.delete_post(alice, post + "/../1")), "delete_post: post");
  expect(failure_of(node.boost("1x", post)), "boost: account");
  expect(failure_of(node.read_post(alice, "")), "read_post: post");
  expect(failure_of(node.follow(alice, "no one")), "follow: address");
  expect(failure_of(node.posts_of(alice, "bob")), "posts_of: author");
  expect(failure_of(node.create_token(alice, "everything")), "create_token: scopes");
  expect(failure_of(node.create_token(alice, "")), "create_token: scopes");
  expect(failure_of(node.subscribe("1.5", [](const post_card&) {})), "subscribe: account");
  expect(failure_of(node.subscribe(alice, nullptr)), "subscribe: call");
  CHECK(home_of(alice) == std::vector<std::string>{post});
  CHECK_FALSE(must(node.read_post(alice, post)).edited);
}

TEST_CASE_METHOD(called_engine, "nobody acts in the name of nobody, or of a disabled account",
                 "[calls]") {
  CHECK(failure_of(node.post("999", {.text = "a"})).kind == failure_kind::not_found);
  CHECK(failure_of(node.home("999")).kind == failure_kind::not_found);
  CHECK(failure_of(node.create_token("999")).kind == failure_kind::not_found);
  CHECK(failure_of(node.follow(alice, "alice")).kind != failure_kind::internal);
  CHECK(failure_of(node.read_post(alice, "999")).kind == failure_kind::not_found);
  CHECK(home_of(alice).empty());
}

TEST_CASE_METHOD(called_engine, "one key gives one post", "[calls]") {
  const auto draft = new_post{.text = "once", .idempotency_key = "k 1"};
  const auto first = must(node.post(alice, draft));
  CHECK(must(node.post(alice, draft)).id == first.id);
  CHECK(must(node.post(bob, draft)).id != first.id);
  CHECK(home_of(alice) == std::vector<std::string>{first.id});
}

TEST_CASE_METHOD(called_engine, "a token is good for what it was made for", "[calls]") {
  const auto token = must(node.create_token(alice, "read:accounts"));
  const auto ask = [&](const std::string& target) {
    return node.handle({.target = target, .headers = {{"Authorization", "Bearer " + token}}});
  };
  const auto who = ask("/api/v1/accounts/verify_credentials");
  CHECK(who.status == 200);
  CHECK(who.body.find("\"id\":\"" + alice + "\"") != std::string::npos);
  CHECK(ask("/api/v1/timelines/home").status == 403);
}

TEST_CASE_METHOD(limited_engine, "calls do not count against the limits of clients", "[calls]") {
  for (auto i = 0; i < 30; ++i)
    CHECK(node.home(alice));
  const auto token = must(node.create_token(alice));
  auto status = 0;
  for (auto i = 0; i < 11; ++i)
    status = node.handle({.target = "/api/v1/timelines/home",
                          .headers = {{"Authorization", "Bearer " + token}}})
                 .status;
  CHECK(status == 429);
  CHECK(node.home(alice));
}

TEST_CASE_METHOD(called_engine, "actors and metrics are asked as the admin API shows them",
                 "[calls]") {
  say(alice, "hello");
  CHECK(home_of(alice).size() == 1);
  const auto account = must(node.ask("account", alice));
  CHECK(account.kind == "account");
  CHECK(account.id == alice);
  CHECK(account.member("writes") == "1");
  CHECK(account.member("last_error").empty());
  CHECK(account.member("kind").empty());
  CHECK_FALSE(account.stale);
  CHECK(must(node.ask("timeline", "home:" + alice)).member("length") == "1");
  using pair = std::pair<std::string, std::string>;
  for (const auto& [kind, id] :
       {pair{"nothing", "1"}, pair{"account", "x"}, pair{"account", ""}, pair{"account", "999"},
        pair{"timeline", alice}, pair{"host", "no..host"}, pair{"host", "b.example"}}) {
    CAPTURE(kind, id);
    CHECK(failure_of(node.ask(kind, id)).kind == failure_kind::not_found);
  }

  const auto all = node.metrics();
  const auto find = [&](const std::string& name) {
    const auto found = std::ranges::find(all, name, &metric_reading::name);
    REQUIRE(found != all.end());
    return *found;
  };
  CHECK(find("trunkline_uptime_seconds").value > 0);
  CHECK_FALSE(find("trunkline_uptime_seconds").rises);
  CHECK(find("trunkline_storage_units_total").value > 0);
  CHECK(find("trunkline_storage_units_total").rises);
  CHECK(find("trunkline_storage_sync_seconds_count").rises);
  CHECK(find("trunkline_build").labels == std::vector<pair>{{"version", std::string{version()}}});
  CHECK(node.metrics_text().find("trunkline_build{version=") != std::string::npos);
}

TEST_CASE_METHOD(login_engine, "people log in with the password they were given, or not at all",
                 "[calls]") {
  must(node.create_account({.name = "carol", .password = "carol's own"}));
  CHECK(log_in("carol", "carol's own") == 200);
  CHECK(log_in("carol", "another") != 200);
  CHECK(log_in("alice", "") != 200); // she has none
  CHECK(log_in("alice", "alice") != 200);
  const auto token = must(node.create_token(alice, "read"));
  CHECK(node.handle({.target = "/api/v1/timelines/home",
                     .headers = {{"Authorization", "Bearer " + token}}})
            .status == 200);
}

TEST_CASE_METHOD(filtered_engine, "what a filter refuses is told with its reason", "[calls]") {
  const auto refused = failure_of(node.post(alice, {.text = "a forbidden word"}));
  CHECK(refused.kind == failure_kind::rejected);
  CHECK(refused.what == "that word is not said here");
  CHECK(refused.advice.find("'words'") != std::string::npos);
  const auto post = say(alice, "another word");
  CHECK(failure_of(node.edit(alice, post, {.text = "forbidden"})).kind == failure_kind::rejected);
  CHECK(home_of(alice) == std::vector<std::string>{post});
}

TEST_CASE("accounts elsewhere are looked up, and followed once their server accepts", "[calls]") {
  auto world = testing::world{};
  auto& other = world.server("b.example");
  other.actor("bob");
  auto node = must(world.start(kit::parts_in_memory()));
  const auto alice = must(node.create_account({.name = "alice"})).id;

  const auto bob = must(node.find_account("@bob@b.example"));
  CHECK(bob.account == "bob@b.example");
  CHECK(bob.uri == other.actor("bob").uri());
  const auto asked = other.requests();
  CHECK(must(node.find_account("bob@B.example")).id == bob.id);
  CHECK(other.requests() == asked); // known by now
  CHECK(must(node.follow(alice, "bob@b.example")) != follow_state::none);
  world.advance(std::chrono::seconds{5});
  CHECK(must(node.following(alice, "bob@b.example")) == follow_state::following);

  CHECK(failure_of(node.find_account("nobody@b.example")).kind == failure_kind::not_found);
  other.behave(testing::mood::vanish);
  const auto away = failure_of(node.follow(alice, "carol@b.example"));
  CHECK(away.kind == failure_kind::not_found);
  CHECK(away.advice.find("away") != std::string::npos);
  CHECK(must(node.find_account("bob@b.example")).id == bob.id);
}
