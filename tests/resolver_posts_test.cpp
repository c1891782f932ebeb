// Posts of other servers: whose word they are, what becomes of them, and the threads above them.

#include "actors/messages.hpp"
#include "kit/resolver_world.hpp"
#include "storage/node_store.hpp"

#include <set>

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

struct posts_world : resolver_world {
  posts_world() { serve_ann(); }

  post row(post_id id) {
    auto found = must(find_post(db(), id));
    REQUIRE(found);
    return *found;
  }
  bool is_stored(const std::string& name) {
    return count("post WHERE uri = '" + note_of(name) + "'") == 1;
  }
  std::string html(post_id id) { return row(id).html; }

  /// Posts "1" to "size", each an answer to the one before.
  void serve_thread(int size) {
    serve_note("1");
    for (auto i = 2; i <= size; ++i)
      serve_note(std::to_string(i), {.reply_to = note_of(std::to_string(i - 1))});
  }
};

} // namespace

TEST_CASE_METHOD(posts_world, "A38 A39: a post has one author, of the origin of its id",
                 "[resolver][A37][A38][A39]") {
  serve_account("e.example", "eve");
  const auto author = GENERATE(
      R"("https://e.example/users/eve")"s, R"(["https://e.example/users/eve", ")"s + ann + "\"]",
      "[\""s + ann + R"(", "https://e.example/users/eve"])", "null"s, "7"s, "[]"s, "\"\""s,
      R"({"type": "Person"})"s, R"("http://v.example/users/ann")"s,
      R"("https://v.example:8443/users/ann")"s, R"("https://example.org/users/Alice")"s);
  CAPTURE(author);
  hosts.serve(note_of("1"), R"({"type": "Note", "id": ")" + note_of("1") +
                                R"(", "content": "x", "attributedTo": )" + author + "}");
  CHECK(code(note(note_of("1"))) == errc::not_found);
  CHECK(code(thing(note_of("1"))) == errc::not_found);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(posts_world, "A39: an author may be an object or the only one of a list",
                 "[resolver][A39]") {
  const auto author = GENERATE(R"({"id": ")" + ann + "\"}", "[\"" + ann + "\"]");
  CAPTURE(author);
  hosts.serve(note_of("1"), R"({"type": "Note", "id": ")" + note_of("1") +
                                R"(", "content": "x", "attributedTo": )" + author + "}");
  CHECK(must(note(note_of("1"))));
}

TEST_CASE_METHOD(posts_world,
                 "A40: a post under another address of its host is asked for by its id",
                 "[resolver][A40]") {
  serve_note("1");
  hosts.serve("https://v.example/@ann/1", note_document(note_of("1")));
  const auto id = must(note("https://v.example/@ann/1"));
  CHECK(must(note(note_of("1"))) == id);
  CHECK(row(id).uri == note_of("1"));
  const auto before = asked();
  CHECK(must(note("https://v.example/@ann/1")) == id);
  CHECK(asked() == before + 2);
  CHECK(count("post") == 1);
}

TEST_CASE_METHOD(posts_world, "A40 A44: a post is none of another host's to tell",
                 "[resolver][A40][A44]") {
  serve_account("e.example", "eve");
  hosts.serve("https://e.example/1", note_document(note_of("1")));
  CHECK(code(note("https://e.example/1")) == errc::not_found);
  hosts.redirect(note_of("2"), "https://e.example/2");
  hosts.serve("https://e.example/2", note_document(note_of("2")));
  CHECK(code(note(note_of("2"))) == errc::not_found);
  hosts.serve("https://e.example/3", note_document("https://example.org/users/Alice/statuses/3",
                                                   {.author = "https://example.org/users/Alice"}));
  CHECK(code(note("https://e.example/3")) == errc::not_found);
  CHECK(count("post") == 0);
  for (const auto& wish : hosts.asked())
    CHECK(wish.host.name != "example.org");
}

