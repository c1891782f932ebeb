#include "protocol/activity.hpp"
#include "protocol/activity_out.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

const auto urls = urls_of("example.org");
constexpr auto made_at = time_point{1'700'000'000s};

outgoing_note hello() {
  return {.row = {.id = {7},
                  .author = {1},
                  .html = "<p>Hello</p>",
                  .seen_by = visibility::everyone,
                  .language = "en",
                  .created_at = made_at},
          .author = "Alice"};
}

note_mention bob() {
  return {.uri = "https://b.example/users/bob", .handle = "@bob@b.example"};
}

json_value parsed(const std::string& text) {
  auto value = parse_json(text);
  REQUIRE(value);
  return std::move(*value);
}

/// The text at a path of members; "" where there is none.
std::string text(const json_value& document, std::initializer_list<std::string_view> path) {
  const auto* value = &document;
  for (const auto member : path)
    if (value)
      value = value->find(member);
  const auto* found = value ? value->as_string() : nullptr;
  return found ? *found : "";
}

std::string json(const json_value* value) {
  return value ? to_json(*value) : "absent";
}

std::string quoted(std::initializer_list<std::string> texts) {
  return to_json(json_array(texts.begin(), texts.end()));
}

const auto followers = std::string{"https://example.org/users/Alice/followers"};

} // namespace

TEST_CASE("a post is addressed as it may be seen", "[activity_out]") {
  const auto to = [](visibility seen_by) {
    auto note = hello();
    note.row.seen_by = seen_by;
    note.mentions = {bob()};
    const auto document = json_value{to_note(note, urls, true)};
    return std::pair{json(document.find("to")), json(document.find("cc"))};
  };
  CHECK(to(visibility::everyone) ==
        std::pair{quoted({public_collection}), quoted({followers, bob().uri})});
  CHECK(to(visibility::unlisted) ==
        std::pair{quoted({followers}), quoted({public_collection, bob().uri})});
  CHECK(to(visibility::followers) == std::pair{quoted({followers}), quoted({bob().uri})});
  CHECK(to(visibility::direct) == std::pair{quoted({bob().uri}), quoted({})});
}

TEST_CASE("a Create and its Note are addressed alike, and nobody is told in secret",
          "[activity_out]") {
  for (const auto seen_by :
       {visibility::everyone, visibility::unlisted, visibility::followers, visibility::direct}) {
    auto note = hello();
    note.row.seen_by = seen_by;
    note.mentions = {bob()};
    for (const auto& body : {render_create(note, urls), render_update(note, urls, 9)}) {
      const auto document = parsed(body);
      const auto* object = document.find("object");
      REQUIRE(object);
      CHECK(json(document.find("to")) == json(object->find("to")));
      CHECK(json(document.find("cc")) == json(object->find("cc")));
      CHECK(body.find("\"bto\"") == std::string::npos);
      CHECK(body.find("\"bcc\"") == std::string::npos);
    }
  }
}

