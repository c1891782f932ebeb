// Posts that come from other servers: whose they are, whom they concern, and how they end.
#include "kit/inbound_world.hpp"
#include "storage/domain_block_store.hpp"
#include "storage/post_store.hpp"
#include "storage/remote_post_store.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto note_id = std::string{"https://far.example/notes/1"};

json_object mention(const std::string& uri) {
  return {{"type", "Mention"}, {"href", uri}};
}

/// A public note of Ann's.
json_object note(const std::string& id = note_id) {
  return {{"id", id},
          {"type", "Note"},
          {"attributedTo", ann_uri},
          {"content", "<p>hi<script>x</script></p>"},
          {"to", json_array{everyone}},
          {"cc", json_array{ann_uri + "/followers"}}};
}

json_object with(json_object document, const char* key, json_value value) {
  document[key] = std::move(value);
  return document;
}

/// Bob follows Ann, so that her posts are wanted here.
void let_bob_follow(inbound_world& here) {
  must(store_follow(*here.storage.open_writer(), {bob, ann}, {}, true, bob_uri + "#follow/1",
                    here.actors.now()));
}

std::string only_post(inbound_world& here) {
  const auto ids = here.all("SELECT id FROM post WHERE uri = '" + note_id + "'");
  REQUIRE(ids.size() == 1);
  return ids[0];
}

std::string uri_of(post_id id) {
  return alice_uri + "/statuses/" + to_string(id);
}

} // namespace

TEST_CASE("a post of somebody who is followed here is stored, safe, with facts for timelines",
          "[inbound][inbound_posts]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    here.hear(ann_uri, saying("Create", note()));
    CHECK(here.all("SELECT author, html, visibility FROM post") == lines{"20|<p>hi</p>|1"});
    REQUIRE(here.logged.size() == 1);
    const auto& row = here.logged[0];
    CHECK(row.kind == log_kind::create);
    CHECK(row.author == ann);
    CHECK(row.is_public);
    REQUIRE(row.facts);
    CHECK(to_string(row.facts->id) == only_post(here));
    CHECK(row.facts->author == ann);
    CHECK(row.facts->seen_by == visibility::everyone);
    CHECK_FALSE(row.signer);
    here.ignores("again", ann_uri, saying("Create", note()));
    here.ignores("as other text", ann_uri, saying("Create", with(note(), "content", "<p>no</p>")));
  });
}

TEST_CASE("a post is kept when it concerns somebody here, and then alone",
          "[inbound][inbound_posts]") {
  struct wanted_note {
    std::string what;
    bool is_followed;
    json_object document;
    bool is_kept;
  };
  const auto named = json_array{mention(alice_uri)};
  const auto followers = json_array{ann_uri + "/followers"};
  const auto direct = [&](const std::string& to) {
    return with(with(note(), "to", json_array{to}), "cc", json_array{});
  };
  const auto rows = std::vector<wanted_note>{
      {"nobody follows", false, note(), false},
      {"names one of ours", false, with(note(), "tag", named), true},
      {"is addressed to one of ours", false, with(note(), "cc", json_array{alice_uri}), true},
      {"names nobody who is", false,
       with(note(), "tag", json_array{mention("https://example.org/users/nobody")}), false},
      {"for followers, none here", false, with(with(note(), "to", followers), "cc", followers),
       false},
      {"for followers, one here", true, with(with(note(), "to", followers), "cc", followers), true},
      {"direct to nobody here", true, direct(ben_uri), false},
      {"direct to one of ours", false, direct(alice_uri), true},
      {"unlisted", true, with(with(note(), "to", followers), "cc", json_array{everyone}), true},
      {"answers what nobody knows", false, with(note(), "inReplyTo", "https://far.example/posts/9"),
       false},
      {"answers a stranger", false, with(note(), "inReplyTo", "https://far.example/posts/100"),
       false},
      {"answers somebody who is followed", false,
       with(note(), "inReplyTo", "https://lone.example/posts/101"), true},
  };
  for (const auto& row : rows)
    with_inbound([&](inbound_world& here) {
      INFO(row.what);
      if (row.is_followed)
        let_bob_follow(here);
      add_remote_post(*here.storage.open_writer(), post_id{100}, ben);
      here.run("INSERT INTO post(id, author, uri, visibility, created_at)"
               " VALUES (101, 22, 'https://lone.example/posts/101', 1, 1)");
      must(store_follow(*here.storage.open_writer(), {bob, lone}, {}, true, "f", {}));
      if (!row.is_kept)
        return here.ignores(row.what, ann_uri, saying("Create", row.document));
      here.hear(ann_uri, saying("Create", row.document));
      CHECK(here.count("post WHERE author = 20") == 1);
      here.ignores("again", ann_uri, saying("Create", row.document));
    });
}

