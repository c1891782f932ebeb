// Favourites, boosts and votes that come from other servers.
#include "kit/inbound_world.hpp"
#include "storage/domain_block_store.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto like_id = std::string{"https://far.example/likes/1"};
const auto boost_id = std::string{"https://far.example/boosts/1"};
const auto far_post = std::string{"https://far.example/posts/100"};

std::string uri_of(post_id id) {
  return alice_uri + "/statuses/" + to_string(id);
}

/// A public boost.
json_object announce(json_value object, const std::string& id = boost_id) {
  auto document = saying("Announce", std::move(object), id);
  document["to"] = json_array{everyone};
  document["cc"] = json_array{ann_uri + "/followers"};
  return document;
}

json_object with(json_object document, const char* key, json_value value) {
  document[key] = std::move(value);
  return document;
}

json_object vote_of(const std::string& author, post_id poll, const std::string& option) {
  return {{"id", author + "/votes/" + option},
          {"type", "Note"},
          {"attributedTo", author},
          {"name", option},
          {"inReplyTo", uri_of(poll)},
          {"to", alice_uri}};
}

} // namespace

TEST_CASE("a favourite from afar is stored and told once, and taken back",
          "[inbound][inbound_interactions][I16]") {
  for (const auto* type : {"Like", "EmojiReact"})
    with_inbound([&](inbound_world& here) {
      const auto id = here.posted(alice, {.text = "hi"});
      here.hear(ann_uri, saying(type, uri_of(id), like_id));
      CHECK(here.all("SELECT account_id, post_id, uri FROM favourite") ==
            lines{"20|" + to_string(id) + "|" + like_id});
      CHECK(here.told() == lines{"7|3|20|" + to_string(id)});
      CHECK(here.log().back() == "6|20|l/20/" + to_string(id));
      CHECK(here.last().extra.empty());
      here.ignores("again", ann_uri, saying(type, uri_of(id)));
      here.ignores("undone by another", ben_uri,
                   saying("Undo", inlined(type, ann_uri, uri_of(id), like_id)));
      here.ignores("undone from elsewhere", lone_uri, saying("Undo", like_id));
      here.hear(ann_uri, saying("Undo", inlined(type, ann_uri, uri_of(id))));
      CHECK(here.count("favourite") == 0);
      CHECK(here.told().empty());
      CHECK(here.log().back() == "7|20|l/20/" + to_string(id));
      here.hear(ann_uri, saying(type, uri_of(id), like_id));
      here.hear(ann_uri, saying("Undo", like_id));
      CHECK(here.count("favourite") == 0);
      CHECK(here.count("early_undo") == 0);
    });
}

TEST_CASE("a favourite of what is not ours, or may not be seen, changes nothing",
          "[inbound][inbound_interactions][A57][A116]") {
  with_inbound([](inbound_world& here) {
    add_remote_post(*here.storage.open_writer(), post_id{100}, ben);
    const auto open = here.posted(alice, {.text = "open"});
    const auto hidden = here.posted(alice, {.text = "hidden", .seen_by = visibility::followers});
    const auto direct = here.posted(alice, {.text = "direct", .seen_by = visibility::direct});
    const auto boost = must(here.ask<post_id>(boost_post{bob, open, visibility::everyone, {}}));
    here.ignores("a post of theirs", ann_uri, saying("Like", far_post));
    here.ignores("no post", ann_uri, saying("Like", uri_of(post_id{1})));
    here.ignores("an account", ann_uri, saying("Like", alice_uri));
    here.ignores("a boost as a post", ann_uri,
                 saying("Like", bob_uri + "/statuses/" + to_string(boost)));
    here.ignores("for followers", ann_uri, saying("Like", uri_of(hidden)));
    here.ignores("direct", ann_uri, saying("Like", uri_of(direct)));
    here.follow_from_afar(ann, alice);
    here.hear(ann_uri, saying("Like", uri_of(hidden)));
    CHECK(here.count("favourite") == 1);
    must(here.tell(block_account{alice, ben, {}}));
    here.ignores("A24 from whom she blocks", ben_uri, saying("Like", uri_of(open)));
    must(store_domain_block(*here.storage.open_writer(), {.owner = alice, .host = "lone.example"}));
    here.ignores("from a domain that she blocks", lone_uri, saying("Like", uri_of(open)));
  });
}

