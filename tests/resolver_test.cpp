#include "actors/resolver.hpp"

#include "actors/messages.hpp"
#include "kit/resolver_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE_METHOD(resolver_world, "an account is found by its name", "[resolver]") {
  serve_ann();
  const auto id = must(account("ann@v.example"));
  CHECK(hosts.asked_urls() == std::vector{finger_of("ann", "v.example"), ann});
  CHECK_FALSE(hosts.asked().front().is_signed);
  CHECK(hosts.asked().front().accept == webfinger_accept);
  CHECK(hosts.asked().back().is_signed);
  const auto stored = must(find_remote_account(db(), id));
  REQUIRE(stored);
  CHECK(stored->uri == ann);
  CHECK(stored->name == "ann");
  CHECK(stored->host == host_address{"https", "v.example", 443});
  CHECK(stored->fetched_at == actors.now());

  CHECK(must(account("@ANN@V.example")) == id);
  CHECK(must(account(ann)) == id);
  CHECK(must(account(ann + "#main-key")) == id);
  CHECK(hosts.asked().size() == 2);
}

TEST_CASE_METHOD(resolver_world, "an account is found by its id, whose host is asked for its name",
                 "[resolver]") {
  serve_ann();
  const auto id = must(account(ann));
  CHECK(hosts.asked_urls() == std::vector{ann, finger_of("ann", "v.example")});
  CHECK(must(account("ann@v.example")) == id);
  CHECK(hosts.asked().size() == 2);
}

TEST_CASE_METHOD(resolver_world, "accounts and posts of ours are found without a fetch",
                 "[resolver][A45]") {
  const auto post = post_id{77};
  run("INSERT INTO post(id, author, visibility, created_at) VALUES (77, 7, 1, 1)");
  for (const auto* address : {"alice@example.org", "@ALICE@EXAMPLE.org",
                              "https://example.org/users/Alice", "https://example.org/users/alice",
                              "https://example.org/@alice", "https://EXAMPLE.org:443/@Alice"}) {
    CAPTURE(address);
    CHECK(must(account(address)) == alice);
  }
  for (const auto* url :
       {"https://example.org/users/Alice/statuses/77", "https://example.org/@alice/77",
        "https://example.org/users/alice/statuses/77/activity"}) {
    CAPTURE(url);
    CHECK(must(note(url)) == post);
    CHECK(must(thing(url)).post == post);
  }
  CHECK(must(thing("https://example.org/@alice")).account == alice);
  for (const auto* address :
       {"nobody@example.org", "https://example.org/users/nobody", "https://example.org/",
        "https://example.org/users/alice/statuses/77", "https://example.org/actor"}) {
    CAPTURE(address);
    CHECK(code(account(address)) == errc::not_found);
  }
  for (const auto* url :
       {"https://example.org/@alice", "https://example.org/users/alice/statuses/78",
        "https://example.org/users/alice/statuses/x", "https://example.org/users/alice/77"}) {
    CAPTURE(url);
    CHECK(code(note(url)) == errc::not_found);
  }
  CHECK(hosts.asked().empty());
}

TEST_CASE_METHOD(resolver_world, "what is no address is refused", "[resolver][A17][A59][A70]") {
  for (const auto* address :
       {"", "ann", "ann@v.example/", "ann@v.example/.e", "ann@2130706531", "file:///etc/passwd",
        "http://v.example/users/ann", "https://v.example:6379/", "https://user@v.example/",
        "data:text/plain,a", "https://v.example/a\r\nb"}) {
    CAPTURE(address);
    CHECK(code(account(address)) == errc::invalid);
    CHECK(code(note(address)) == errc::invalid);
    CHECK(code(thing(address)) == errc::invalid);
  }
  CHECK(hosts.asked().empty());
}

TEST_CASE_METHOD(resolver_world, "a post is found with its author", "[resolver]") {
  serve_ann();
  serve_note("1", {.extra = R"("content": "<p>hi<script>alert(1)</script></p>")"});
  const auto id = must(note(note_of("1")));
  const auto row = must(find_post(db(), id));
  REQUIRE(row);
  CHECK(row->uri == note_of("1"));
  CHECK(row->html == "<p>hi</p>");
  CHECK(row->seen_by == visibility::everyone);
  CHECK(must(find_remote_account(db(), row->author))->uri == ann);
  CHECK(time_of(id.value) == published);
  CHECK(log().empty());
  const auto asked = hosts.asked().size();
  CHECK(must(note(note_of("1"))) == id);
  CHECK(must(thing(note_of("1"))).post == id);
  CHECK(hosts.asked().size() == asked);
}