TEST_CASE("those who are named are told once, unless they block the author",
          "[inbound][inbound_posts][I16][A24]") {
  with_inbound([](inbound_world& here) {
    const auto both = json_array{mention(alice_uri), mention(bob_uri), mention(lone_uri)};
    here.hear(ann_uri, saying("Block", carol_uri));
    here.hear(ann_uri,
              saying("Create", with(note(note_id + "0"), "tag", json_array{mention(carol_uri)})));
    CHECK(here.told().empty());
    must(here.tell(block_account{bob, ann, {}}));
    here.hear(ann_uri, saying("Create", with(note(), "tag", both)));
    CHECK(here.told() == lines{"7|1|20|" + only_post(here)});
    REQUIRE(here.logged.size() == 1);
    CHECK(here.logged[0].facts->mentions == std::vector<account_id>{alice, bob, lone});
    must(here.tell(block_account{alice, ann, {}}));
    here.ignores("to those who block", ann_uri,
                 saying("Create", with(note(note_id + "2"), "tag", both)));
    must(store_domain_block(*here.storage.open_writer(), {.owner = carol, .host = "far.example"}));
    here.ignores(
        "to those who block the domain", ann_uri,
        saying("Create", with(note(note_id + "3"), "tag", json_array{mention(carol_uri)})));
  });
}

TEST_CASE("a direct post reaches the persons it is addressed to, and nobody else",
          "[inbound][inbound_posts][I7]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    here.hear(ann_uri,
              saying("Create", with(with(note(), "to", json_array{alice_uri}), "cc", nullptr)));
    const auto id = post_id{std::stoll(only_post(here))};
    CHECK(here.told() == lines{"7|1|20|" + to_string(id)});
    const auto row = *must(find_post(here.db(), id));
    CHECK(row.seen_by == visibility::direct);
    CHECK(must(may_see(here.db(), alice, row)));
    CHECK_FALSE(must(may_see(here.db(), bob, row)));
    CHECK(here.logged[0].cls == delivery_class::direct);
    CHECK_FALSE(here.logged[0].is_public);
  });
}

TEST_CASE("a note without recipients has those of its Create", "[inbound][inbound_posts]") {
  with_inbound([](inbound_world& here) {
    auto create = saying("Create", with(with(note(), "to", nullptr), "cc", nullptr));
    create["to"] = json_array{alice_uri};
    here.hear(ann_uri, create);
    CHECK(here.all("SELECT visibility FROM post") == lines{"4"});
  });
}

TEST_CASE("a post is its author's word alone",
          "[inbound][inbound_posts][A37][A38][A39][A45][A55]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    must(store_follow(*here.storage.open_writer(), {bob, ben}, {}, true, "f", {}));
    const auto own = here.posted(alice, {.text = "ours"});
    here.ignores("A37 id elsewhere", ann_uri,
                 saying("Create", note("https://lone.example/notes/1")));
    here.ignores("A38 another author", ann_uri,
                 saying("Create", with(note(), "attributedTo", ben_uri)));
    const auto authors = std::vector<json_value>{json_array{ann_uri, lone_uri},
                                                 json_array{lone_uri, ann_uri},
                                                 nullptr,
                                                 7,
                                                 json_array(100'000, json_value{ann_uri}),
                                                 json_object{{"id", lone_uri}}};
    for (const auto& author : authors)
      here.ignores("A39 authors", ann_uri, saying("Create", with(note(), "attributedTo", author)));
    here.ignores("A45 an id of ours", ann_uri, saying("Create", note(uri_of(own))));
    here.ignores("no object", ann_uri, saying("Create", note_id));
    here.ignores("no post", ann_uri, saying("Create", with(note(), "type", "Collection")));
    here.hear(ann_uri, saying("Create", note()));
    here.ignores("A55 taken", ben_uri, saying("Create", with(note(), "attributedTo", ben_uri)));
  });
}