TEST_CASE("a Note says everything that its post has", "[activity_out]") {
  auto note = hello();
  note.row.spoiler = "cats";
  note.row.edited_at = made_at + 60s;
  note.reply_to_uri = "https://b.example/notes/1";
  note.mentions = {bob()};
  note.tags = {"Cats"};
  note.media = {{.url = "https://example.org/media/5/a.png",
                 .media_type = "image/png",
                 .description = "A cat"},
                {.url = "https://example.org/media/6/b.png", .media_type = "image/png"}};
  const auto document = json_value{to_note(note, urls, false)};
  CHECK(text(document, {"id"}) == "https://example.org/users/Alice/statuses/7");
  CHECK(text(document, {"type"}) == "Note");
  CHECK(text(document, {"url"}) == "https://example.org/@Alice/7");
  CHECK(text(document, {"attributedTo"}) == "https://example.org/users/Alice");
  CHECK(text(document, {"summary"}) == "cats");
  CHECK(text(document, {"inReplyTo"}) == "https://b.example/notes/1");
  CHECK(text(document, {"published"}) == "2023-11-14T22:13:20.000Z");
  CHECK(text(document, {"updated"}) == "2023-11-14T22:14:20.000Z");
  CHECK(text(document, {"content"}) == "<p>Hello</p>");
  CHECK(text(document, {"contentMap", "en"}) == "<p>Hello</p>");
  CHECK(json(document.find("sensitive")) == "true");
  CHECK(json(document.find("tag")) ==
        R"([{"type":"Mention","href":"https://b.example/users/bob","name":"@bob@b.example"},)"
        R"({"type":"Hashtag","href":"https://example.org/tags/cats","name":"#Cats"}])");
  CHECK(json(document.find("attachment")) ==
        R"([{"type":"Document","mediaType":"image/png",)"
        R"("url":"https://example.org/media/5/a.png","name":"A cat"},)"
        R"({"type":"Document","mediaType":"image/png",)"
        R"("url":"https://example.org/media/6/b.png","name":null}])");
}

TEST_CASE("what a post does not have is null or left out", "[activity_out]") {
  auto note = hello();
  note.row.language.clear();
  const auto document = json_value{to_note(note, urls, true)};
  CHECK(json(document.find("summary")) == "null");
  CHECK(json(document.find("inReplyTo")) == "null");
  CHECK(json(document.find("sensitive")) == "false");
  CHECK(json(document.find("tag")) == "[]");
  for (const auto* member : {"contentMap", "updated", "@context", "votersCount", "closed"})
    CHECK_FALSE(document.find(member));
}

TEST_CASE("a poll is a Question with its options and counts", "[activity_out]") {
  auto note = hello();
  note.poll = note_poll{.options = {"tea", "coffee"},
                        .votes = {3, 4},
                        .voters = 7,
                        .multiple = false,
                        .ends_at = made_at + 3600s};
  const auto running = json_value{to_note(note, urls, true)};
  CHECK(text(running, {"type"}) == "Question");
  CHECK(json(running.find("oneOf")) ==
        R"([{"type":"Note","name":"tea","replies":{"type":"Collection","totalItems":3}},)"
        R"({"type":"Note","name":"coffee","replies":{"type":"Collection","totalItems":4}}])");
  CHECK(json(running.find("votersCount")) == "7");
  CHECK(text(running, {"endTime"}) == "2023-11-14T23:13:20.000Z");
  CHECK_FALSE(running.find("anyOf"));
  CHECK_FALSE(running.find("closed"));
  note.poll->multiple = true;
  note.poll->ended = true;
  const auto ended = json_value{to_note(note, urls, true)};
  CHECK(ended.find("anyOf"));
  CHECK_FALSE(ended.find("oneOf"));
  CHECK(text(ended, {"closed"}) == "2023-11-14T23:13:20.000Z");
  note.poll->ends_at.reset();
  CHECK_FALSE(json_value{to_note(note, urls, true)}.find("endTime"));
}

TEST_CASE("the activities of a post have the fixed ids", "[activity_out]") {
  const auto note = hello();
  const auto create = parsed(render_create(note, urls));
  CHECK(text(create, {"id"}) == "https://example.org/users/Alice/statuses/7/activity");
  CHECK(text(create, {"type"}) == "Create");
  CHECK(text(create, {"actor"}) == "https://example.org/users/Alice");
  CHECK(text(create, {"object", "id"}) == "https://example.org/users/Alice/statuses/7");
  CHECK_FALSE(create.find("object")->find("@context"));
  const auto update = parsed(render_update(note, urls, 9));
  CHECK(text(update, {"id"}) == "https://example.org/users/Alice/statuses/7#updates/9");
  CHECK(text(update, {"type"}) == "Update");
  const auto removal = parsed(render_delete(urls, "Alice", {7}, {.to = {public_collection}}));
  CHECK(text(removal, {"id"}) == "https://example.org/users/Alice/statuses/7#delete");
  CHECK(text(removal, {"type"}) == "Delete");
  CHECK(text(removal, {"object", "id"}) == "https://example.org/users/Alice/statuses/7");
  CHECK(text(removal, {"object", "type"}) == "Tombstone");
  CHECK(json(removal.find("to")) == quoted({public_collection}));
}

TEST_CASE("every term of a document stands in its context", "[activity_out]") {
  auto note = hello();
  note.poll = note_poll{.options = {"tea"}, .votes = {0}};
  const auto post_terms = json(json_value{to_note(note, urls, false)}.find("@context"));
  for (const auto* term : {"sensitive", "Hashtag", "toot", "Emoji", "votersCount"})
    CHECK(post_terms.find("\"" + std::string{term} + "\":") != std::string::npos);
  CHECK(json(parsed(render_create(note, urls)).find("@context")) == post_terms);
  const auto actor = outgoing_actor{.name = "Alice", .created_at = made_at};
  const auto actor_terms = json(json_value{to_actor(actor, urls, false)}.find("@context"));
  for (const auto* term : {"manuallyApprovesFollowers", "movedTo", "alsoKnownAs", "featured",
                           "discoverable", "PropertyValue", "value", "toot", "schema"})
    CHECK(actor_terms.find("\"" + std::string{term} + "\":") != std::string::npos);
  CHECK(actor_terms.find("https://w3id.org/security/v1") != std::string::npos);
}

TEST_CASE("an activity names its object, and one about another holds it", "[activity_out]") {
  const auto follow = plain_activity{.id = urls.other("Alice", "follow", 5),
                                     .type = "Follow",
                                     .actor = urls.actor("Alice"),
                                     .object = bob().uri,
                                     .whom = {.to = {bob().uri}}};
  CHECK(render(follow) ==
        R"({"@context":"https://www.w3.org/ns/activitystreams",)"
        R"("id":"https://example.org/users/Alice#follow/5","type":"Follow",)"
        R"("actor":"https://example.org/users/Alice","to":["https://b.example/users/bob"],)"
        R"("cc":[],"object":"https://b.example/users/bob"})");
  auto add = plain_activity{.id = "x", .type = "Add", .actor = "a", .object = "o", .target = "t"};
  add.published = made_at;
  CHECK(render(add) == R"({"@context":"https://www.w3.org/ns/activitystreams","id":"x",)"
                       R"("type":"Add","actor":"a","published":"2023-11-14T22:13:20.000Z",)"
                       R"("object":"o","target":"t"})");
  const auto undo = parsed(render_about({.id = urls.other("Alice", "undo", 6),
                                         .type = "Undo",
                                         .actor = urls.actor("Alice"),
                                         .whom = {.to = {bob().uri}}},
                                        follow));
  CHECK(text(undo, {"type"}) == "Undo");
  CHECK(text(undo, {"object", "type"}) == "Follow");
  CHECK(text(undo, {"object", "id"}) == follow.id);
  CHECK(text(undo, {"object", "object"}) == bob().uri);
  CHECK_FALSE(undo.find("object")->find("@context"));
}

TEST_CASE("an Accept of a Follow without an id names none", "[activity_out]") {
  const auto accept = parsed(render_about({.id = "x", .type = "Accept", .actor = "a"},
                                          {.type = "Follow", .actor = bob().uri, .object = "a"}));
  CHECK_FALSE(accept.find("object")->find("id"));
  CHECK(text(accept, {"object", "actor"}) == bob().uri);
}

TEST_CASE("a report names the account and its posts", "[activity_out]") {
  const auto flag = parsed(render_flag("id", urls.instance_actor(), {bob().uri, "post"}, "spam"));
  CHECK(text(flag, {"type"}) == "Flag");
  CHECK(text(flag, {"content"}) == "spam");
  CHECK(json(flag.find("object")) == quoted({bob().uri, "post"}));
}

TEST_CASE("a vote is told to the poll's author alone, and has no content", "[activity_out]") {
  const auto vote = parsed(render_vote({.voter = "Alice",
                                        .poll = "https://b.example/polls/1",
                                        .poll_author = bob().uri,
                                        .option = "tea",
                                        .fresh = 8,
                                        .at = made_at},
                                       urls));
  CHECK(text(vote, {"type"}) == "Create");
  CHECK(json(vote.find("to")) == quoted({bob().uri}));
  CHECK(text(vote, {"object", "type"}) == "Note");
  CHECK(text(vote, {"object", "name"}) == "tea");
  CHECK(text(vote, {"object", "inReplyTo"}) == "https://b.example/polls/1");
  CHECK(text(vote, {"object", "attributedTo"}) == urls.actor("Alice"));
  CHECK(json(vote.find("object")->find("to")) == quoted({bob().uri}));
  CHECK_FALSE(vote.find("object")->find("content"));
  CHECK(text(vote, {"id"}) != text(vote, {"object", "id"}));
}

TEST_CASE("an account's document says where everything is", "[activity_out]") {
  const auto actor =
      outgoing_actor{.name = "Alice",
                     .note_html = "<p>Hi</p>",
                     .fields_json = R"([{"name":"Site","value":"https://alice.example/?a&b"},)"
                                    R"({"name":"Pronouns","value":"she <3"}])",
                     .public_key_pem = "PEM",
                     .locked = true,
                     .moved_to = "https://b.example/users/alice",
                     .aliases = {"https://c.example/users/alice"},
                     .created_at = made_at};
  const auto document = json_value{to_actor(actor, urls, false)};
  CHECK(text(document, {"id"}) == urls.actor("Alice"));
  CHECK(text(document, {"type"}) == "Person");
  CHECK(text(document, {"inbox"}) == urls.inbox("Alice"));
  CHECK(text(document, {"outbox"}) == urls.outbox("Alice"));
  CHECK(text(document, {"followers"}) == urls.followers("Alice"));
  CHECK(text(document, {"following"}) == urls.following("Alice"));
  CHECK(text(document, {"featured"}) == urls.featured("Alice"));
  CHECK(text(document, {"endpoints", "sharedInbox"}) == "https://example.org/inbox");
  CHECK(text(document, {"preferredUsername"}) == "Alice");
  CHECK(text(document, {"name"}) == "Alice");
  CHECK(text(document, {"url"}) == "https://example.org/@Alice");
  CHECK(text(document, {"publicKey", "id"}) == urls.main_key("Alice"));
  CHECK(text(document, {"publicKey", "owner"}) == urls.actor("Alice"));
  CHECK(text(document, {"publicKey", "publicKeyPem"}) == "PEM");
  CHECK(text(document, {"published"}) == "2023-11-14T00:00:00Z");
  CHECK(text(document, {"movedTo"}) == actor.moved_to);
  CHECK(json(document.find("alsoKnownAs")) == quoted({actor.aliases.front()}));
  CHECK(json(document.find("manuallyApprovesFollowers")) == "true");
  CHECK(json(document.find("discoverable")) == "false");
  CHECK(
      json(document.find("attachment")) ==
      R"([{"type":"PropertyValue","name":"Site","value":"<a href=\"https://alice.example/?a&amp;)"
      R"(b\" rel=\"me nofollow noopener\" target=\"_blank\">https://alice.example/?a&amp;b</a>"},)"
      R"({"type":"PropertyValue","name":"Pronouns","value":"she &lt;3"}])");
  CHECK(text(to_actor({.name = "Bot", .bot = true}, urls, true), {"type"}) == "Service");
  CHECK_FALSE(json_value{to_actor({.name = "Bot"}, urls, true)}.find("movedTo"));
}

TEST_CASE("the Update of a profile goes to everybody", "[activity_out]") {
  const auto update = parsed(render_actor_update({.name = "Alice"}, urls, 5));
  CHECK(text(update, {"id"}) == "https://example.org/users/Alice#updates/5");
  CHECK(text(update, {"type"}) == "Update");
  CHECK(json(update.find("to")) == quoted({public_collection}));
  CHECK(json(update.find("cc")) == quoted({followers}));
  CHECK(text(update, {"object", "id"}) == urls.actor("Alice"));
  CHECK_FALSE(update.find("object")->find("@context"));
}

TEST_CASE("the server's own actor has a key and an inbox", "[activity_out]") {
  const auto document = json_value{to_instance_actor("example.org", "PEM", urls)};
  CHECK(text(document, {"id"}) == "https://example.org/actor");
  CHECK(text(document, {"type"}) == "Application");
  CHECK(text(document, {"inbox"}) == "https://example.org/inbox");
  CHECK(text(document, {"preferredUsername"}) == "example.org");
  CHECK(text(document, {"publicKey", "id"}) == "https://example.org/actor#main-key");
  CHECK(text(document, {"publicKey", "owner"}) == "https://example.org/actor");
  CHECK(text(document, {"publicKey", "publicKeyPem"}) == "PEM");
}

TEST_CASE("A25: whoever reads handles can read the server's own, also with a port",
          "[activity_out]") {
  for (const auto* domain : {"example.org", "127.0.0.1:8080"}) {
    const auto ours = urls_of(domain);
    const auto actor = read_actor(json_value{to_instance_actor(domain, "PEM", ours)});
    REQUIRE(actor);
    CHECK(actor->id == ours.instance_actor());
    CHECK(actor->name == instance_name(domain));
    CHECK(actor->keys.size() == 1);
  }
}