TEST_CASE("what was undone before it came does not happen",
          "[inbound][inbound_interactions][F27]") {
  with_inbound([](inbound_world& here) {
    const auto id = here.posted(alice, {.text = "hi"});
    const auto rows = here.count("log");
    here.hear(ann_uri, saying("Undo", inlined("Like", ann_uri, uri_of(id), like_id)));
    here.hear(ann_uri, saying("Undo", boost_id));
    CHECK(here.count("early_undo") == 2);
    here.hear(ann_uri, saying("Like", uri_of(id), like_id));
    here.hear(ann_uri, announce(uri_of(id)));
    CHECK(here.count("early_undo") == 0);
    CHECK(here.count("favourite") == 0);
    CHECK(here.count("post WHERE boost_of IS NOT NULL") == 0);
    CHECK(here.count("log") == rows);
    here.hear(ann_uri, saying("Like", uri_of(id), like_id + "2"));
    CHECK(here.count("favourite") == 1);
  });
}

TEST_CASE("a boost from afar is a row of timelines, told to the author of ours",
          "[inbound][inbound_interactions][I16]") {
  with_inbound([](inbound_world& here) {
    const auto id = here.posted(alice, {.text = "hi"});
    const auto n = to_string(id);
    here.hear(ann_uri, announce(uri_of(id)));
    CHECK(here.all("SELECT author, uri, visibility, boost_author FROM post"
                   " WHERE boost_of = " +
                   n) == lines{"20|" + boost_id + "|1|7"});
    CHECK(here.told() == lines{"7|2|20|" + n});
    CHECK(here.log().back() == "4|20|a/20/" + n);
    REQUIRE(here.logged.size() == 1);
    CHECK(here.logged[0].is_public);
    REQUIRE(here.logged[0].facts);
    CHECK(here.logged[0].facts->boost_of == id);
    CHECK(here.logged[0].facts->boost_author == alice);
    CHECK(here.logged[0].facts->author == ann);
    here.ignores("again", ann_uri, announce(uri_of(id)));
    here.ignores("under another id", ann_uri, announce(uri_of(id), boost_id + "2"));
  });
}

TEST_CASE("a boost ends with its Undo or its Delete", "[inbound][inbound_interactions][A49]") {
  struct ending {
    std::string what;
    std::function<json_object(const std::string&)> document;
  };
  const auto endings = std::vector<ending>{
      {"by id", [](const auto&) { return saying("Undo", boost_id); }},
      {"inlined",
       [](const auto& uri) { return saying("Undo", inlined("Announce", ann_uri, uri, boost_id)); }},
      {"inlined under another id",
       [](const auto& uri) {
         return saying("Undo", inlined("Announce", ann_uri, uri, boost_id + "2"));
       }},
      {"deleted", [](const auto&) { return saying("Delete", boost_id); }}};
  for (const auto& each : endings)
    with_inbound([&](inbound_world& here) {
      INFO(each.what);
      const auto id = here.posted(alice, {.text = "hi"});
      here.hear(ann_uri, announce(uri_of(id)));
      here.ignores("from elsewhere", lone_uri, each.document(uri_of(id)));
      here.hear(ann_uri, each.document(uri_of(id)));
      CHECK(here.count("post") == 1);
      CHECK(here.told().empty());
      CHECK(here.count("early_undo") == 0);
      CHECK(here.log().back() == "5|20|a/20/" + to_string(id));
      CHECK(here.last().is_public);
      if (each.what == "deleted")
        here.ignores("I5: a late Announce", ann_uri, announce(uri_of(id)));
    });
}