TEST_CASE("a post that was only fetched before arrives with its Create",
          "[inbound][inbound_posts][F27]") {
  for (const auto is_inlined : {true, false})
    with_inbound([&](inbound_world& here) {
      const auto document = with(note(), "tag", json_array{mention(alice_uri)});
      const auto object = is_inlined ? json_value{document} : json_value{note_id};
      auto fetched = must(read_note(json_value{document}));
      fetched.published = here.actors.now() - 10min;
      const auto author = *must(find_remote_account(*here.storage.open_writer(), ann));
      must(store_remote_note(*here.storage.open_writer(), fetched, author, note_arrival::fetched,
                             {.own_origin = "https://example.org",
                              .ids = [&] { return here.ids->next(); },
                              .slot = 1,
                              .now = here.actors.now()}));
      here.ignores("of another", ben_uri, saying("Create", note_id));
      here.hear(ann_uri, saying("Create", object));
      CHECK(here.told() == lines{"7|1|20|" + only_post(here)});
      CHECK(here.count("log") == 1);
      here.ignores("again", ann_uri, saying("Create", object));
    });
}

TEST_CASE("an edit replaces the text, tells whom it names, and is its author's alone",
          "[inbound][inbound_posts][A46]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    const auto hour_ago = to_iso8601(here.actors.now() - 1h);
    auto first = with(note(), "published", hour_ago);
    here.hear(ann_uri, saying("Create", with(first, "tag", json_array{mention(carol_uri)})));
    const auto id = only_post(here);
    must(here.ask<post_id>(boost_post{bob, post_id{std::stoll(id)}, visibility::everyone, {}}));
    auto second = with(first, "content", "<p>new</p>");
    second["updated"] = to_iso8601(here.actors.now() - 1min);
    second["tag"] = json_array{mention(alice_uri)};
    here.ignores("another of the host", ben_uri, saying("Update", second));
    here.ignores("another host", lone_uri, saying("Update", second));
    here.ignores("another's name", ben_uri,
                 saying("Update", with(second, "attributedTo", ben_uri)));
    here.ignores("nothing newer", ann_uri, saying("Update", with(second, "updated", hour_ago)));
    here.hear(ann_uri, saying("Update", second));
    CHECK(here.all("SELECT html FROM post WHERE author = 20") == lines{"<p>new</p>"});
    CHECK(here.told() == lines{"7|1|20|" + id, "8|7|20|" + id});
    CHECK(here.log().back() == "2|20|p/0/" + id);
    CHECK(here.logged[0].facts->mentions == std::vector<account_id>{alice});
    here.ignores("again", ann_uri, saying("Update", second));
  });
}

TEST_CASE("an Update that comes before its Create brings the post",
          "[inbound][inbound_posts][F27]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    auto edited = with(note(), "published", to_iso8601(here.actors.now() - 1h));
    edited["updated"] = to_iso8601(here.actors.now() - 1min);
    edited["content"] = "new";
    here.hear(ann_uri, saying("Update", edited));
    CHECK(here.all("SELECT html FROM post WHERE edited_at IS NOT NULL") == lines{"new"});
    CHECK(here.log("kind") == lines{"1"});
    here.ignores("again", ann_uri, saying("Update", edited));
    here.ignores("the Create", ann_uri, saying("Create", note()));
    auto old = with(note(note_id + "2"), "published", to_iso8601(here.actors.now() - 48h));
    old["updated"] = edited["updated"];
    here.ignores("of an old post", ann_uri, saying("Update", old));
    here.ignores("of an actor", ann_uri,
                 saying("Update", json_object{{"type", "Person"}, {"id", ann_uri}}));
  });
}

