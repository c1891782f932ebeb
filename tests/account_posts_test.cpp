// What posts of ours say to other servers, and who gets them.
#include "kit/federated_world.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto far_shared = shared_endpoint();
const auto public_uri = std::string{"https://www.w3.org/ns/activitystreams#Public"};
const auto alice_uri = std::string{"https://example.org/users/Alice"};

std::string n(post_id id) {
  return to_string(id);
}

std::string uri_of(post_id id) {
  return alice_uri + "/statuses/" + n(id);
}

} // namespace

TEST_CASE("a post for followers elsewhere is two rows, and says itself", "[account_posts][P3]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ann, alice);
    here.follow_from_afar(ben, alice);
    here.follow_from_afar(lone, alice);
    here.posted(alice, {.text = "warm up"});
    const auto before = here.written();
    const auto id = here.posted(alice, {.text = "hello", .spoiler = "cw", .language = "de"});
    CHECK(here.written() - before == 2 + (here.db().dialect() == "postgres" ? 1 : 0));
    const auto row = here.last();
    CHECK(row.kind == log_kind::create);
    CHECK(row.cls == delivery_class::bulk);
    CHECK(row.is_public);
    CHECK(row.signer == alice.value);
    CHECK(row.audience == sorted({far_shared, own_endpoint(lone)}));
    CHECK(row.extra.empty());
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("type") == "Create");
    CHECK(row.at("actor") == alice_uri);
    CHECK(row.at("to.0") == public_uri);
    CHECK(row.at("cc.0") == alice_uri + "/followers");
    CHECK(row.at("object.id") == uri_of(id));
    CHECK(row.at("object.content") == "<p>hello</p>");
    CHECK(row.at("object.summary") == "cw");
  });
}

TEST_CASE("a post that nobody elsewhere gets is not rendered", "[account_posts]") {
  with_federation([](federated_world& here) {
    here.posted(alice, {.text = "hello @bob"});
    const auto id = here.posted(alice, {.text = "@carol", .seen_by = visibility::direct});
    must(here.ask<post_id>(edit_post{alice, id, {.text = "@bob"}, {}}));
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    for (const auto& row : here.sent()) {
      CHECK(row.body.is_null());
      CHECK(row.signer == 0);
      CHECK(row.extra.empty());
    }
  });
}

TEST_CASE("I7: a direct post goes to the inboxes of those it names, and nowhere else",
          "[account_posts][I7]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ben, alice);
    const auto id = here.posted(
        alice, {.text = "psst @ann@far.example @lone@lone.example", .seen_by = visibility::direct});
    auto row = here.last();
    CHECK(row.cls == delivery_class::direct);
    CHECK_FALSE(row.is_public);
    CHECK(row.audience.empty());
    CHECK(row.extra == sorted({own_endpoint(ann), own_endpoint(lone)}));
    CHECK(row.at("to") == R"(["https://far.example/ann","https://lone.example/lone"])");
    CHECK(row.at("cc") == "[]");

    // Whoever is named no more gets no edit, but the Delete.
    must(here.ask<post_id>(edit_post{alice, id, {.text = "psst @lone@lone.example"}, {}}));
    row = here.last();
    CHECK(row.kind == log_kind::update);
    CHECK(row.cls == delivery_class::direct);
    CHECK(row.audience.empty());
    CHECK(row.extra == endpoints{own_endpoint(lone)});
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    row = here.last();
    CHECK(row.cls == delivery_class::direct);
    CHECK(row.extra == sorted({own_endpoint(ann), own_endpoint(lone)}));
    CHECK(row.at("type") == "Delete");
    CHECK(row.at("object.id") == uri_of(id));
  });
}

