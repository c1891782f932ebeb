// Follows and blocks that come from other servers, and the answers to ours.
#include "kit/inbound_world.hpp"
#include "storage/domain_block_store.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto follow_id = std::string{"https://far.example/follows/1"};
constexpr auto follows = "SELECT follower, followee, accepted, uri FROM follow"
                         " ORDER BY follower, followee";

/// Alice asks Ann; returns the id of her Follow.
std::string ask_ann(inbound_world& here, account_id who = alice) {
  must(here.tell(follow_account{who, ann, {}, {}}));
  return here.last().ap_id;
}

} // namespace

TEST_CASE("a follow of ours is accepted to the follower's own inbox in the same transaction",
          "[inbound][inbound_relations]") {
  with_inbound([](inbound_world& here) {
    here.hear(ann_uri, saying("Follow", alice_uri, follow_id));
    CHECK(here.all(follows) == lines{"20|7|1|" + follow_id});
    CHECK(here.told() == lines{"7|4|20|0"});
    CHECK(here.all("SELECT author, endpoint_id, n FROM follower_endpoint") ==
          lines{"7|" + to_string(shared_endpoint()) + "|1"});
    REQUIRE(here.count("log") == 1);
    const auto row = here.last();
    CHECK(row.kind == log_kind::accept_follow);
    CHECK(row.cls == delivery_class::direct);
    CHECK_FALSE(row.is_public);
    CHECK(row.object_key == "f/20/7");
    CHECK(row.signer == alice.value);
    CHECK(row.audience.empty());
    CHECK(row.extra == endpoints{own_endpoint(ann)});
    CHECK(row.at("id") == row.ap_id);
    CHECK(row.ap_id.starts_with(alice_uri + "#accept/"));
    CHECK(row.at("type") == "Accept");
    CHECK(row.at("actor") == alice_uri);
    CHECK(row.at("object.id") == follow_id);
    CHECK(row.at("object.type") == "Follow");
    CHECK(row.at("object.actor") == ann_uri);
    CHECK(row.at("object.object") == alice_uri);
  });
}

TEST_CASE("a repeated follow is answered again and changes nothing else",
          "[inbound][inbound_relations][I16]") {
  with_inbound([](inbound_world& here) {
    here.hear(ann_uri, saying("Follow", alice_uri, follow_id));
    const auto second = std::string{"https://far.example/follows/2"};
    here.hear(ann_uri, saying("Follow", alice_uri, second));
    CHECK(here.all(follows) == lines{"20|7|1|" + second});
    CHECK(here.told() == lines{"7|4|20|0"});
    CHECK(here.all("SELECT SUM(n) FROM follower_endpoint") == lines{"1"});
    CHECK(here.count("log") == 2);
    CHECK(here.last().at("object.id") == second);
    here.hear(ann_uri, saying("Undo", second));
    CHECK(here.all(follows).empty());
  });
}

TEST_CASE("a locked account is asked, and answers itself", "[inbound][inbound_relations]") {
  with_inbound([](inbound_world& here) {
    here.hear(ann_uri, saying("Follow", carol_uri, follow_id));
    CHECK(here.all(follows) == lines{"20|9|0|" + follow_id});
    CHECK(here.told() == lines{"9|5|20|0"});
    CHECK(here.log() == lines{"10|20|f/20/9"});
    CHECK(here.last().extra.empty());
    here.ignores("asked again", ann_uri, saying("Follow", carol_uri, follow_id));
    must(here.tell(answer_follow_request{carol, ann, true, {}}));
    CHECK(here.last().at("object.id") == follow_id);
    CHECK(here.last().extra == endpoints{own_endpoint(ann)});
    CHECK(here.all("SELECT SUM(n) FROM follower_endpoint") == lines{"1"});
  });
}

TEST_CASE("who asks again once the account is open is followed at once",
          "[inbound][inbound_relations]") {
  with_inbound([](inbound_world& here) {
    here.hear(ann_uri, saying("Follow", carol_uri, follow_id));
    here.run("UPDATE account SET locked = 0 WHERE id = 9");
    here.hear(ann_uri, saying("Follow", carol_uri, follow_id));
    CHECK(here.all(follows) == lines{"20|9|1|" + follow_id});
    CHECK(here.told() == lines{"9|4|20|0"});
    CHECK(here.last().kind == log_kind::accept_follow);
  });
}