TEST_CASE_METHOD(resolver_world, "a URL leads to an account or a post", "[resolver]") {
  serve_ann();
  serve_note("1");
  hosts.serve("https://v.example/@ann", actor_document("v.example", "ann"));
  CHECK(must(thing("https://v.example/@ann")).account == must(account(ann)));
  const auto found = must(thing(note_of("1")));
  CHECK(found.post == must(note(note_of("1"))));
  CHECK_FALSE(found.account);
  CHECK(must(thing(ann)).account == must(account(ann)));
  CHECK(code(thing("https://v.example/nothing")) == errc::not_found);
  hosts.serve("https://v.example/list", R"({"type": "Collection"})");
  CHECK(code(thing("https://v.example/list")) == errc::not_found);
}

TEST_CASE_METHOD(resolver_world, "who asks for the same thing waits for one fetch", "[resolver]") {
  serve_ann();
  serve_note("1");
  auto people = std::vector<pending_reply<account_id>>{};
  auto posts = std::vector<pending_reply<post_id>>{};
  auto things = std::vector<pending_reply<resolved_thing>>{};
  for (auto i = 0; i < 5; ++i) {
    people.push_back(actors.start<account_id>(finder, resolve_account{"ann@v.example"}));
    posts.push_back(actors.start<post_id>(finder, resolve_post{note_of("1")}));
    things.push_back(actors.start<resolved_thing>(finder, resolve_url{note_of("1")}));
  }
  actors.settle();
  for (auto i = std::size_t{0}; i < 5; ++i) {
    REQUIRE(people[i].ready());
    CHECK(people[i].get());
    REQUIRE(posts[i].ready());
    CHECK(*posts[i].get() == *posts[0].get());
    REQUIRE(things[i].ready());
    CHECK(things[i].get()->post == *posts[0].get());
  }
  CHECK(hosts.asked().size() <= 7);
  CHECK(all("SELECT COUNT(*) FROM post").front() == "1");
}

TEST_CASE_METHOD(resolver_world, "a known account is fetched again after a day, or when asked to",
                 "[resolver]") {
  serve_ann();
  const auto id = must(account(ann));
  actors.advance(23h);
  CHECK(must(account(ann)) == id);
  CHECK(asked() == 2);
  serve_actor("v.example", "ann", R"("name": "Ann")");
  actors.advance(2h);
  CHECK(must(account("ann@v.example")) == id);
  CHECK(asked() == 3);
  CHECK(all("SELECT display_name FROM account WHERE host_id IS NOT NULL") == std::vector{"Ann"s});
  serve_actor("v.example", "ann", R"("name": "Anna")");
  CHECK(must(account(ann, true)) == id);
  CHECK(asked() == 4);
  CHECK(all("SELECT display_name FROM account WHERE host_id IS NOT NULL") == std::vector{"Anna"s});
}

TEST_CASE_METHOD(resolver_world, "a known account is known still when its host does not answer",
                 "[resolver]") {
  serve_ann();
  const auto id = must(account(ann));
  const auto status = GENERATE(404, 500, 403, 429);
  CAPTURE(status);
  hosts.answer(ann, status);
  CHECK(must(account(ann, true)) == id);
  CHECK(must(account("ann@v.example", true)) == id);
  hosts.serve(ann, "<html>", "text/html");
  CHECK(must(account(ann, true)) == id);
  hosts.table().stalled.insert("v.example");
  auto reply = actors.start<account_id>(finder, resolve_account{ann, true});
  actors.advance(1min);
  REQUIRE(reply.ready());
  CHECK(*reply.get() == id);
}

TEST_CASE_METHOD(resolver_world, "F20: an actor is gone at its second 410, a day after the first",
                 "[resolver][F20]") {
  const auto says_so = GENERATE(false, true);
  CAPTURE(says_so);
  serve_ann();
  const auto id = must(account(ann));
  if (says_so)
    hosts.serve(ann, R"({"type": "Tombstone", "id": ")" + ann + "\"}");
  else
    hosts.answer(ann, 410);
  CHECK(code(account(ann, true)) == errc::gone);
  actors.advance(23h);
  CHECK(code(account(ann, true)) == errc::gone);
  CHECK(must(find_remote_account(db(), id)));
  actors.advance(2h);
  CHECK(code(account(ann, true)) == errc::gone);
  CHECK_FALSE(must(find_remote_account(db(), id)));
  serve_ann();
  CHECK(code(account(ann)) == errc::gone);
  CHECK(code(account("ann@v.example")) == errc::gone);
}