TEST_CASE("I7: a reply goes to whom it answers when it is public, else when it names him",
          "[account_posts][I7]") {
  with_federation([](federated_world& here) {
    add_remote_post(*here.storage.open_writer(), post_id{100}, lone);
    const auto reply = [&](std::string text, visibility seen_by) {
      here.posted(alice, {.text = std::move(text), .seen_by = seen_by, .reply_to = post_id{100}});
      return here.last();
    };
    auto row = reply("yes", visibility::everyone);
    CHECK(row.extra == endpoints{own_endpoint(lone)});
    CHECK(row.at("object.inReplyTo") == "https://far.example/posts/100");
    CHECK(reply("yes", visibility::unlisted).extra == endpoints{own_endpoint(lone)});
    CHECK(reply("yes", visibility::followers).extra.empty());
    CHECK(reply("@ann@far.example", visibility::direct).extra == endpoints{own_endpoint(ann)});
    row = reply("@lone@lone.example @ann@far.example", visibility::followers);
    CHECK(row.extra == sorted({own_endpoint(lone), far_shared}));
    CHECK_FALSE(row.is_public);
    CHECK(row.at("to.0") == alice_uri + "/followers");
    CHECK(row.at("cc.0") == "https://far.example/ann");
    CHECK(row.at("object.tag.0.name") == "@ann@far.example");
  });
}

TEST_CASE("I5: a public edit goes to the followers of then and now, and to who did something",
          "[account_posts][I5]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(lone, alice);
    const auto id = here.posted(alice, {.text = "first"});
    CHECK(here.last().audience == endpoints{own_endpoint(lone)});
    must(erase_follow(*here.storage.open_writer(), {lone, alice}));
    here.follow_from_afar(ann, alice);
    must(here.ask<post_id>(edit_post{alice, id, {.text = "second"}, {}}));
    auto row = here.last();
    CHECK(row.kind == log_kind::update);
    CHECK(row.audience == endpoints{far_shared});
    CHECK(row.extra == endpoints{own_endpoint(lone)});
    CHECK(row.ap_id.starts_with(uri_of(id) + "#updates/"));
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.at("object.content") == "<p>second</p>");

    // By the Delete the followers have changed again: it goes to both audiences and the liker.
    must(erase_follow(*here.storage.open_writer(), {ann, alice}));
    add_remote(*here.storage.open_writer(), {account_id{23}, "liker", "liker.example"});
    here.run("INSERT INTO favourite(account_id, post_id, at) VALUES (23, " + n(id) + ", 1)");
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    row = here.last();
    CHECK(row.audience == endpoints{own_endpoint(lone)});
    CHECK(row.extra == sorted({far_shared, shared_endpoint("liker.example")}));
    CHECK(row.at("to.0") == public_uri);
    CHECK(here.count("post_audience") == 0);
  });
}

TEST_CASE("I7: an edit for followers goes to those who had the post", "[account_posts][I7]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(lone, alice);
    const auto id = here.posted(alice, {.text = "first", .seen_by = visibility::followers});
    here.follow_from_afar(ann, alice);
    here.run("INSERT INTO favourite(account_id, post_id, at) VALUES (21, " + n(id) + ", 1)");
    must(here.ask<post_id>(edit_post{alice, id, {.text = "second"}, {}}));
    const auto row = here.last();
    CHECK_FALSE(row.is_public);
    CHECK(row.audience == endpoints{own_endpoint(lone)});
    CHECK(row.extra.empty());
  });
}

TEST_CASE("I5: a Delete also goes where boosts of ours have carried the post",
          "[account_posts][I5]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(lone, bob);
    const auto id = here.posted(alice, {.text = "hi"});
    must(here.ask<post_id>(boost_post{bob, id, visibility::everyone, {}}));
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    CHECK(here.last().extra == endpoints{own_endpoint(lone)});
  });
}