TEST_CASE("an Update in the shape of a vote is none of a post", "[inbound][inbound_posts][abuse]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    here.hear(ann_uri, saying("Create", with(note(), "published", "2026-01-01T00:00:00Z")));
    auto vote = with(with(note(), "content", nullptr), "name", "yes");
    vote["inReplyTo"] = ann_uri + "/polls/1";
    vote["summary"] = "words that no filter was asked about";
    vote["updated"] = to_iso8601(here.actors.now());
    REQUIRE(is_vote(must(read_note(json_value{vote}))));
    here.ignores("of a known post", ann_uri, saying("Update", vote));
    vote["id"] = note_id + "2";
    here.ignores("before its Create", ann_uri, saying("Update", vote));
  });
}

TEST_CASE("new counts of a poll are taken without a new version", "[inbound][inbound_posts]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    const auto poll = [](int votes) {
      auto document = with(note(), "type", "Question");
      document["oneOf"] = json_array{
          json_object{{"type", "Note"},
                      {"name", "yes"},
                      {"replies", json_object{{"type", "Collection"}, {"totalItems", votes}}}}};
      return document;
    };
    here.hear(ann_uri, saying("Create", poll(0)));
    here.hear(ann_uri, saying("Update", poll(3)));
    CHECK(here.all("SELECT remote_votes FROM poll") == lines{"[3]"});
    CHECK(here.logged.empty());
    CHECK(here.count("post_edit") == 0);
    here.ignores("again", ann_uri, saying("Update", poll(3)));
  });
}

TEST_CASE("a deleted post is gone for ever, by its author alone",
          "[inbound][inbound_posts][A49][I5]") {
  const auto tombstone = json_object{{"id", note_id}, {"type", "Tombstone"}};
  for (const auto& object : {json_value{note_id}, json_value{tombstone}})
    with_inbound([&](inbound_world& here) {
      let_bob_follow(here);
      here.hear(ann_uri, saying("Create", with(note(), "tag", json_array{mention(alice_uri)})));
      const auto id = only_post(here);
      here.ignores("another of the host", ben_uri, saying("Delete", object));
      here.ignores("another host", lone_uri, saying("Delete", object));
      here.hear(ann_uri, saying("Delete", object));
      CHECK(here.count("post") == 0);
      CHECK(here.told().empty());
      CHECK(here.count("tombstone") == 1);
      CHECK(here.log().back() == "3|20|p/0/" + id);
      here.ignores("again", ann_uri, saying("Delete", object));
      here.ignores("a late Create", ann_uri, saying("Create", note()));
      here.ignores("a late Update", ann_uri,
                   saying("Update", with(note(), "updated", to_iso8601(here.actors.now()))));
    });
}

TEST_CASE("a Delete that comes first is remembered for ever", "[inbound][inbound_posts][F27]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    here.hear(ann_uri, saying("Delete", note_id));
    CHECK(here.count("log") == 0);
    here.wait(24h * 300);
    here.ignores("the Create", ann_uri, saying("Create", note()));
    const auto own = here.posted(alice, {.text = "ours"});
    here.ignores("a post of ours", ann_uri, saying("Delete", uri_of(own)));
    here.ignores("an account of ours", ann_uri, saying("Delete", alice_uri));
    here.ignores("another's account", ann_uri, saying("Delete", ben_uri));
    here.ignores("another host's post", ann_uri, saying("Delete", "https://lone.example/1"));
    here.ignores("nothing", ann_uri, saying("Delete", nullptr));
  });
}

TEST_CASE("an account that deletes itself is gone, with its follows",
          "[inbound][inbound_posts][A49]") {
  with_inbound([](inbound_world& here) {
    let_bob_follow(here);
    here.follow_from_afar(ann, alice);
    here.hear(ann_uri, saying("Create", note()));
    here.ignores("another host", lone_uri, saying("Delete", ann_uri));
    here.run("UPDATE account SET suspended_at = 1 WHERE id = 20");
    here.hear(ann_uri, saying("Delete", ann_uri));
    CHECK(here.count("account WHERE deleted_at IS NULL AND id = 20") == 0);
    CHECK(here.count("follow") == 0);
    CHECK(here.log().back() == "19|20|u/0/20");
    here.ignores("again", ann_uri, saying("Delete", ann_uri));
    here.ignores("as if nothing were", ann_uri, saying("Create", note(note_id + "2")));
  });
}
