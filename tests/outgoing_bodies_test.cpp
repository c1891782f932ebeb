// What was emptied by age is said again from what is there.
#include "actors/outgoing_bodies.hpp"

#include "kit/federated_world.hpp"
#include "protocol/crypto.hpp"
#include "storage/federation_views.hpp"

#include <set>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

const auto urls = urls_of("example.org");
constexpr auto far_post = post_id{500};

struct said_row {
  log_seq seq = 0;
  log_kind kind = log_kind::create;
  std::string body;
  std::string sha256;
};

struct bodies_world : federated_world {
  using federated_world::federated_world;

  /// Every row that says something.
  std::vector<said_row> said() {
    auto rows = std::vector<said_row>{};
    for (const auto& row :
         must(db().run(
                  "SELECT seq, kind, body, sha256 FROM log WHERE body IS NOT NULL ORDER BY seq"))
             .rows)
      rows.push_back({row[0].integer(), static_cast<log_kind>(row[1].integer()), row[2].bytes(),
                      row[3].bytes()});
    return rows;
  }

  said_row last_said() {
    auto rows = said();
    REQUIRE_FALSE(rows.empty());
    return rows.back();
  }

  caf::expected<outgoing_activity> again(log_seq seq) {
    return outgoing_of(db(), seq, urls, actors.now());
  }

  void empty_all() { run("UPDATE log SET body = NULL"); }

  template <class Message>
  void did(Message message) {
    REQUIRE(code(tell(std::move(message))) == errc{});
  }

  errc gone(log_seq seq) {
    const auto activity = again(seq);
    return activity ? errc{} : code_of(activity.error());
  }
};

void with_bodies(const std::function<void(bodies_world&)>& body) {
  on_both([&](test_database& fresh) {
    auto here = bodies_world{
        [&](bool writer) { return writer ? fresh.connect() : fresh.connect_reader(); }};
    here.follow_from_afar(ann, alice);
    here.ask_from_afar(ben, carol);
    {
      auto writer = here.storage.open_writer();
      add_remote_post(*writer, far_post, ann);
    }
    body(here);
  });
}

} // namespace

TEST_CASE("each kind of activity is rendered again as it was", "[outgoing_bodies]") {
  with_bodies([](bodies_world& here) {
    const auto poll = poll_draft{.options = {"yes", "no"}, .life = 1h};
    here.posted(alice, {.text = "hello @ann@far.example #tag", .spoiler = "cw", .language = "de"});
    here.posted(alice, {.text = "for followers", .seen_by = visibility::followers});
    here.posted(alice, {.text = "@ann@far.example", .seen_by = visibility::direct});
    here.posted(alice, {.text = "an answer", .reply_to = far_post});
    here.posted(alice, {.text = "which?", .poll = poll});
    const auto mine = here.posted(alice, {.text = "mine"});
    must(here.ask<post_id>(boost_post{alice, far_post, visibility::everyone, {}}));
    must(here.ask<post_id>(boost_post{alice, mine, visibility::unlisted, {}}));
    here.did(favourite_post{alice, far_post, {}});
    here.did(follow_account{alice, ben, {}, {}});
    here.did(follow_account{alice, lone, {}, {}});
    here.run("UPDATE follow SET accepted = 1 WHERE followee = " + to_string(lone));
    here.did(block_account{bob, ann, {}});
    here.did(answer_follow_request{carol, ben, true, {}});
    here.did(change_profile{alice, {.display_name = "Alice A."}, {}});
    const auto said = here.said();
    auto kinds = std::set<log_kind>{};
    here.empty_all();
    for (const auto& row : said) {
      CAPTURE(row.seq, to_string(row.kind), row.body);
      kinds.insert(row.kind);
      const auto again = must(here.again(row.seq));
      REQUIRE(again.body);
      CHECK(*again.body == row.body);
      CHECK(again.sha256 == row.sha256);
      CHECK(again.signer);
    }
    CHECK(kinds == std::set{log_kind::create, log_kind::announce, log_kind::like,
                            log_kind::follow_request, log_kind::block, log_kind::accept_follow,
                            log_kind::update_actor});
  });
}

