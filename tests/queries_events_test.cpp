// Which rows of the log give which events, and what they say.
#include "actors/queries_events.hpp"

#include "actors/queries_admin.hpp"
#include "kit/inbound_world.hpp"
#include "storage/log_store.hpp"
#include "tests/kit/failing_database.hpp"

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

namespace {

using lines = std::vector<std::string>;

const auto note_id = std::string{"https://far.example/notes/1"};

std::string text_of(const activity_event& event) {
  return event.type + " by " + event.actor + (event.local ? " of ours" : "") + ": " + event.object;
}

std::string text_of(const post_event& event) {
  const auto* change = event.change == post_change::created  ? "created"
                       : event.change == post_change::edited ? "edited"
                                                             : "deleted";
  auto text = std::string{"post "} + change + " by " + event.author +
              (event.local ? " of ours" : "") + ": " + event.visibility + " " + event.content;
  for (const auto& named : event.mentions)
    text += " @" + named;
  return text;
}

std::string text_of(const account_event& event) {
  constexpr auto words = std::to_array<std::string_view>(
      {"created", "updated", "disabled", "enabled", "deleted", "moved"});
  return "account " + std::string{words[static_cast<std::size_t>(event.change)]} + ": " +
         event.account + (event.local ? " of ours" : "");
}

template <class Other>
std::string text_of(const Other&) {
  return "not of the log";
}

/// The events of the rows after `after`, a line each.
lines told(account_world& here, log_seq after = 0) {
  const auto page =
      must(ask_events_after(after, event_rows_max, urls_of("example.org")).run(here.db()));
  auto all = lines{};
  for (const auto& event : page.events)
    all.push_back(std::visit([](const auto& one) { return text_of(one); }, event));
  return all;
}

log_seq newest(account_world& here) {
  return must(newest_seq(here.db()));
}

template <class Event>
Event only(account_world& here, log_seq after) {
  const auto page =
      must(ask_events_after(after, event_rows_max, urls_of("example.org")).run(here.db()));
  auto found = std::vector<Event>{};
  for (const auto& event : page.events)
    if (const auto* one = std::get_if<Event>(&event))
      found.push_back(*one);
  REQUIRE(found.size() == 1);
  return found[0];
}

json_object note(const std::string& content) {
  return {{"id", note_id},
          {"type", "Note"},
          {"attributedTo", ann_uri},
          {"content", content},
          {"to", json_array{everyone}},
          {"cc", json_array{ann_uri + "/followers"}}};
}

} // namespace

TEST_CASE("a post of ours is told as clients see it, whoever may see it", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    const auto first = here.posted(alice, {.text = "hi @bob and @ann@far.example #tag",
                                           .spoiler = "careful",
                                           .sensitive = true,
                                           .seen_by = visibility::direct,
                                           .language = "en"});
    const auto answer = here.posted(bob, {.text = "you", .reply_to = first});
    const auto event = only<post_event>(here, newest(here) - 1);
    CHECK(event.seq == newest(here));
    CHECK(event.at == here.actors.now());
    CHECK(event.id == to_string(answer));
    CHECK(event.reply_to_id == to_string(first));
    CHECK(event.uri == bob_uri + "/statuses/" + to_string(answer));
    CHECK(event.author_id == to_string(bob));
    CHECK(event.visibility == "public");

    const auto page = must(ask_events_after(0, 1, urls_of("example.org")).run(here.db()));
    CHECK(page.upto == 1);
    REQUIRE(page.events.size() == 2);
    const auto& activity = std::get<activity_event>(page.events[0]);
    CHECK(text_of(activity) ==
          "Create by Alice of ours: " + alice_uri + "/statuses/" + to_string(first));
    CHECK(activity.seq == 1);
    CHECK(activity.actor_id == "7");
    const auto& post = std::get<post_event>(page.events[1]);
    CHECK(post.content.find("<p>hi <span") == 0);
    CHECK(post.content ==
          must(here.db().run("SELECT html FROM post WHERE id = $1", {first})).rows[0][0].text());
    CHECK(post.spoiler == "careful");
    CHECK(post.sensitive);
    CHECK(post.language == "en");
    CHECK(post.visibility == "direct");
    CHECK(post.mentions == lines{"bob", "ann@far.example"});
    CHECK(post.reply_to_id.empty());
    CHECK(post.local);
  });
}

TEST_CASE("edits have the newest text, deleted posts none", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    const auto id = here.posted(alice, {.text = "one"});
    must(here.ask<post_id>(edit_post{alice, id, {.text = "two"}, {}}));
    CHECK(told(here, 1) ==
          lines{"Update by Alice of ours: " + alice_uri + "/statuses/" + to_string(id),
                "post edited by Alice of ours: public <p>two</p>"});
    CHECK(told(here)[1] == "post created by Alice of ours: public <p>two</p>");
    must(here.tell(delete_post{alice, id, {}}));
    CHECK(told(here, 2) == lines{"Delete by Alice of ours: ", "post deleted by Alice of ours:  "});
    CHECK(told(here)[1] == "post created by Alice of ours:  ");
    const auto event = only<post_event>(here, 2);
    CHECK(event.id == to_string(id));
    CHECK(event.uri.empty());
  });
}