TEST_CASE("whoever is blocked is refused, and has no other effect",
          "[inbound][inbound_relations]") {
  const auto ways = std::vector<std::pair<std::string, std::function<void(inbound_world&)>>>{
      {"a block",
       [](inbound_world& here) {
         must(here.tell(block_account{alice, ann, {}}));
       }},
      {"a blocked domain",
       [](inbound_world& here) {
         must(store_domain_block(*here.storage.open_writer(),
                                 {.owner = alice, .host = "far.example"}));
       }},
      {"a moved account",
       [](inbound_world& here) { here.run("UPDATE account SET moved_to = 21 WHERE id = 7"); }}};
  for (const auto& [what, refuse] : ways)
    with_inbound([&](inbound_world& here) {
      INFO(what);
      refuse(here);
      here.hear(ann_uri, saying("Follow", alice_uri, follow_id));
      CHECK(here.all(follows).empty());
      CHECK(here.told().empty());
      const auto row = here.last();
      CHECK(row.kind == log_kind::reject_follow);
      CHECK(row.signer == alice.value);
      CHECK(row.extra == endpoints{own_endpoint(ann)});
      CHECK(row.at("type") == "Reject");
      CHECK(row.at("object.id") == follow_id);
    });
}

TEST_CASE("a follow ends with its Undo, by object or by id", "[inbound][inbound_relations][A49]") {
  const auto undos = std::vector<std::pair<std::string, json_value>>{
      {"by id", follow_id},
      {"inlined", inlined("Follow", ann_uri, alice_uri, follow_id)},
      {"inlined under another id", inlined("Follow", ann_uri, alice_uri, follow_id + "/x")},
      {"inlined without an id", inlined("Follow", ann_uri, alice_uri)}};
  for (const auto& [what, object] : undos)
    with_inbound([&](inbound_world& here) {
      INFO(what);
      here.hear(ann_uri, saying("Follow", alice_uri, follow_id));
      if (object.as_object())
        here.ignores("of somebody else", ben_uri, saying("Undo", object));
      here.ignores("from elsewhere", lone_uri, saying("Undo", object));
      here.hear(ann_uri, saying("Undo", object));
      CHECK(here.all(follows).empty());
      CHECK(here.told().empty());
      CHECK(here.all("SELECT SUM(n) FROM follower_endpoint") == lines{"0"});
      CHECK(here.log().back() == "9|20|f/20/7");
      CHECK(here.count("early_undo") == 0);
    });
}

TEST_CASE("a request ends with its Undo", "[inbound][inbound_relations]") {
  with_inbound([](inbound_world& here) {
    here.hear(ann_uri, saying("Follow", carol_uri, follow_id));
    here.hear(ann_uri, saying("Undo", follow_id));
    CHECK(here.all(follows).empty());
    CHECK(here.told().empty());
    CHECK(here.log().back() == "11|20|f/20/9");
  });
}

TEST_CASE("what was undone before it came does not happen, for six hours",
          "[inbound][inbound_relations][F27]") {
  struct early {
    std::string what;
    std::string type;
    json_value undone;
  };
  const auto rows = std::vector<early>{
      {"a follow by id", "Follow", follow_id},
      {"an inlined follow", "Follow", inlined("Follow", ann_uri, alice_uri, follow_id)},
      {"a follow without id", "Follow", inlined("Follow", ann_uri, alice_uri)},
      {"an inlined block", "Block", inlined("Block", ann_uri, alice_uri, follow_id)}};
  for (const auto& row : rows)
    with_inbound([&](inbound_world& here) {
      INFO(row.what);
      here.hear(ann_uri, saying("Undo", row.undone));
      CHECK(here.count("early_undo") == 1);
      here.hear(ann_uri, saying(row.type.c_str(), alice_uri, follow_id));
      CHECK(here.count("early_undo") == 0);
      CHECK(here.count("follow") + here.count("block") == 0);
      CHECK(here.count("log") == 0);

      here.hear(ann_uri, saying("Undo", row.undone));
      here.wait(early_undo_kept + 1s);
      here.hear(ann_uri, saying(row.type.c_str(), alice_uri, follow_id));
      CHECK(here.count("follow") + here.count("block") == 1);
    });
}

TEST_CASE("an Undo of what is none of ours is not remembered", "[inbound][inbound_relations]") {
  with_inbound([](inbound_world& here) {
    here.ignores("another origin", ann_uri, saying("Undo", "https://lone.example/follows/1"));
    here.ignores("an unknown kind", ann_uri,
                 saying("Undo", inlined("Listen", ann_uri, alice_uri, follow_id)));
    here.ignores("a follow of theirs", ann_uri,
                 saying("Undo", inlined("Follow", ann_uri, ben_uri, follow_id)));
    here.ignores("nothing", ann_uri, saying("Undo", nullptr));
  });
}

TEST_CASE("a follow of nobody here changes nothing", "[inbound][inbound_relations][A83]") {
  with_inbound([](inbound_world& here) {
    here.ignores("no such account", ann_uri, saying("Follow", "https://example.org/users/nobody"));
    here.ignores("an account of theirs", ann_uri, saying("Follow", ben_uri));
    here.ignores("ourselves", ann_uri, saying("Follow", "https://example.org"));
    here.ignores("no object", ann_uri, saying("Follow", nullptr));
    here.ignores("a type nobody knows", ann_uri, saying("Listen", alice_uri));
    here.ignores("an unknown signer", "https://far.example/stranger", saying("Follow", alice_uri));
    auto forged = saying("Follow", alice_uri);
    forged["actor"] = ben_uri;
    here.ignores("another's name", ann_uri, forged);
    here.run("UPDATE account SET suspended_at = 1 WHERE id = 20");
    here.ignores("a suspended account", ann_uri, saying("Follow", alice_uri));
    must(store_domain_block(*here.storage.open_writer(),
                            {.owner = whole_server, .host = "lone.example"}));
    here.ignores("a blocked host", lone_uri, saying("Follow", alice_uri));
  });
}