TEST_CASE_METHOD(posts_world, "A43: what people upload is no post", "[resolver][A41][A43]") {
  const auto type = GENERATE("text/html"s, "application/json"s, "image/png"s, ""s);
  CAPTURE(type);
  hosts.serve(note_of("1"), note_document(note_of("1")), type);
  CHECK(code(note(note_of("1"))) == errc::not_found);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(posts_world, "a post whose author cannot be found is not stored", "[resolver]") {
  serve_note("1", {.author = "https://v.example/users/nobody"});
  CHECK(code(note(note_of("1"))) == errc::not_found);
  serve_actor("v.example", "bob"); // without a name
  serve_note("2", {.author = "https://v.example/users/bob"});
  CHECK(code(note(note_of("2"))) == errc::not_found);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(posts_world, "the URL of a Create leads to its post, as its own server shows it",
                 "[resolver][A52]") {
  serve_note("1");
  const auto create = "https://v.example/notes/1/activity"s;
  hosts.serve(create, R"({"type": "Create", "id": ")" + create + R"(", "actor": ")" + ann +
                          R"(", "object": )" +
                          note_document(note_of("1"), {.extra = R"("content": "forged")"}) + "}");
  CHECK(html(must(note(create))) == "<p>hi</p>");
  CHECK(must(thing(create)).post == must(note(note_of("1"))));
  const auto loop = "https://v.example/loop"s;
  hosts.serve(loop, R"({"type": "Create", "id": ")" + loop + R"(", "actor": ")" + ann +
                        R"(", "object": ")" + loop + "\"}");
  CHECK(code(note(loop)) == errc::not_found);
  const auto announce = "https://v.example/boost"s;
  hosts.serve(announce, R"({"type": "Announce", "id": ")" + announce + R"(", "actor": ")" + ann +
                            R"(", "object": ")" + note_of("1") + "\"}");
  CHECK(code(note(announce)) == errc::not_found);
}

TEST_CASE_METHOD(posts_world, "A45: a Create of a post of ours means what is stored",
                 "[resolver][A45]") {
  run("INSERT INTO post(id, author, visibility, created_at) VALUES (77, 7, 1, 1)");
  const auto create = "https://v.example/c"s;
  hosts.serve(create, R"({"type": "Create", "id": ")" + create + R"(", "actor": ")" + ann +
                          R"(", "object": "https://example.org/users/Alice/statuses/77"})");
  CHECK(must(note(create)) == post_id{77});
  CHECK(asked() == 1);
}