TEST_CASE("posts of other servers are told from their Create to their Delete", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    must(store_follow(*here.storage.open_writer(), {bob, ann}, {}, true, "f", here.actors.now()));
    here.hear(ann_uri, saying("Create", note("<p>hi<script>x</script></p>")));
    auto edited = note("<p>ho</p>");
    edited["updated"] = to_iso8601(here.now() + 1s);
    here.actors.advance(2s);
    here.hear(ann_uri, saying("Update", edited));
    CHECK(told(here, 1) == lines{"Update by ann@far.example: " + note_id,
                                 "post edited by ann@far.example: public <p>ho</p>"});
    here.hear(ann_uri, saying("Delete", note_id));
    CHECK(told(here) == lines{"Create by ann@far.example: ", "post created by ann@far.example:  ",
                              "Update by ann@far.example: ", "post edited by ann@far.example:  ",
                              "Delete by ann@far.example: ", "post deleted by ann@far.example:  "});
  });
}

TEST_CASE("what is done with posts names the post", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    const auto id = here.posted(alice, {.text = "hi"});
    const auto uri = alice_uri + "/statuses/" + to_string(id);
    must(here.ask<post_id>(boost_post{bob, id, visibility::everyone, {}}));
    must(here.tell(unboost_post{bob, id, {}}));
    must(here.tell(favourite_post{bob, id, {}}));
    must(here.tell(unfavourite_post{bob, id, {}}));
    must(here.tell(pin_post{alice, id, true, {}}));
    must(here.tell(pin_post{alice, id, false, {}}));
    here.hear(ann_uri, saying("Like", uri));
    auto boost = saying("Announce", uri);
    boost["to"] = json_array{everyone};
    here.hear(ann_uri, std::move(boost));
    CHECK(told(here, 1) == lines{"Announce by bob of ours: " + uri, "Undo by bob of ours: " + uri,
                                 "Like by bob of ours: " + uri, "Undo by bob of ours: " + uri,
                                 "Add by Alice of ours: " + uri, "Remove by Alice of ours: " + uri,
                                 "Like by ann@far.example: " + uri,
                                 "Announce by ann@far.example: " + uri});
  });
}

TEST_CASE("a follow from afar is told once, and so is its answer", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    const auto from = std::string{"Follow by ann@far.example: "};
    const auto to = std::string{" of ours: " + ann_uri};
    here.hear(ann_uri, saying("Follow", alice_uri, "https://far.example/follows/1"));
    CHECK(told(here) == lines{from + alice_uri, "Accept by Alice" + to});
    here.actors.advance(1s);
    here.hear(ann_uri, saying("Follow", alice_uri, "https://far.example/follows/2"));
    CHECK(told(here, 1) == lines{"Accept by Alice" + to}); // it stands since the first one
    here.hear(ann_uri, saying("Undo", "https://far.example/follows/2"));
    CHECK(told(here, 2) == lines{"Undo by ann@far.example: " + alice_uri});

    const auto before = newest(here);
    here.hear(ann_uri, saying("Follow", carol_uri, "https://far.example/follows/3"));
    here.actors.advance(1s);
    must(here.tell(answer_follow_request{carol, ann, true, {}}));
    CHECK(told(here, before) == lines{from + carol_uri, "Accept by carol" + to});
    must(here.tell(drop_follower{carol, ann, {}}));
    CHECK(told(here, before + 2) == lines{"Reject by carol" + to});
  });
}

TEST_CASE("a follow of ours is told once, and so is its answer", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    must(here.tell(follow_account{alice, ann, {}, {}}));
    const auto follow = here.last().ap_id;
    here.actors.advance(1s);
    must(here.tell(follow_account{alice, ann, {.show_boosts = false}, {}})); // says nothing anew
    here.hear(ann_uri, saying("Accept", follow));
    must(here.tell(follow_account{alice, ann, {.show_boosts = true}, {}}));
    must(here.tell(unfollow_account{alice, ann, {}}));
    const auto ours = std::string{"Alice of ours: " + ann_uri};
    CHECK(told(here) == lines{"Follow by " + ours, "Follow by " + ours,
                              "Accept by ann@far.example: " + alice_uri, "Follow by " + ours,
                              "Undo by " + ours});
  });
}