TEST_CASE("our follow is in force when its followee accepts", "[inbound][inbound_relations][I4]") {
  const auto ways =
      std::vector<std::pair<std::string, std::function<json_value(const std::string&)>>>{
          {"by id", [](const std::string& id) { return json_value{id}; }},
          {"inlined",
           [](const std::string& id) {
             return json_value{inlined("Follow", alice_uri, ann_uri, id)};
           }},
          {"inlined without its id",
           [](const std::string&) { return json_value{inlined("Follow", alice_uri, ann_uri)}; }}};
  for (const auto& [what, object_of] : ways)
    with_inbound([&](inbound_world& here) {
      INFO(what);
      const auto object = object_of(ask_ann(here));
      here.ignores("a third party", ben_uri, saying("Accept", object));
      here.ignores("elsewhere", lone_uri, saying("Accept", object));
      here.hear(ann_uri, saying("Accept", object));
      CHECK(here.all("SELECT follower, followee, accepted FROM follow") == lines{"7|20|1"});
      CHECK(here.log().back() == "8|20|f/7/20");
      CHECK(here.last().extra.empty());
      here.ignores("again", ann_uri, saying("Accept", object));
    });
}

TEST_CASE("a follow that was never sent is not accepted",
          "[inbound][inbound_relations][A50][A51]") {
  with_inbound([](inbound_world& here) {
    const auto id = ask_ann(here);
    must(here.tell(follow_account{bob, ben, {}, {}}));
    const auto bobs = here.last().ap_id;
    here.ignores("never sent", ann_uri,
                 saying("Accept", inlined("Follow", carol_uri, ann_uri, carol_uri + "#follow/1")));
    here.ignores("somebody else's id", ann_uri, saying("Accept", bobs));
    here.ignores("somebody else's id in ours", ann_uri,
                 saying("Accept", inlined("Follow", alice_uri, ann_uri, bobs)));
    here.ignores("of another", ann_uri, saying("Accept", inlined("Follow", alice_uri, ben_uri)));
    here.ignores("no follow", ann_uri, saying("Accept", inlined("Like", alice_uri, ann_uri)));
    here.ignores("an older id", ann_uri, saying("Accept", alice_uri + "#follow/1"));
    CHECK(here.all("SELECT SUM(accepted) FROM follow") == lines{"0"});
    here.hear(ann_uri, saying("Accept", id));
    CHECK(here.all("SELECT SUM(accepted) FROM follow") == lines{"1"});
  });
}

TEST_CASE("a Reject ends our request and our follow", "[inbound][inbound_relations][A50]") {
  for (const auto was_accepted : {false, true})
    with_inbound([&](inbound_world& here) {
      const auto id = ask_ann(here);
      if (was_accepted)
        here.hear(ann_uri, saying("Accept", id));
      here.ignores("a third party", ben_uri, saying("Reject", id));
      here.hear(ann_uri, saying("Reject", id));
      CHECK(here.count("follow") == 0);
      CHECK(here.log().back() == (was_accepted ? "9|20|f/7/20" : "11|20|f/7/20"));
      here.ignores("again", ann_uri, saying("Reject", id));
      here.ignores("a late Accept", ann_uri, saying("Accept", id));
    });
}

TEST_CASE("a Block ends the follows of both, and its Undo ends the block",
          "[inbound][inbound_relations]") {
  with_inbound([](inbound_world& here) {
    here.hear(ann_uri, saying("Follow", alice_uri, follow_id));
    here.hear(ann_uri, saying("Accept", ask_ann(here)));
    const auto block_id = std::string{"https://far.example/blocks/1"};
    here.hear(ann_uri, saying("Block", alice_uri, block_id));
    CHECK(here.count("follow") == 0);
    CHECK(here.told().empty());
    CHECK(here.all("SELECT blocker, blocked, uri FROM block") == lines{"20|7|" + block_id});
    CHECK(here.all("SELECT SUM(n) FROM follower_endpoint") == lines{"0"});
    CHECK(here.log().back() == "12|20|b/20/7");
    here.ignores("again", ann_uri, saying("Block", alice_uri));
    CHECK(code(here.tell(follow_account{alice, ann, {}, {}})) == errc::forbidden);
    here.ignores("another's undo", lone_uri, saying("Undo", block_id));
    here.hear(ann_uri, saying("Undo", block_id));
    CHECK(here.count("block") == 0);
    CHECK(here.log().back() == "13|20|b/20/7");
    here.ignores("of nobody here", ann_uri, saying("Block", ben_uri));
  });
}