TEST_CASE("what is not one audience is sent to a thousand endpoints at most", "[account_posts]") {
  with_federation([](federated_world& here) {
    auto writer = here.storage.open_writer();
    const auto id = here.posted(alice, {.text = "hi"});
    for (auto far = std::int64_t{3000}; far < 4100; ++far)
      must(writer->run("INSERT INTO account(id, host_id, name, folded, uri, created_at, inbox_id)"
                       " VALUES ($1, 1, $2, $2, $2, 1, $1)",
                       {far, std::to_string(far)}));
    must(writer->run("INSERT INTO favourite(account_id, post_id, at) SELECT id, " + n(id) +
                     ", 1 FROM account WHERE id >= 3000"));
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    CHECK(here.last().extra.size() == 1'000);
  });
}

TEST_CASE("whom a post names is told once, when he may see it", "[account_posts][I16]") {
  with_federation([](federated_world& here) {
    CHECK(code(here.tell(block_account{alice, carol, {}})) == errc{});
    const auto id = here.posted(alice, {.text = "@bob @carol @Alice @bob @ann@far.example"});
    CHECK(here.told() == lines{"8|1|7|" + n(id)});
    here.run("DELETE FROM notification");
    const auto edit = [&](std::string text) {
      must(here.ask<post_id>(edit_post{alice, id, {.text = std::move(text)}, {}}));
    };
    edit("hi @bob"); // he was named before
    CHECK(here.told().empty());
    edit("hi");
    edit("now @bob");
    CHECK(here.told() == lines{"8|1|7|" + n(id)});
    edit("nobody");
    CHECK(here.told().empty());
    edit("again @bob");
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    CHECK(here.told().empty());
  });
}

TEST_CASE("who boosted a post is told of its edit", "[account_posts][I16]") {
  with_federation([](federated_world& here) {
    const auto id = here.posted(alice, {.text = "hi"});
    must(here.ask<post_id>(boost_post{bob, id, visibility::everyone, {}}));
    CHECK(here.told() == lines{"7|2|8|" + n(id)});
    must(here.ask<post_id>(edit_post{alice, id, {.text = "hello"}, {}}));
    must(here.ask<post_id>(edit_post{alice, id, {.text = "good day"}, {}}));
    CHECK(here.told() == lines{"7|2|8|" + n(id), "8|7|7|" + n(id)});
  });
}

TEST_CASE("a post with a poll is a Question; its limits are Mastodon's", "[account_posts]") {
  with_federation([](federated_world& here) {
    here.follow_from_afar(ann, alice);
    const auto asked = [&](poll_draft poll, std::string text = "which?") {
      return here.post(alice, {.text = std::move(text), .poll = std::move(poll)});
    };
    const auto says = [&](poll_draft poll) {
      const auto answer = asked(std::move(poll));
      REQUIRE_FALSE(answer);
      CHECK(code_of(answer.error()) == errc::invalid);
      return context_of(answer.error());
    };
    using options = std::vector<std::string>;
    CHECK(says({.options = {"a"}, .life = 1h}) ==
          "Validation failed: Options must have more than one item");
    CHECK(says({.options = {"a", "b", "c", "d", "e"}, .life = 1h}) ==
          "Validation failed: Options can't contain more than 4 items");
    CHECK(says({.options = {"a", std::string(51, 'b')}, .life = 1h}) ==
          "Validation failed: Options can't be longer than 50 characters each");
    CHECK(says({.options = {"a", "a"}, .life = 1h}) ==
          "Validation failed: Options contain duplicate items");
    CHECK(says({.options = {"a", " "}, .life = 1h}) == "Validation failed: Options can't be blank");
    CHECK(says({.options = {"a", "b"}, .life = 299s}) ==
          "Validation failed: Duration is too short");
    CHECK(says({.options = {"a", "b"}, .life = 24h * 32}) ==
          "Validation failed: Duration is too long");
    CHECK(code(asked({.options = {"a", "b"}, .life = 1h}, "")) == errc::invalid);
    CHECK(here.count("post") == 0);

    const auto id = must(
        asked({.options = options{"yes", std::string(50, 'n')}, .life = 300s, .multiple = true}));
    CHECK(here.all("SELECT multiple, hide_totals FROM poll WHERE post_id = " + n(id)) ==
          lines{"1|0"});
    auto row = here.last();
    CHECK(row.at("object.type") == "Question");
    CHECK(row.at("object.anyOf.0.name") == "yes");
    CHECK_FALSE(row.at("object.endTime").empty());
    // An edit keeps it.
    must(here.ask<post_id>(edit_post{alice, id, {.text = "which one?"}, {}}));
    CHECK(here.last().at("object.anyOf.0.name") == "yes");
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    CHECK(here.count("poll") == 0);
  });
}