TEST_CASE("what is not for everybody is boosted by its author alone",
          "[inbound][inbound_interactions][A52][I7]") {
  struct boost_row {
    std::string what;
    int seen_by;
    account_id author;
    std::string to;
    lines boosts; ///< Visibility of what is made.
  };
  const auto followers = ann_uri + "/followers";
  const auto rows = std::vector<boost_row>{{"public", 1, ben, everyone, {"1"}},
                                           {"public, to followers", 1, ben, followers, {"3"}},
                                           {"public, to a person", 1, ben, bob_uri, {}},
                                           {"unlisted", 2, ben, everyone, {"1"}},
                                           {"another's for followers", 3, ben, everyone, {}},
                                           {"another's direct", 4, ben, everyone, {}},
                                           {"own for followers", 3, ann, everyone, {"3"}},
                                           {"own direct", 4, ann, everyone, {}},
                                           {"ours for followers", 3, alice, everyone, {}},
                                           {"ours direct", 4, alice, everyone, {}}};
  for (const auto& row : rows)
    with_inbound([&](inbound_world& here) {
      INFO(row.what);
      must(store_follow(*here.storage.open_writer(), {bob, ann}, {}, true, "f", {}));
      here.follow_from_afar(ann, alice);
      auto uri = far_post;
      if (row.author == alice)
        uri = uri_of(
            here.posted(alice, {.text = "ours", .seen_by = static_cast<visibility>(row.seen_by)}));
      else
        add_remote_post(*here.storage.open_writer(), post_id{100}, row.author, row.seen_by);
      const auto document = with(with(announce(uri), "to", json_array{row.to}), "cc", nullptr);
      if (row.boosts.empty())
        return here.ignores(row.what, ann_uri, document);
      here.hear(ann_uri, document);
      CHECK(here.all("SELECT visibility FROM post WHERE boost_of IS NOT NULL") == row.boosts);
    });
}

TEST_CASE("a boost that nobody here cares for, or that nobody may make, changes nothing",
          "[inbound][inbound_interactions]") {
  with_inbound([](inbound_world& here) {
    add_remote_post(*here.storage.open_writer(), post_id{100}, ben);
    const auto id = here.posted(alice, {.text = "hi"});
    here.ignores("nobody follows", ann_uri, announce(far_post));
    here.ignores("an unknown post", ann_uri, announce("https://far.example/posts/9"));
    here.ignores("A52 an inlined post of another", ann_uri,
                 announce(json_object{{"id", "https://far.example/posts/9"},
                                      {"type", "Note"},
                                      {"attributedTo", ben_uri},
                                      {"content", "forged"},
                                      {"to", everyone}}));
    here.ignores("an inlined Like", ann_uri,
                 announce(inlined("Like", ben_uri, uri_of(id), like_id)));
    must(here.tell(block_account{alice, ben, {}}));
    here.ignores("A24 from whom she blocks", ben_uri, announce(uri_of(id)));
    here.hear(ann_uri, announce(uri_of(id), "https://lone.example/boosts/1"));
    CHECK(here.all("SELECT uri FROM post WHERE boost_of IS NOT NULL")[0].starts_with("sha256:"));
  });
}

TEST_CASE("a group that announces a Create announces the post", "[inbound][inbound_interactions]") {
  with_inbound([](inbound_world& here) {
    must(store_follow(*here.storage.open_writer(), {bob, ann}, {}, true, "f", {}));
    add_remote_post(*here.storage.open_writer(), post_id{100}, ben);
    const auto create = [](const std::string& id) {
      return inlined("Create", ben_uri, json_object{{"id", id}, {"type", "Page"}},
                     "https://far.example/create/1");
    };
    here.ignores("an unknown one", ann_uri, announce(create("https://far.example/posts/9")));
    here.hear(ann_uri, announce(create(far_post)));
    CHECK(here.all("SELECT author FROM post WHERE boost_of = 100") == lines{"20"});
  });
}

