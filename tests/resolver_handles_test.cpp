// Whose name is it: WebFinger, asked both ways.

#include "actors/messages.hpp"
#include "kit/resolver_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

/// Handles are of v.example, actors live on social.v.example.
struct split_world : resolver_world {
  split_world() {
    serve_actor("social.v.example", "ann");
    serve_finger("ann", "v.example", "ann@v.example", split_ann);
    serve_finger("ann", "social.v.example", "ann@v.example", split_ann);
  }

  std::string handle_of(account_id id) {
    const auto found = must(find_remote_account(db(), id));
    REQUIRE(found);
    return found->name + "@" + to_name(found->host);
  }

  const std::string split_ann = "https://social.v.example/users/ann";
};

} // namespace

TEST_CASE_METHOD(split_world, "a name may be of another domain than the actor",
                 "[resolver][webfinger]") {
  const auto first = GENERATE(0, 1, 2);
  const auto addresses = std::vector{"ann@v.example"s, split_ann, "ann@social.v.example"s};
  const auto id = must(account(addresses[static_cast<std::size_t>(first)]));
  CHECK(handle_of(id) == "ann@v.example");
  const auto before = asked();
  CHECK(before <= 4);
  for (const auto& address : addresses)
    CHECK(must(account(address)) == id);
  CHECK(count("account WHERE host_id IS NOT NULL") == 1);
}

TEST_CASE_METHOD(split_world, "A58: the domain of a name must name the actor as well",
                 "[resolver][A58]") {
  // The actor's host says that it is of v.example, which knows nothing of it.
  SECTION("it names nobody") {
    hosts.answer(finger_of("ann", "v.example"), 404);
  }
  SECTION("it names another actor") {
    serve_finger("ann", "v.example", "ann@v.example", "https://v.example/users/ann");
  }
  SECTION("it has another name for it") {
    serve_finger("ann", "v.example", "anna@v.example", split_ann);
  }
  CHECK(code(account(split_ann)) == errc::not_found);
  CHECK(count("account WHERE host_id IS NOT NULL") == 0);
}

TEST_CASE_METHOD(split_world, "A58: an actor's host must know the name that another domain gives",
                 "[resolver][A58]") {
  // e.example calls an actor of somebody else its own: the actor keeps its name.
  serve_finger("ann", "e.example", "ann@e.example", split_ann);
  const auto id = must(account("ann@e.example"));
  CHECK(handle_of(id) == "ann@v.example");
  CHECK(count("account WHERE host_id IS NOT NULL") == 1);
  CHECK(must(account("ann@v.example")) == id);
}

TEST_CASE_METHOD(resolver_world, "A58: an actor cannot take a name that its host gives to another",
                 "[resolver][A58]") {
  serve_ann();
  const auto id = must(account(ann));
  // A second document of the same host with the same name.
  const auto fake = "https://v.example/media/ann"s;
  auto document = actor_document("v.example", "ann");
  while (document.find(ann) != std::string::npos)
    document.replace(document.find(ann), ann.size(), fake);
  hosts.serve(fake, document);
  CHECK(code(account(fake)) == errc::not_found);
  // Its host is made to name both.
  hosts.serve(finger_of("ann", "v.example"),
              R"({"subject": "acct:ann@v.example", "links": [)"
              R"({"rel": "self", "type": "application/activity+json", "href": ")" +
                  fake + R"("}, {"rel": "self", "type": "application/activity+json", "href": ")" +
                  ann + R"("}]})",
              "application/jrd+json");
  CHECK(code(account(fake)) == errc::not_found);
  CHECK(must(account("ann@v.example", true)) == id);
  CHECK(all("SELECT uri FROM account WHERE host_id IS NOT NULL") == std::vector{ann});
}

TEST_CASE_METHOD(resolver_world, "A58: a host cannot give its actor a name of another domain",
                 "[resolver][A58]") {
  serve_ann();
  serve_actor("e.example", "ann");
  serve_finger("ann", "e.example", "ann@v.example", "https://e.example/users/ann");
  CHECK(must(account("ann@e.example")) == must(account(ann)));
  CHECK(code(account("https://e.example/users/ann")) == errc::not_found);
  CHECK(all("SELECT uri FROM account WHERE host_id IS NOT NULL") == std::vector{ann});
}

