#include "kit/account_world.hpp"
#include "storage/audience_store.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

std::string n(post_id id) {
  return to_string(id);
}

} // namespace

TEST_CASE("a plain post is its row and its row of the log", "[account][P3]") {
  with_world([](account_world& here) {
    const auto first = here.posted(alice, {.text = "warm up"});
    const auto before = here.written();
    const auto id = here.posted(alice, {.text = "hello", .language = "de"});
    const auto batches = here.db().dialect() == "postgres" ? 1 : 0; // its batch table
    CHECK(here.written() - before == 2 + batches);
    CHECK(id > first);
    CHECK(here.all("SELECT author, text, html, visibility, language FROM post WHERE id = " +
                   n(id)) == lines{"7|hello|<p>hello</p>|1|de"});
    CHECK(here.log("kind, author, object_key, class, public, audience_id, ap_id, body").back() ==
          "1|7|p/0/" + n(id) + "|2|1|0|https://example.org/users/Alice/statuses/" + n(id) +
              "/activity|null");
  });
}

TEST_CASE("a post that is refused changes nothing and says why", "[account]") {
  with_world([](account_world& here) {
    const auto says = [&](post_draft draft, std::string key = "") {
      const auto answer = here.post(alice, std::move(draft), std::move(key));
      REQUIRE_FALSE(answer);
      CHECK(code_of(answer.error()) == errc::invalid);
      return context_of(answer.error());
    };
    CHECK(says({.text = ""}) == "Validation failed: Text can't be blank");
    CHECK(says({.text = " \n\xe2\x80\x8b"}) == "Validation failed: Text can't be blank");
    CHECK(says({.text = std::string(501, 'a')}) ==
          "Validation failed: Text character limit of 500 exceeded");
    CHECK(says({.text = std::string(300, 'a'), .spoiler = std::string(201, 'b')}) ==
          "Validation failed: Text character limit of 500 exceeded");
    CHECK(says({.text = std::string(70'000, '\n') + "a"}) ==
          "Validation failed: Text is not valid text");
    CHECK(says({.text = std::string("a\0b", 3)}) == "Validation failed: Text is not valid text");
    CHECK(says({.text = "a\xff"}) == "Validation failed: Text is not valid text");
    CHECK(says({.text = "a", .spoiler = "\xc0\x80"}) ==
          "Validation failed: Spoiler text is not valid text");
    CHECK(says({.text = "a", .language = "x'--"}) ==
          "Validation failed: Language is not a code of ISO 639");
    CHECK(says({.text = "a"}, std::string(256, 'k')) ==
          "Idempotency-Key: must be at most 255 bytes of text");
    CHECK(here.count("post") == 0);
    CHECK(here.count("log") == 0);
    CHECK(here.post(alice, {.text = std::string(500, 'a')}));
    const auto report = must(here.ask<account_report>(describe_account{alice}));
    CHECK(report.refused == 10);
    CHECK(report.writes == 1);
    CHECK(report.in_flight == 0);
    CHECK(report.last_error.find("Idempotency-Key") == 0);
  });
}

TEST_CASE("a key gives the same post for an hour, also after a crash", "[account][I1]") {
  with_world([](account_world& here) {
    const auto id = here.posted(alice, {.text = "once"}, "key");
    CHECK(here.posted(alice, {.text = "twice"}, "key") == id);
    here.kill_account(alice);
    CHECK(here.posted(alice, {.text = "twice"}, "key") == id);
    here.kill_and_restart();
    CHECK(here.posted(alice, {.text = "twice"}, "key") == id);
    CHECK(here.posted(bob, {.text = "other"}, "key") != id);
    CHECK(here.count("post") == 2);
    CHECK(here.count("log") == 2);
    here.actors.advance(61min);
    const auto later = here.posted(alice, {.text = "later"}, "key");
    CHECK(later > id);
    CHECK(here.all("SELECT id FROM post WHERE author = 7 AND idempotency_key IS NOT NULL") ==
          lines{n(later)});
  });
}

TEST_CASE("the same key at the same time makes one post", "[account][I1]") {
  with_world([](account_world& here) {
    auto answers = std::vector<kit::pending_reply<post_id>>{};
    for (auto i = 0; i < 5; ++i)
      answers.push_back(here.actors.start<post_id>(
          here.accounts, publish_post{alice, {.text = "now"}, "key", {}}));
    here.actors.settle();
    for (const auto& answer : answers)
      CHECK(must(answer.get()) == must(answers[0].get()));
    CHECK(here.count("post") == 1);
    CHECK(here.count("log") == 1);
  });
}

TEST_CASE("many posts of one author share commits and keep their order", "[account]") {
  with_world([](account_world& here) {
    here.posted(alice, {.text = "warm up"});
    const auto before = here.storage.counters()->batches.load();
    auto order = std::vector<std::string>{};
    here.actors.spawn([&](caf::event_based_actor* self) {
      for (auto i = 0; i < 40; ++i)
        self->request(here.accounts, caf::infinite,
                      publish_post{alice, {.text = std::to_string(i)}, "", {}})
            .then([&order, i](post_id) { order.push_back(std::to_string(i)); });
    });
    here.actors.settle();
    REQUIRE(order.size() == 40);
    CHECK(here.storage.counters()->batches - before < 40);
    CHECK(here.all("SELECT text FROM post WHERE text <> 'warm up' ORDER BY id") == [] {
      auto all = lines{};
      for (auto i = 0; i < 40; ++i)
        all.push_back(std::to_string(i));
      return all;
    }());
  });
}

TEST_CASE("whom a post names gets a row, a link and is in its facts", "[account]") {
  with_world([](account_world& here) {
    const auto id = here.posted(alice, {.text = "@bob @BOB @carol@example.org @nobody #Cat #cat",
                                        .seen_by = visibility::direct});
    CHECK(here.all("SELECT account_id FROM mention ORDER BY account_id") == lines{"8", "9"});
    CHECK(here.all("SELECT folded, name FROM tag") == lines{"cat|Cat"});
    const auto html = here.all("SELECT html FROM post WHERE id = " + n(id))[0];
    CHECK(html.find("href=\"https://example.org/@bob\"") != std::string::npos);
    CHECK(html.find("href=\"https://example.org/@carol\"") != std::string::npos);
    CHECK(html.find("> @nobody <") != std::string::npos);
    CHECK(here.log("kind, class, public") == lines{"1|1|0"}); // direct comes first, is not public
  });
}

TEST_CASE("only what its author may see can be answered", "[account]") {
  with_world([](account_world& here) {
    const auto open = here.posted(alice, {.text = "open"});
    const auto closed = here.posted(alice, {.text = "closed", .seen_by = visibility::followers});
    const auto reply = here.posted(bob, {.text = "yes", .reply_to = open});
    CHECK(here.all("SELECT reply_to, reply_author FROM post WHERE id = " + n(reply)) ==
          lines{n(open) + "|7"});
    CHECK(code(here.post(bob, {.text = "no", .reply_to = closed})) == errc::not_found);
    CHECK(code(here.post(bob, {.text = "no", .reply_to = post_id{5}})) == errc::not_found);
    const auto boost = must(here.ask<post_id>(boost_post{bob, open, visibility::everyone, {}}));
    const auto second = here.posted(alice, {.text = "to the boost", .reply_to = boost});
    CHECK(here.all("SELECT reply_to FROM post WHERE id = " + n(second)) == lines{n(open)});
    CHECK(code(here.tell(block_account{alice, bob, {}})) == errc{});
    CHECK(code(here.post(bob, {.text = "no", .reply_to = open})) == errc::not_found);
  });
}

TEST_CASE("an edit keeps the old version and is one row of the log", "[account]") {
  with_world([](account_world& here) {
    const auto id = here.posted(alice, {.text = "hi @bob"});
    const auto edit = [&](post_draft draft, account_id who = alice) {
      return here.ask<post_id>(edit_post{who, id, std::move(draft), {}});
    };
    CHECK(must(edit({.text = "hello @carol", .spoiler = "cw"})) == id);
    CHECK(here.all("SELECT text, spoiler, sensitive FROM post") == lines{"hello @carol|cw|1"});
    CHECK(here.all("SELECT text FROM post_edit") == lines{"hi @bob"});
    CHECK(here.all("SELECT account_id FROM mention") == lines{"9"});
    REQUIRE(here.log().size() == 2);
    CHECK(here.log().back() == "2|7|p/0/" + n(id));
    const auto before = here.written();
    CHECK(must(edit({.text = "hello @carol", .spoiler = "cw"})) == id); // the same again
    CHECK(here.count("log") == 2);
    CHECK(here.count("post_edit") == 1);
    CHECK(here.written() - before <= 1); // PostgreSQL notes the batch
    CHECK(code(edit({.text = "x"}, bob)) == errc::not_found);
    CHECK(code(edit({.text = ""})) == errc::invalid);
    must(edit({.text = "a"}));
    must(edit({.text = "b"}));
    must(edit({.text = "c"}));
    CHECK(here.count("post_edit") == 4);
  });
}

TEST_CASE("edits that share a commit are versions of their own", "[account]") {
  with_world([](account_world& here) {
    const auto id = here.posted(alice, {.text = "0"});
    auto answers = std::vector<kit::pending_reply<post_id>>{};
    for (const auto* text : {"1", "2", "3"})
      answers.push_back(
          here.actors.start<post_id>(here.accounts, edit_post{alice, id, {.text = text}, {}}));
    here.actors.settle();
    for (const auto& answer : answers)
      CHECK(must(answer.get()) == id);
    CHECK(here.count("post_edit") == 3);
  });
}

TEST_CASE("A116: what not everybody could see leaves no tombstone", "[account][I7]") {
  with_world([](account_world& here) {
    for (const auto seen_by : {visibility::followers, visibility::direct}) {
      const auto id = here.posted(alice, {.text = "for few", .seen_by = seen_by});
      CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    }
    CHECK(here.count("post") == 0);
    CHECK(here.count("tombstone") == 0);
    const auto id = here.posted(alice, {.text = "for all", .seen_by = visibility::unlisted});
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    CHECK(here.count("tombstone") == 1);
  });
}

TEST_CASE("a deleted post takes its boosts along, in one row of the log", "[account]") {
  with_world([](account_world& here) {
    const auto id = here.posted(alice, {.text = "hi"});
    must(here.ask<post_id>(boost_post{bob, id, visibility::everyone, {}}));
    CHECK(code(here.tell(delete_post{bob, id, {}})) == errc::not_found);
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc{});
    CHECK(here.count("post") == 0);
    CHECK(here.count("tombstone") == 1);
    CHECK(here.log("kind, ap_id").back() ==
          "3|https://example.org/users/Alice/statuses/" + n(id) + "#delete");
    CHECK(here.count("log") == 3);
    CHECK(code(here.tell(delete_post{alice, id, {}})) == errc::not_found);
    CHECK(here.count("log") == 3);
  });
}

TEST_CASE("a boost is made and taken back once", "[account]") {
  with_world([](account_world& here) {
    const auto id = here.posted(alice, {.text = "hi @carol"});
    const auto boost = [&](account_id who, post_id target, visibility seen_by) {
      return here.ask<post_id>(boost_post{who, target, seen_by, {}});
    };
    const auto made = must(boost(bob, id, visibility::unlisted));
    CHECK(must(boost(bob, id, visibility::everyone)) == made);
    CHECK(must(boost(bob, made, visibility::everyone)) == made); // boosting the boost
    CHECK(here.all("SELECT visibility, boost_of, boost_author FROM post WHERE id = " + n(made)) ==
          lines{"2|" + n(id) + "|7"});
    CHECK(here.log().back() == "4|8|a/8/" + n(id));
    CHECK(here.count("log") == 2);
    CHECK(code(here.tell(unboost_post{bob, id, {}})) == errc{});
    CHECK(code(here.tell(unboost_post{bob, id, {}})) == errc{});
    CHECK(here.log().back() == "5|8|a/8/" + n(id));
    CHECK(here.count("log") == 3);
    // Deleting the boost itself is taking it back.
    const auto again = must(boost(bob, id, visibility::everyone));
    CHECK(code(here.tell(delete_post{bob, again, {}})) == errc{});
    CHECK(here.log().back() == "5|8|a/8/" + n(id));
    CHECK(here.count("post") == 1);
  });
}

TEST_CASE("what is not public is boosted by nobody, or its author", "[account]") {
  with_world([](account_world& here) {
    const auto closed = here.posted(alice, {.text = "c", .seen_by = visibility::followers});
    const auto letter = here.posted(alice, {.text = "@bob", .seen_by = visibility::direct});
    const auto boost = [&](account_id who, post_id id) {
      return here.ask<post_id>(boost_post{who, id, visibility::everyone, {}});
    };
    CHECK(code(boost(bob, closed)) == errc::not_found);
    CHECK(code(here.tell(follow_account{bob, alice, {}, {}})) == errc{});
    CHECK(code(boost(bob, closed)) == errc::forbidden);
    CHECK(code(boost(bob, letter)) == errc::forbidden);
    CHECK(code(boost(alice, letter)) == errc::forbidden);
    const auto own = must(boost(alice, closed));
    CHECK(here.all("SELECT visibility FROM post WHERE id = " + n(own)) == lines{"3"});
    CHECK(code(here.ask<post_id>(boost_post{alice, own, visibility::direct, {}})) == errc::invalid);
  });
}

TEST_CASE("a follow is one row of the log, doing it again none", "[account]") {
  with_world([](account_world& here) {
    const auto follow = [&](account_id who, account_id target, follow_options options = {}) {
      return code(here.tell(follow_account{who, target, options, {}}));
    };
    CHECK(follow(alice, bob) == errc{});
    CHECK(follow(alice, bob) == errc{});
    CHECK(here.log() == lines{"8|7|f/7/8"});
    CHECK(follow(alice, bob, {.show_boosts = false}) == errc{});
    CHECK(here.log().back() == "8|7|f/7/8");
    CHECK(here.count("log") == 2);
    CHECK(follow(alice, carol) == errc{}); // locked
    CHECK(here.log().back() == "10|7|f/7/9");
    CHECK(here.all("SELECT followee, accepted, show_boosts FROM follow ORDER BY followee") ==
          lines{"8|1|0", "9|0|1"});
    CHECK(follow(alice, alice) == errc::not_found);
    CHECK(follow(alice, account_id{99}) == errc::not_found);
    CHECK(code(here.tell(unfollow_account{alice, bob, {}})) == errc{});
    CHECK(code(here.tell(unfollow_account{alice, bob, {}})) == errc{});
    CHECK(code(here.tell(unfollow_account{alice, carol, {}})) == errc{});
    CHECK(here.count("follow") == 0);
    CHECK(here.log() == lines{"8|7|f/7/8", "8|7|f/7/8", "10|7|f/7/9", "9|7|f/7/8", "11|7|f/7/9"});
  });
}

TEST_CASE("a block ends the follows both ways", "[account]") {
  with_world([](account_world& here) {
    CHECK(code(here.tell(follow_account{alice, bob, {}, {}})) == errc{});
    CHECK(code(here.tell(follow_account{bob, alice, {}, {}})) == errc{});
    CHECK(code(here.tell(block_account{alice, bob, {}})) == errc{});
    CHECK(code(here.tell(block_account{alice, bob, {}})) == errc{});
    CHECK(here.count("follow") == 0);
    CHECK(here.log() == lines{"8|7|f/7/8", "8|8|f/8/7", "9|7|f/7/8", "9|7|f/8/7", "12|7|b/7/8"});
    CHECK(code(here.tell(follow_account{alice, bob, {}, {}})) == errc::forbidden);
    CHECK(code(here.tell(follow_account{bob, alice, {}, {}})) == errc::forbidden);
    CHECK(code(here.tell(unblock_account{alice, bob, {}})) == errc{});
    CHECK(code(here.tell(unblock_account{alice, bob, {}})) == errc{});
    CHECK(here.log().back() == "13|7|b/7/8");
    CHECK(here.count("log") == 6);
    CHECK(code(here.tell(follow_account{bob, alice, {}, {}})) == errc{});
  });
}

TEST_CASE("a mute stays on this server", "[account]") {
  with_world([](account_world& here) {
    CHECK(code(here.tell(mute_account{alice, bob, {}, {}})) == errc{});
    CHECK(code(here.tell(mute_account{alice, bob, {}, {}})) == errc{});
    CHECK(code(here.tell(unmute_account{alice, bob, {}})) == errc{});
    CHECK(code(here.tell(unmute_account{alice, bob, {}})) == errc{});
    CHECK(here.log("kind, object_key, ap_id") == lines{"14|m/7/8|null", "15|m/7/8|null"});
    CHECK(code(here.tell(mute_account{alice, account_id{99}, {}, {}})) == errc::not_found);
  });
}

TEST_CASE("a disabled or deleted account changes nothing any more", "[account][I11]") {
  with_world([](account_world& here) {
    here.posted(alice, {.text = "before"});
    auto writer = here.storage.open_writer();
    must(writer->run("UPDATE account SET disabled_at = 1 WHERE id = 7"));
    must(writer->run("UPDATE account SET deleted_at = 1 WHERE id = 8"));
    here.actors.advance(1s);
    CHECK(code(here.post(alice, {.text = "after"})) == errc::forbidden);
    CHECK(code(here.tell(follow_account{alice, carol, {}, {}})) == errc::forbidden);
    CHECK(code(here.post(bob, {.text = "after"})) == errc::not_found);
    CHECK(code(here.post(account_id{99}, {.text = "nobody"})) == errc::not_found);
    CHECK(here.count("post") == 1);
    must(writer->run("UPDATE account SET disabled_at = NULL WHERE id = 7"));
    CHECK(here.post(alice, {.text = "again"}));
  });
}

TEST_CASE("posts name the audience that the author has by then", "[account]") {
  with_world([](account_world& here) {
    auto writer = here.storage.open_writer();
    const auto audience_of_post = [&](post_draft draft) {
      const auto id = here.posted(alice, std::move(draft));
      return here.all("SELECT p.audience_id = l.audience_id, l.audience_id > 0 FROM post p"
                      " JOIN log l ON l.object_key = 'p/0/" +
                      n(id) + "' WHERE p.id = " + n(id))[0];
    };
    CHECK(audience_of_post({.text = "a"}) == "1|0");
    must(add_follower(*writer, alice, endpoint_id{5}));
    CHECK(audience_of_post({.text = "b"}) == "1|1");
    CHECK(audience_of_post({.text = "c", .seen_by = visibility::direct}) == "1|0");
    CHECK(here.count("audience") == 1);
  });
}

TEST_CASE("what a post writes does not depend on its followers", "[account][P3]") {
  with_world([](account_world& here) {
    auto writer = here.storage.open_writer();
    const auto log_and_batch = here.db().dialect() == "postgres" ? 3 : 2;
    auto followers = 0;
    for (const auto wanted : {10, 1'000, 100'000}) {
      must(writer->run("INSERT INTO follow(follower, followee, at)"
                       " WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL"
                       " SELECT i + 1 FROM n WHERE i < $2) SELECT i + 1000, 7, 1 FROM n",
                       {followers + 1, wanted}));
      followers = wanted;
      here.posted(alice, {.text = "warm up " + std::to_string(wanted)});
      here.actors.advance(10s); // the ids' row of before
      const auto before = here.written();
      here.posted(alice, {.text = "to " + std::to_string(wanted)});
      here.actors.advance(10s);
      CAPTURE(wanted);
      const auto ids_row = here.db().dialect() == "postgres" ? 2 : 1;
      CHECK(here.written() - before <= log_and_batch + ids_row);
      CHECK(here.written() - before >= log_and_batch);
    }
  });
}