TEST_CASE("an edited post is rendered as it is now, with the id that each activity had",
          "[outgoing_bodies]") {
  with_bodies([](bodies_world& here) {
    const auto id = here.posted(alice, {.text = "frist"});
    const auto create = here.last_said();
    must(here.ask<post_id>(edit_post{alice, id, {.text = "first"}, {}}));
    const auto update = here.last_said();
    REQUIRE(update.kind == log_kind::update);
    here.empty_all();
    const auto created = must(parse_json(*must(here.again(create.seq)).body));
    const auto before = must(parse_json(create.body));
    CHECK(*created.find("id")->as_string() == *before.find("id")->as_string());
    CHECK(*created.find("type")->as_string() == "Create");
    CHECK(*created.find("object")->find("content")->as_string() == "<p>first</p>");
    CHECK(*must(here.again(update.seq)).body == update.body);
    CHECK(must(here.again(create.seq)).sha256 == sha256(*must(here.again(create.seq)).body));
  });
}

TEST_CASE("what the log still has is sent as it stands", "[outgoing_bodies]") {
  with_bodies([](bodies_world& here) {
    here.posted(alice, {.text = "hello"});
    const auto row = here.last_said();
    here.run("UPDATE post SET html = 'changed behind its back'");
    CHECK(*must(here.again(row.seq)).body == row.body);
    CHECK(here.gone(999) == errc::not_found);
    here.posted(alice, {.text = "@bob", .seen_by = visibility::direct});
    CHECK(here.gone(row.seq + 1) == errc::not_found); // for nobody elsewhere
  });
}

TEST_CASE("what is taken back cannot be rendered again, and its taking back is kept",
          "[outgoing_bodies]") {
  with_bodies([](bodies_world& here) {
    const auto id = here.posted(alice, {.text = "hello"});
    const auto create = here.last_said().seq;
    here.did(delete_post{alice, id, {}});
    must(here.ask<post_id>(boost_post{alice, far_post, visibility::everyone, {}}));
    const auto announce = here.last_said().seq;
    here.did(unboost_post{alice, far_post, {}});
    must(here.ask<post_id>(boost_post{alice, far_post, visibility::everyone, {}}));
    here.did(favourite_post{alice, far_post, {}});
    const auto like = here.last_said().seq;
    here.did(unfavourite_post{alice, far_post, {}});
    here.did(favourite_post{alice, far_post, {}}); // another one
    here.did(follow_account{alice, ben, {}, {}});
    const auto follow = here.last_said().seq;
    here.did(unfollow_account{alice, ben, {}});
    here.did(block_account{bob, ann, {}});
    const auto block = here.last_said().seq;
    here.did(unblock_account{bob, ann, {}});
    here.did(answer_follow_request{carol, ben, true, {}});
    const auto accept = here.last_said().seq;
    here.did(drop_follower{carol, ben, {}});
    const auto said = here.said();
    here.run("UPDATE log SET body = NULL WHERE kind IN (1, 2, 4, 6, 8, 10, 12, 18, 20, 24)");
    for (const auto seq : {create, announce, like, follow, block, accept}) {
      CAPTURE(seq);
      CHECK(here.gone(seq) == errc::not_found);
    }
    CHECK_THAT(context_of(here.again(create).error()),
               Catch::Contains("post " + to_string(id) + " is no longer there"));
    for (const auto& row : said)
      if (row.seq != create && row.seq != announce && row.seq != like && row.seq != follow &&
          row.seq != block && row.seq != accept) {
        CAPTURE(row.seq, to_string(row.kind));
        CHECK(*must(here.again(row.seq)).body == row.body);
      }
  });
}

TEST_CASE("what is neither kept nor rendered again says so", "[outgoing_bodies]") {
  with_bodies([](bodies_world& here) {
    const auto id = here.posted(alice, {.text = "hello"});
    here.did(delete_post{alice, id, {}});
    const auto row = here.last_said();
    REQUIRE(row.kind == log_kind::remove);
    here.empty_all();
    CHECK(here.gone(row.seq) == errc::not_found);
    CHECK_THAT(context_of(here.again(row.seq).error()), Catch::Contains("remove"));
  });
}

TEST_CASE("a body is read once for all hosts that ask", "[outgoing_bodies]") {
  with_bodies([](bodies_world& here) {
    here.posted(alice, {.text = "hello"});
    const auto row = here.last_said();
    const auto bodies = std::make_shared<delivery_bodies>();
    const auto ask = [&] { return ask_body(bodies, row.seq, urls, here.actors.now()); };
    const auto asked_at_once = std::vector{ask(), ask()};
    const auto first = must(asked_at_once[0].run(here.db()));
    CHECK(*first.text == row.body);
    CHECK(first.sha256 == row.sha256);
    CHECK(first.signer == alice);
    here.run("DELETE FROM log");
    CHECK(must(asked_at_once[1].run(here.db())).text == first.text);
    CHECK(code_of(ask_body(bodies, 99, urls, here.actors.now()).run(here.db()).error()) ==
          errc::not_found);
  });
}