TEST_CASE("a vote counts once, until the end, from whom may see the poll",
          "[inbound][inbound_interactions][A56]") {
  with_inbound([](inbound_world& here) {
    const auto poll = here.posted(alice, {.text = "?", .poll = poll_draft{{"yes", "no"}, 300s}});
    const auto say = [&](const std::string& who, const std::string& option) {
      return saying("Create", vote_of(who, poll, option));
    };
    here.ignores("an unknown option", ann_uri, say(ann_uri, "perhaps"));
    here.ignores("another's vote", ann_uri, say(ben_uri, "yes"));
    here.ignores("as a public note", ann_uri,
                 saying("Create", with(vote_of(ann_uri, poll, "yes"), "to", everyone)));
    here.hear(ann_uri, say(ann_uri, "no"));
    CHECK(here.all("SELECT account_id, choice FROM poll_vote") == lines{"20|1"});
    CHECK(here.log().back() == "26|20|v/20/" + to_string(poll));
    CHECK(here.count("post") == 1);
    here.ignores("twice", ann_uri, say(ann_uri, "no"));
    here.ignores("a second choice", ann_uri, say(ann_uri, "yes"));
    must(here.tell(block_account{alice, ben, {}}));
    here.ignores("from whom she blocks", ben_uri, say(ben_uri, "yes"));
    here.wait(301s);
    here.ignores("after the end", lone_uri, say(lone_uri, "yes"));
    here.ignores("on no poll", lone_uri,
                 saying("Create", with(vote_of(lone_uri, poll, "yes"), "inReplyTo", far_post)));
  });
}

TEST_CASE("posts are pinned and unpinned on the actor's own collection, a few",
          "[inbound][inbound_interactions][A53]") {
  with_inbound([](inbound_world& here) {
    const auto featured = ann_uri + "/featured";
    here.run("UPDATE account SET featured_url = uri || '/featured' WHERE host_id IS NOT NULL");
    const auto change = [&](const char* type, const std::string& object,
                            const std::string& target) {
      auto document = saying(type, object);
      document["target"] = target;
      return document;
    };
    auto writer = here.storage.open_writer();
    for (auto id = std::int64_t{100}; id < 107; ++id)
      add_remote_post(*writer, post_id{id}, ann);
    add_remote_post(*writer, post_id{200}, ben);
    add_remote_post(*writer, post_id{201}, ann, 4);
    const auto own = here.posted(alice, {.text = "ours"});
    here.ignores("another's collection", ben_uri,
                 change("Add", "https://far.example/posts/200", featured));
    here.ignores("from elsewhere", lone_uri, change("Add", far_post, featured));
    here.ignores("another collection", ann_uri, change("Add", far_post, ann_uri + "/liked"));
    here.ignores("another's post", ann_uri,
                 change("Add", "https://far.example/posts/200", featured));
    here.ignores("a direct post", ann_uri,
                 change("Add", "https://far.example/posts/201", featured));
    here.ignores("ours", ann_uri, change("Add", uri_of(own), featured));
    here.ignores("unknown", ann_uri, change("Add", "https://far.example/posts/9", featured));
    here.ignores("no collection", ann_uri, saying("Add", far_post));
    here.hear(ann_uri, change("Add", far_post, featured));
    CHECK(here.log().back() == "27|20|n/20/100");
    here.ignores("again", ann_uri, change("Add", far_post, featured));
    for (auto id = 101; id < 105; ++id)
      here.hear(ann_uri,
                change("Add", "https://far.example/posts/" + std::to_string(id), featured));
    here.ignores("too many", ann_uri, change("Add", "https://far.example/posts/105", featured));
    CHECK(here.count("pin") == 5);
    here.ignores("removed by another", ben_uri, change("Remove", far_post, featured));
    here.hear(ann_uri, change("Remove", far_post, featured));
    CHECK(here.count("pin") == 4);
    CHECK(here.log().back() == "28|20|n/20/100");
    here.ignores("removed again", ann_uri, change("Remove", far_post, featured));
  });
}