TEST_CASE_METHOD(resolver_world, "a known actor whose address shows another one stays as it was",
                 "[resolver][A40]") {
  serve_ann();
  serve_account("v.example", "bob");
  const auto id = must(account(ann));
  hosts.serve(ann, actor_document("v.example", "bob"));
  CHECK(must(account(ann, true)) == id);
  CHECK(all("SELECT uri FROM account WHERE host_id IS NOT NULL") == std::vector{ann});
}

TEST_CASE_METHOD(resolver_world, "an actor without a name of its host is not taken",
                 "[resolver][A58]") {
  serve_actor("v.example", "ann");
  CHECK(code(account(ann)) == errc::not_found);
  hosts.answer(finger_of("ann", "v.example"), 503);
  CHECK(code(account(ann)) == errc::unavailable);
  serve_finger("ann", "v.example", "ann@v.example", "https://e.example/users/ann");
  CHECK(code(account(ann)) == errc::not_found);
  serve_finger("ann", "v.example", "bob@v.example", ann);
  CHECK(code(account(ann)) == errc::not_found);
  CHECK(count("account WHERE host_id IS NOT NULL") == 0);
}

TEST_CASE_METHOD(resolver_world, "a name that leads from one to the next is followed once",
                 "[resolver][A66]") {
  serve_ann();
  serve_finger("a", "one.example", "ann@v.example", ann);
  CHECK(must(account("a@one.example")) == must(account(ann)));
  serve_finger("b", "one.example", "c@one.example", "https://one.example/users/c");
  serve_finger("c", "one.example", "d@one.example", "https://one.example/users/d");
  serve_account("one.example", "d");
  const auto before = asked();
  CHECK(code(account("b@one.example")) == errc::not_found);
  CHECK(asked() == before + 2);
}

TEST_CASE_METHOD(resolver_world, "A69: no name leads to this server", "[resolver][A69]") {
  serve_finger("a", "e.example", "alice@example.org", "https://example.org/users/Alice");
  CHECK(code(account("a@e.example")) == errc::not_found);
  serve_finger("b", "e.example", "b@e.example", "https://example.org/users/Alice");
  CHECK(code(account("b@e.example")) == errc::not_found);
  serve_actor("e.example", "alice");
  serve_finger("alice", "e.example", "alice@example.org", "https://e.example/users/alice");
  CHECK(code(account("https://e.example/users/alice")) == errc::not_found);
  for (const auto& wish : hosts.asked())
    CHECK(wish.host.name == "e.example");
  CHECK(count("account WHERE host_id IS NOT NULL") == 0);
}

TEST_CASE("A69: the domain of our names is not asked, wherever the server is", "[resolver][A69]") {
  auto here = resolver_world{{}, {}, "web.example.org"};
  here.serve_finger("a", "e.example", "alice@example.org", "https://e.example/users/alice");
  CHECK(code(here.account("a@e.example")) == errc::not_found);
  CHECK(here.hosts.asked_urls() == std::vector{finger_of("a", "e.example")});
  CHECK(must(here.account("alice@example.org")) == alice);
}

TEST_CASE_METHOD(resolver_world, "A68: a link of WebFinger is checked like any other",
                 "[resolver][A68]") {
  const auto href =
      GENERATE("https://2130706531/a"s, "https://v.example:6379/a"s, "http://v.example/users/ann"s,
               "https://u@v.example/a"s, "file:///etc/passwd"s);
  CAPTURE(href);
  serve_finger("ann", "v.example", "ann@v.example", href);
  CHECK(code(account("ann@v.example")) == errc::not_found);
  CHECK(asked() == 1);
}

TEST_CASE_METHOD(resolver_world, "A44: an actor's document speaks for its own host alone",
                 "[resolver][A40][A44]") {
  serve_ann();
  const auto open = "https://v.example/open?to=evil"s;
  hosts.redirect(open, "https://e.example/x");
  hosts.serve("https://e.example/x", actor_document("v.example", "ann", R"("name": "E")"));
  CHECK(code(account(open)) == errc::not_found);
  CHECK(code(account("https://e.example/x")) == errc::not_found);
  CHECK(count("account WHERE host_id IS NOT NULL") == 0);
  hosts.redirect("https://old.example/users/ann", ann, 301);
  CHECK(must(account("https://old.example/users/ann")) == must(account(ann)));
}

