// What holds for every effect of what other servers send.
#include "kit/failing_database.hpp"
#include "kit/inbound_world.hpp"

using namespace trunkline;
using namespace trunkline::kit;

namespace {

struct sent_activity {
  std::string actor;
  json_object document;
};

const auto note_id = std::string{"https://far.example/notes/1"};

/// Of every kind, each after what it needs.
std::vector<sent_activity> one_of_each(post_id post, post_id poll) {
  const auto uri = alice_uri + "/statuses/" + to_string(post);
  const auto reply =
      json_object{{"id", note_id},
                  {"type", "Note"},
                  {"attributedTo", ann_uri},
                  {"content", "<p>yes</p>"},
                  {"inReplyTo", uri},
                  {"tag", json_array{json_object{{"type", "Mention"}, {"href", bob_uri}}}},
                  {"to", json_array{everyone}},
                  {"cc", json_array{alice_uri + "/followers"}}};
  auto edited = reply;
  edited["content"] = "<p>no</p>";
  edited["updated"] = "2100-01-01T00:00:00Z";
  const auto vote = json_object{{"id", "https://far.example/votes/1"},
                                {"type", "Note"},
                                {"attributedTo", ann_uri},
                                {"name", "yes"},
                                {"inReplyTo", alice_uri + "/statuses/" + to_string(poll)},
                                {"to", alice_uri}};
  auto announce = saying("Announce", uri, "https://far.example/boosts/1");
  announce["to"] = everyone;
  auto add = saying("Add", note_id);
  add["target"] = ann_uri + "/featured";
  auto remove = add;
  remove["type"] = "Remove";
  auto move = saying("Move", ann_uri);
  move["target"] = lone_uri;
  return {{ann_uri, saying("Follow", alice_uri, "https://far.example/follows/1")},
          {ann_uri, saying("Follow", carol_uri)},
          {ann_uri, saying("Accept", inlined("Follow", bob_uri, ann_uri))},
          {ann_uri, saying("Create", reply)},
          {ann_uri, saying("Create", vote)},
          {ann_uri, saying("Like", uri)},
          {ann_uri, announce},
          {ann_uri, add},
          {ann_uri, remove},
          {ann_uri, saying("Flag", json_array{alice_uri, uri, bob_uri})},
          {ann_uri, saying("Undo", "https://far.example/boosts/1")},
          {ann_uri, saying("Undo", inlined("Like", ann_uri, uri))},
          {ann_uri, saying("Undo", "https://far.example/nothing")},
          {ann_uri, move},
          {ann_uri, saying("Undo", "https://far.example/follows/1")},
          {ann_uri, saying("Block", bob_uri)},
          {ann_uri, saying("Undo", inlined("Block", ann_uri, bob_uri))},
          {ben_uri, saying("Reject", inlined("Follow", bob_uri, ben_uri))},
          {ann_uri, saying("Update", edited)},
          {ann_uri, saying("Delete", note_id)},
          {ann_uri, saying("Delete", ann_uri)}};
}

} // namespace

TEST_CASE("an effect that fails anywhere fails so, and leaves nothing behind",
          "[inbound][inbound_changes][failing]") {
  const auto fresh = fresh_sqlite();
  auto here = inbound_world{
      [&](bool writer) { return writer ? fresh->connect() : fresh->connect_reader(); }};
  here.follow_from_afar(lone, alice);
  here.follow_from_afar(ben, alice);
  must(here.tell(follow_account{bob, ann, {}, {}}));
  must(here.tell(follow_account{bob, ben, {}, {}}));
  const auto post = here.posted(alice, {.text = "ours"});
  const auto poll = here.posted(
      alice, {.text = "?", .poll = poll_draft{{"yes", "no"}, std::chrono::seconds{300}}});
  here.run("UPDATE account SET featured_url = uri || '/featured' WHERE id = 20");
  here.run("UPDATE account SET aliases = '[\"" + ann_uri + "\"]' WHERE id = 22");
  here.actors.advance(std::chrono::seconds{1});
  auto writer = here.storage.open_writer();
  for (auto [actor, document] : one_of_each(post, poll)) {
    document["actor"] = actor;
    here.wait(std::chrono::seconds{1}); // an edit is later than what it edits
    INFO(to_json(document));
    auto log = std::vector<log_draft>{};
    const auto before = dump(*writer);
    walk_every_n(*writer, [&](database& db) {
      log.clear();
      log.push_back({.kind = log_kind::vote}); // of another change in the same batch
      auto failure = here.apply(db, actor, to_json(document), log);
      CHECK(log[0].kind == log_kind::vote);
      if (failure)
        CHECK(log.size() == 1);
      return failure;
    });
    const auto is_same = dump(*writer) == before;
    CHECK_FALSE(is_same);
  }
}