TEST_CASE("changed options of a follow say nothing while it stands", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    must(here.tell(follow_account{alice, bob, {}, {}}));
    here.actors.advance(1s);
    must(here.tell(follow_account{alice, bob, {.show_boosts = false}, {}}));
    CHECK(newest(here) == 2);
    CHECK(told(here) == lines{"Follow by Alice of ours: " + bob_uri});
  });
}

TEST_CASE("blocks are told; mutes, tokens and blocked domains are not", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    must(here.tell(block_account{alice, bob, {}}));
    must(here.tell(unblock_account{alice, bob, {}}));
    CHECK(told(here) ==
          lines{"Block by Alice of ours: " + bob_uri, "Undo by Alice of ours: " + bob_uri});
    const auto before = newest(here);
    must(here.tell(mute_account{alice, bob, {}, {}}));
    must(here.tell(block_domain{alice, "spam.example", true, {}}));
    CHECK(newest(here) == before + 2);
    CHECK(told(here, before).empty());
  });
}

TEST_CASE("accounts are told of from their making to their end", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    const auto change = [&](const command<account_overview>& made) {
      auto log = std::vector<log_draft>{};
      auto writer = here.storage.open_writer();
      auto context = write_context{*writer, log, here.now()};
      must(made.run(context));
      must(writer->commit_batch(must(here.ids->next()), here.now(), std::nullopt,
                                [&](database&) { return caf::expected{log}; }));
    };
    change(create_account({.id = account_id{31},
                           .name = "Dora",
                           .folded = "dora",
                           .uri = "https://example.org/users/Dora",
                           .password_hash = {},
                           .created_at = here.now()}));
    change(disable_account(alice, true)); // its tokens end with a row of their own
    change(disable_account(alice, false));
    must(here.tell(change_profile{alice, {.display_name = "A"}, {}}));
    here.hear(ann_uri, saying("Delete", ann_uri));
    CHECK(told(here) == lines{"account created: Dora of ours", "account disabled: Alice of ours",
                              "account enabled: Alice of ours",
                              "Update by Alice of ours: " + alice_uri,
                              "account updated: Alice of ours",
                              "Delete by ann@far.example: ", "account deleted: ann@far.example"});
    const auto event = only<account_event>(here, newest(here) - 1);
    CHECK(event.id == to_string(ann));
    CHECK(event.seq == newest(here));
  });
}

TEST_CASE("a kind of row tells what its events are, whether it is read or dropped",
          "[queries_events]") {
  const auto row = [](log_kind kind, account_id author) {
    return log_entry{.kind = kind,
                     .author = author,
                     .object = {object_kind::follow, ann.value, alice.value},
                     .extra = {},
                     .facts = {}};
  };
  const auto word = [&](log_kind kind, account_id author) {
    return std::string{told_of(row(kind, author)).activities[0]};
  };
  CHECK(word(log_kind::follow, ann) == "Follow");
  CHECK(word(log_kind::follow, alice) == "Accept");
  CHECK(word(log_kind::undo_follow, ann) == "Undo");
  CHECK(word(log_kind::undo_follow, alice) == "Reject");
  CHECK(word(log_kind::reject_follow, alice) == "Reject");
  CHECK(told_of(row(log_kind::accept_follow, alice)).activities[1] == "Accept");
  CHECK(told_of(row(log_kind::create, ann)).post == post_change::created);
  CHECK(told_of(row(log_kind::remove, ann)).post == post_change::deleted);
  CHECK(told_of(row(log_kind::create_actor, ann)).account == account_change::created);
  CHECK(told_of(row(log_kind::create_actor, ann)).activities[0].empty());
  for (const auto kind : {log_kind::mute, log_kind::undo_mute, log_kind::domain_block,
                          log_kind::undo_domain_block, log_kind::revoke_token})
    CHECK(told_of(row(kind, ann)).is_nothing());
}

TEST_CASE("more rows than one question may have are refused", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    auto rows = std::vector<log_entry>(event_rows_max + 1);
    CHECK(code(ask_events(rows, urls_of("example.org")).run(here.db())) == errc::invalid);
    rows.pop_back();
    CHECK(ask_events(rows, urls_of("example.org")).run(here.db()));
  });
}

TEST_CASE("events fail as the database does, at each statement", "[queries_events]") {
  with_inbound([](inbound_world& here) {
    here.posted(alice, {.text = "hi @bob"});
    here.hear(ann_uri, saying("Follow", alice_uri));
    const auto rows = must(read_log(here.db(), 0, 10));
    auto failing = failing_database{here.db()};
    for (auto call = std::size_t{1}; call <= 4; ++call) {
      failing.fail_at(call, errc::storage_busy, failing::once);
      CHECK(code(ask_events(rows, urls_of("example.org")).run(failing)) == errc::storage_busy);
    }
    failing.heal();
    CHECK(must(ask_events(rows, urls_of("example.org")).run(failing)).size() == 4);
  });
}