TEST_CASE_METHOD(resolver_world, "an actor that comes back is not gone", "[resolver][F20]") {
  serve_ann();
  const auto id = must(account(ann));
  hosts.answer(ann, 410);
  CHECK(code(account(ann, true)) == errc::gone);
  serve_ann();
  CHECK(must(account(ann, true)) == id);
  actors.advance(25h);
  hosts.answer(ann, 410);
  CHECK(code(account(ann, true)) == errc::gone);
  CHECK(must(find_remote_account(db(), id)));
}

TEST_CASE_METHOD(resolver_world, "A48: an actor may become a service, but nothing else",
                 "[resolver][A48]") {
  serve_ann();
  const auto id = must(account(ann));
  const auto as = [&](const std::string& type) {
    auto document = actor_document("v.example", "ann");
    hosts.serve(ann, document.replace(document.find("Person"), 6, type));
    return account(ann, true);
  };
  CHECK(must(as("Service")) == id);
  const auto before = all("SELECT bot, fetched_at FROM account WHERE host_id IS NOT NULL");
  CHECK(before.front().starts_with("1|"));
  actors.advance(1min);
  for (const auto* type : {"Note", "Collection", "Key"}) {
    CHECK(must(as(type)) == id);
    CHECK(all("SELECT bot, fetched_at FROM account WHERE host_id IS NOT NULL") == before);
  }
}

TEST_CASE_METHOD(resolver_world, "A47: an actor whose inbox is elsewhere is refused",
                 "[resolver][A47]") {
  const auto inbox =
      GENERATE("\"https://e.example/inbox\""s, "\"javascript:alert(1)\""s, "\"\""s,
               "[\"https://v.example/inbox\"]"s, "7"s, "\"http://v.example/inbox\""s);
  CAPTURE(inbox);
  serve_ann();
  hosts.serve(ann, R"({"type": "Person", "id": ")" + ann +
                       R"(", "preferredUsername": "ann", "inbox": )" + inbox + "}");
  CHECK(code(account(ann)) == errc::not_found);
  CHECK(code(account("ann@v.example")) == errc::not_found);
  CHECK(count("account WHERE host_id IS NOT NULL") == 0);
}

TEST_CASE_METHOD(resolver_world, "A91: an actor's text is made safe", "[resolver][A91]") {
  serve_ann();
  serve_actor("v.example", "ann",
              R"("name": "A\u202Enn", "summary": "<p onclick=x>hi<script>1</script></p>",)"
              R"("attachment": [{"type": "PropertyValue", "name": "n\u202E",)"
              R"( "value": "<a href=\"javascript:1\">x</a>"}])");
  must(account(ann));
  const auto row = all("SELECT display_name, note, fields FROM account WHERE host_id IS NOT NULL");
  REQUIRE(row.size() == 1);
  CHECK(row.front().starts_with("Ann|<p>hi</p>|"));
  CHECK(row.front().find("javascript") == std::string::npos);
  CHECK(row.front().find("\u202e") == std::string::npos);
}

TEST_CASE_METHOD(resolver_world, "a blocked host is not asked", "[resolver][I6]") {
  serve_ann();
  serve_note("1");
  run("INSERT INTO domain_block(account_id, host, severity, reason, at)"
      " VALUES (0, 'v.example', 2, '', 0)");
  CHECK(code(account("ann@v.example")) == errc::forbidden);
  CHECK(code(account("ann@sub.v.example")) == errc::forbidden);
  CHECK(code(account(ann)) == errc::forbidden);
  CHECK(code(note(note_of("1"))) == errc::forbidden);
  CHECK(code(thing(note_of("1"))) == errc::forbidden);
  CHECK(hosts.asked().empty());
  // Nor is it reached by another host's word.
  serve_finger("ann", "w.example", "ann@w.example", ann);
  CHECK(code(account("ann@w.example")) == errc::forbidden);
  CHECK(hosts.asked_urls() == std::vector{finger_of("ann", "w.example")});
}

TEST_CASE_METHOD(resolver_world, "what is known of a blocked host is not told", "[resolver][I6]") {
  serve_ann();
  serve_note("1");
  must(note(note_of("1")));
  const auto before = asked();
  run("INSERT INTO domain_block(account_id, host, severity, at) VALUES (0, 'v.example', 2, 0)");
  CHECK(code(account("ann@v.example")) == errc::forbidden);
  CHECK(code(account(ann)) == errc::forbidden);
  CHECK(code(account(ann, true)) == errc::forbidden);
  CHECK(code(note(note_of("1"))) == errc::forbidden);
  CHECK(code(thing(note_of("1"))) == errc::forbidden);
  CHECK(code(thing(ann)) == errc::forbidden);
  CHECK(asked() == before);
}