TEST_CASE_METHOD(resolver_world, "A41: what is served as another type is no actor",
                 "[resolver][A41]") {
  const auto type = GENERATE("text/html"s, "application/json"s, "application/ld+json"s, ""s);
  CAPTURE(type);
  serve_ann();
  hosts.serve(ann, actor_document("v.example", "ann"), type);
  CHECK(code(account(ann)) == errc::not_found);
  CHECK(code(account("ann@v.example")) == errc::not_found);
}

TEST_CASE_METHOD(resolver_world, "a domain in another script is the one that it is",
                 "[resolver][A59]") {
  serve_account("xn--bcher-kva.example", "ann");
  const auto id = must(account("ann@B\u00fccher.example"));
  CHECK(must(account("ann@xn--bcher-kva.example")) == id);
  CHECK(hosts.asked().front().host.name == "xn--bcher-kva.example");
}

TEST_CASE("in test mode a server has a port and no TLS", "[resolver]") {
  auto here = resolver_world{{}, {.allow_http = true}};
  const auto id = "http://127.0.0.1:4000/users/ann"s;
  here.hosts.serve("http://127.0.0.1:4000/.well-known/webfinger?resource=acct:ann@127.0.0.1:4000",
                   finger_answer("ann@127.0.0.1:4000", id), "application/jrd+json");
  here.hosts.serve(id, R"({"type": "Person", "id": ")" + id +
                           R"(", "preferredUsername": "ann", "inbox": ")" + id + R"(/inbox"})");
  const auto found = must(here.account("ann@127.0.0.1:4000"));
  CHECK(must(here.account(id)) == found);
  CHECK(here.asked() == 2);
  const auto stored = must(find_remote_account(here.db(), found));
  REQUIRE(stored);
  CHECK(stored->host == host_address{"http", "127.0.0.1", 4000});
}

TEST_CASE("a host that hangs holds no more than its share", "[resolver][A15][P1]") {
  auto here = resolver_world{{.errands_max = 6, .host_errands_max = 3}};
  here.serve_ann();
  here.hosts.table().stalled = {"slow.example", "slow.other.example", "more.example"};
  const auto ask = [&](const std::string& address) {
    return here.actors.start<account_id>(here.finder, resolve_account{address});
  };
  auto held = std::vector<pending_reply<account_id>>{};
  for (auto i = 0; i < 3; ++i)
    held.push_back(ask("a" + std::to_string(i) + "@slow.example"));
  here.actors.settle();
  CHECK(code(here.account("b@slow.example")) == errc::unavailable);
  CHECK(must(here.account("ann@v.example")));
  for (auto i = 0; i < 3; ++i)
    held.push_back(ask("a" + std::to_string(i) + "@more.example"));
  here.actors.settle();
  here.serve_account("w.example", "bob");
  CHECK(code(here.account("bob@w.example")) == errc::unavailable);
  CHECK(must(here.account("ann@v.example"))); // is known
  here.actors.advance(2min);
  for (const auto& reply : held) {
    REQUIRE(reply.ready());
    CHECK(code(reply.get()) == errc::timed_out);
  }
  CHECK(must(here.account("bob@w.example")));
}

TEST_CASE("requests beyond the limit are refused at once", "[resolver]") {
  auto here = resolver_world{{.requests_max = 2}};
  here.hosts.table().stalled = {"slow.example"};
  const auto first = here.actors.start<account_id>(here.finder, resolve_account{"a@slow.example"});
  const auto second = here.actors.start<account_id>(here.finder, resolve_account{"a@slow.example"});
  here.actors.settle();
  CHECK(code(here.account("alice@example.org")) == errc::unavailable);
  CHECK(here.asked() == 1);
  here.actors.advance(1min);
  CHECK(first.ready());
  CHECK(second.ready());
  CHECK(must(here.account("alice@example.org")) == alice);
}