TEST_CASE_METHOD(posts_world, "a vote is no post", "[resolver][A56]") {
  serve_note("poll", {.type = "Question"});
  serve_note("1", {.reply_to = note_of("poll"), .extra = R"("name": "yes")"});
  CHECK(code(note(note_of("1"))) == errc::not_found);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(posts_world, "A86: a fetched post has its own time, but never a later one",
                 "[resolver][A86]") {
  const auto when = GENERATE("9999-01-01T00:00:00Z"s, "2999-01-01T00:00:00Z"s, "yesterday"s, "-1"s);
  CAPTURE(when);
  auto document = note_document(note_of("1"));
  const auto told = "2020-05-17T00:00:00Z"s;
  hosts.serve(note_of("1"), document.replace(document.find(told), told.size(), when));
  const auto id = must(note(note_of("1")));
  CHECK(time_of(id.value) <= actors.now());
  CHECK(row(id).created_at <= actors.now());
}

TEST_CASE_METHOD(posts_world, "the server's own and known people that a post names are linked",
                 "[resolver]") {
  serve_account("w.example", "bob");
  hosts.answer("https://w.example/users/carol", 404);
  serve_note("1", {.extra = R"("content": "hi", "tag": [)"
                            R"({"type": "Mention", "href": "https://example.org/users/Alice"},)"
                            R"({"type": "Mention", "href": "https://w.example/users/bob"},)"
                            R"({"type": "Mention", "href": "https://w.example/users/carol"}])"});
  const auto id = must(note(note_of("1")));
  auto named = std::vector{alice, must(account("bob@w.example"))};
  CHECK(must(mentions_of(db(), id)) == named);
  CHECK(count("notification") == 0);
}

TEST_CASE_METHOD(posts_world, "A76: of a thousand strangers few are looked up", "[resolver][A76]") {
  auto tags = ""s;
  for (auto i = 0; i < 1000; ++i)
    tags += (i ? "," : "") + R"({"type": "Mention", "href": "https://h)"s + std::to_string(i) +
            R"(.example/users/a"})";
  serve_note("1", {.extra = R"("content": "hi", "tag": [)" + tags + "]"});
  CHECK(must(note(note_of("1"))));
  CHECK(asked() == 3 + resolver_options{}.strangers_max);
}

TEST_CASE_METHOD(posts_world, "strangers who are not answered for are not waited for",
                 "[resolver]") {
  hosts.table().stalled.insert("slow.example");
  serve_note("1", {.extra = R"("content": "hi", "tag": [)"
                            R"({"type": "Mention", "href": "https://slow.example/users/a"}])"});
  auto reply = actors.start<post_id>(finder, resolve_post{note_of("1")});
  actors.advance(4s);
  CHECK_FALSE(reply.ready());
  actors.advance(2s);
  REQUIRE(reply.ready());
  CHECK(reply.get());
  actors.advance(2min); // what comes too late does no harm
  CHECK(count("post") == 1);
}

TEST_CASE_METHOD(posts_world, "an edit is taken at a refresh, and told", "[resolver]") {
  serve_note("1");
  const auto id = must(note(note_of("1")));
  serve_note("1", {.extra = R"("content": "<p>new</p>", "updated": "2020-05-18T00:00:00Z")"});
  CHECK(must(note(note_of("1"))) == id);
  CHECK(html(id) == "<p>hi</p>");
  CHECK(must(note(note_of("1"), true)) == id);
  CHECK(html(id) == "<p>new</p>");
  CHECK(log().size() == 1);
  CHECK(must(note(note_of("1"), true)) == id);
  CHECK(log().size() == 1);
}

TEST_CASE_METHOD(posts_world, "A46: a post keeps its author and its id at a refresh",
                 "[resolver][A46]") {
  serve_account("v.example", "bob");
  serve_note("1");
  const auto id = must(note(note_of("1")));
  serve_note("1", {.author = "https://v.example/users/bob",
                   .extra = R"("content": "bob", "updated": "2020-05-18T00:00:00Z")"});
  CHECK(must(note(note_of("1"), true)) == id);
  CHECK(html(id) == "<p>hi</p>");
  hosts.serve(note_of("1"), note_document(note_of("2")));
  serve_note("2", {.extra = R"("content": "two", "updated": "2020-05-18T00:00:00Z")"});
  CHECK(must(note(note_of("1"), true)) == id);
  CHECK(html(id) == "<p>hi</p>");
  CHECK(log().empty());
}

TEST_CASE_METHOD(posts_world, "the votes of a poll are counted anew at a refresh", "[resolver]") {
  const auto poll = [](int votes) {
    return note_text{.type = "Question",
                     .extra =
                         R"("content": "?", "oneOf": [{"type": "Note", "name": "a", "replies":)"
                         R"( {"type": "Collection", "totalItems": )" +
                         std::to_string(votes) + R"(}}, {"type": "Note", "name": "b"}])"};
  };
  serve_note("1", poll(1));
  const auto id = must(note(note_of("1")));
  serve_note("1", poll(4));
  CHECK(must(note(note_of("1"), true)) == id);
  CHECK(all("SELECT remote_votes FROM poll") == std::vector{"[4,0]"s});
  CHECK(log().empty());
}

TEST_CASE_METHOD(posts_world, "I5: a post that its server has deleted is erased at a refresh",
                 "[resolver][I5]") {
  const auto how = GENERATE(404, 410, 200);
  CAPTURE(how);
  serve_note("1");
  const auto id = must(note(note_of("1")));
  if (how == 200)
    hosts.serve(note_of("1"), R"({"type": "Tombstone", "id": ")" + note_of("1") + "\"}");
  else
    hosts.answer(note_of("1"), how);
  CHECK(must(note(note_of("1"))) == id);
  CHECK(code(note(note_of("1"), true)) == errc::gone);
  CHECK_FALSE(must(find_post(db(), id)));
  CHECK(log().size() == 1);
  serve_note("1");
  CHECK(code(note(note_of("1"))) == errc::gone);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(posts_world, "a post is not erased by what says nothing of it", "[resolver][I5]") {
  serve_note("1");
  const auto id = must(note(note_of("1")));
  const auto status = GENERATE(400, 401, 403, 406, 429, 500, 503);
  CAPTURE(status);
  hosts.answer(note_of("1"), status);
  CHECK(must(note(note_of("1"), true)) == id);
  // Somebody else's 410 is none of its own.
  hosts.redirect(note_of("1"), "https://e.example/1");
  hosts.answer("https://e.example/1", 410);
  CHECK(must(note(note_of("1"), true)) == id);
  hosts.serve(note_of("1"), R"({"type": "Tombstone", "id": "https://v.example/notes/2"})");
  CHECK(must(note(note_of("1"), true)) == id);
  hosts.serve(note_of("2"), R"({"type": "Tombstone", "id": "https://v.example/notes/2"})");
  CHECK(must(note(note_of("1"), true)) == id);
  CHECK(must(find_post(db(), id)));
}

TEST_CASE_METHOD(posts_world, "404 is no news of a post that this server may not see",
                 "[resolver][I5]") {
  serve_note("1", {.to = ann + "/followers"});
  const auto id = must(note(note_of("1")));
  CHECK(row(id).seen_by == visibility::followers);
  hosts.answer(note_of("1"), 404);
  CHECK(must(note(note_of("1"), true)) == id);
  hosts.answer(note_of("1"), 410);
  CHECK(code(note(note_of("1"), true)) == errc::gone);
}

TEST_CASE_METHOD(posts_world, "a thread is stored from above", "[resolver][A74]") {
  serve_thread(4);
  const auto id = must(note(note_of("4")));
  CHECK(count("post") == 4);
  auto above = row(id);
  for (auto i = 3; i >= 1; --i) {
    above = row(above.reply_to);
    CHECK(above.uri == note_of(std::to_string(i)));
  }
  CHECK_FALSE(above.reply_to);
  CHECK(log().empty());
}

TEST_CASE_METHOD(posts_world, "A74: of a long thread a bounded part is fetched",
                 "[resolver][A74]") {
  serve_thread(200);
  const auto id = must(note(note_of("200")));
  CHECK(count("post") == 21);
  CHECK(is_stored("180"));
  CHECK_FALSE(is_stored("179"));
  CHECK(row(id).reply_to);
  CHECK(asked() == 21 + 2);
}

TEST_CASE_METHOD(posts_world, "A74: threads that go round end", "[resolver][A74]") {
  serve_note("self", {.reply_to = note_of("self")});
  CHECK_FALSE(row(must(note(note_of("self")))).reply_to);
  serve_note("a", {.reply_to = note_of("b")});
  serve_note("b", {.reply_to = note_of("c")});
  serve_note("c", {.reply_to = note_of("a")});
  const auto id = must(note(note_of("a")));
  CHECK(count("post") == 4);
  CHECK(row(row(id).reply_to).uri == note_of("b"));
  CHECK(asked() == 6);
  // By two ways at once.
  serve_note("d", {.reply_to = note_of("e")});
  serve_note("e", {.reply_to = note_of("d")});
  auto one = actors.start<post_id>(finder, resolve_post{note_of("d")});
  auto other = actors.start<post_id>(finder, resolve_post{note_of("e")});
  actors.settle();
  REQUIRE(one.ready());
  REQUIRE(other.ready());
  CHECK(one.get());
  CHECK(other.get());
  CHECK(count("post") == 6);
}

TEST_CASE_METHOD(posts_world, "a thread ends where nothing is found, or is of others to tell",
                 "[resolver][A38]") {
  serve_account("e.example", "eve");
  const auto above = note_of("x");
  SECTION("nothing") {}
  SECTION("another host's author") {
    serve_note("x", {.author = "https://e.example/users/eve"});
  }
  SECTION("a blocked host") {
    run("INSERT INTO domain_block(account_id, host, severity, at) VALUES (0, 'b.example', 2, 0)");
    serve_note("x", {.reply_to = note_of("y", "b.example")});
  }
  SECTION("another type") {
    hosts.serve(above, note_document(above), "text/html");
  }
  serve_note("1", {.reply_to = above});
  CHECK(must(note(note_of("1"))));
  for (const auto& wish : hosts.asked())
    CHECK(wish.host.name != "b.example");
  CHECK(count("post") <= 2);
  CHECK(count("account WHERE name = 'eve'") == 0);
}

TEST_CASE_METHOD(posts_world, "a thread reaches what is known, and what is ours", "[resolver]") {
  run("INSERT INTO post(id, author, visibility, created_at) VALUES (77, 7, 1, 1)");
  serve_note("1", {.reply_to = "https://example.org/users/Alice/statuses/77"});
  const auto first = must(note(note_of("1")));
  CHECK(row(first).reply_to == post_id{77});
  serve_note("2", {.reply_to = note_of("1")});
  const auto before = asked();
  CHECK(row(must(note(note_of("2")))).reply_to == first);
  CHECK(asked() == before + 1);
}

TEST_CASE_METHOD(posts_world, "a post may name the page of what it answers", "[resolver]") {
  serve_note("1");
  hosts.serve("https://v.example/@ann/1", note_document(note_of("1")));
  serve_note("2", {.reply_to = "https://v.example/@ann/1"});
  CHECK(row(must(note(note_of("2")))).reply_to == must(note(note_of("1"))));
}

TEST_CASE_METHOD(posts_world, "a thread above that does not answer is not waited for",
                 "[resolver][P1]") {
  hosts.table().stalled.insert("slow.example");
  serve_note("1", {.reply_to = note_of("x", "slow.example")});
  serve_note("2", {.reply_to = note_of("1")});
  auto reply = actors.start<post_id>(finder, resolve_post{note_of("2")});
  actors.settle();
  CHECK_FALSE(reply.ready());
  actors.advance(6s);
  REQUIRE(reply.ready());
  REQUIRE(reply.get());
  CHECK(row(row(*reply.get()).reply_to).uri == note_of("1"));
  actors.advance(2min);
  CHECK(count("post") == 2);
}

TEST_CASE("an errand makes a bounded number of fetches", "[resolver][A74][A75]") {
  auto here = resolver_world{{.fetches_max = 8}};
  here.serve_ann();
  for (auto i = 1; i <= 20; ++i) { // each by somebody else elsewhere
    const auto host = "h" + std::to_string(i) + ".example";
    here.serve_account(host, "a");
    here.hosts.serve(
        note_of("1", host),
        note_document(note_of("1", host),
                      {.author = "https://" + host + "/users/a",
                       .reply_to = note_of("1", "h" + std::to_string(i + 1) + ".example")}));
  }
  CHECK(here.note(note_of("1", "h1.example")));
  CHECK(here.asked() == 8);
  CHECK(here.count("post") == 2);
}

TEST_CASE_METHOD(posts_world, "a deleted post is not fetched into life", "[resolver][I5]") {
  must(add_tombstone(*storage.open_writer(), note_of("1")));
  serve_note("1");
  CHECK(code(note(note_of("1"))) == errc::gone);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(posts_world, "nothing is stored of a suspended author", "[resolver]") {
  must(account(ann));
  run("UPDATE account SET suspended_at = 1 WHERE host_id IS NOT NULL");
  serve_note("1");
  CHECK(code(note(note_of("1"))) == errc::not_found);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(posts_world, "A75: names made up below one domain are few", "[resolver][A75]") {
  const auto host_of = [](int i) { return "h" + std::to_string(i) + ".evil.example.com"; };
  for (auto i = 0; i < 40; ++i) {
    serve_account(host_of(i), "a");
    hosts.serve(
        note_of("1", host_of(i)),
        note_document(note_of("1", host_of(i)), {.author = "https://" + host_of(i) + "/users/a",
                                                 .reply_to = note_of("1", host_of(i + 1))}));
  }
  must(note(note_of("1", host_of(0))));
  auto named = std::set<std::string>{};
  for (const auto& wish : hosts.asked())
    named.insert(wish.host.name);
  CHECK(named.size() == new_hosts_max);
  CHECK(code(account("a@" + host_of(30))) == errc::unavailable);
  CHECK(must(account("a@" + host_of(1), true))); // is known
  CHECK(must(account(ann)));
  actors.advance(5min);
  CHECK(must(account("a@" + host_of(30))));
}
