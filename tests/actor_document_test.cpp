#include "kit/activity_fixture.hpp"

#include "protocol/activity.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;

namespace {

remote_actor read(const std::string& name) {
  auto actor = read_actor(fixture(name));
  REQUIRE(actor);
  return std::move(*actor);
}

json_value person() {
  return *parse_json(R"({"id":"https://e.example/u/e","type":"Person","preferredUsername":"e",
                         "inbox":"https://e.example/u/e/inbox"})");
}

bool is_malformed(const json_value& document) {
  const auto actor = read_actor(document);
  return !actor && code_of(actor.error()) == errc::malformed;
}

json_array repeated(std::size_t count, std::string_view item) {
  return json_array(count, *parse_json(item));
}

} // namespace

TEST_CASE("Mastodon's Person is read", "[actor_document]") {
  const auto actor = read("mastodon_person");
  CHECK(actor.id == "https://mastodon.example/users/ada");
  CHECK(actor.type == "Person");
  CHECK(actor.name == "ada");
  CHECK(actor.display_name == "Ada :gear:");
  CHECK(actor.note == "<p>Analyst.</p>");
  CHECK(actor.inbox == "https://mastodon.example/users/ada/inbox");
  CHECK(actor.shared_inbox == "https://mastodon.example/inbox");
  CHECK(actor.outbox == "https://mastodon.example/users/ada/outbox");
  CHECK(actor.followers == "https://mastodon.example/users/ada/followers");
  CHECK(actor.following == "https://mastodon.example/users/ada/following");
  CHECK(actor.featured == "https://mastodon.example/users/ada/collections/featured");
  CHECK(actor.url == "https://mastodon.example/@ada");
  CHECK(actor.avatar_url == "https://files.mastodon.example/avatars/ada.jpg");
  CHECK(actor.header_url == "https://files.mastodon.example/headers/ada.jpg");
  CHECK(actor.locked);
  CHECK_FALSE(actor.bot);
  CHECK(actor.discoverable);
  REQUIRE(actor.fields.size() == 2);
  CHECK(actor.fields[0].name == "Pronouns");
  CHECK(actor.fields[1].value.starts_with("<a href="));
  REQUIRE(actor.emojis.size() == 1);
  CHECK(actor.emojis[0].name == "gear");
  CHECK(actor.emojis[0].url == "https://files.mastodon.example/emoji/gear.png");
  CHECK(actor.aliases == std::vector<std::string>{"https://old.example/users/ada"});
  CHECK(actor.moved_to.empty());
  CHECK(to_iso8601(*actor.published) == "2024-05-01T00:00:00.000Z");
  REQUIRE(actor.keys.size() == 1);
  CHECK(actor.keys[0].id == "https://mastodon.example/users/ada#main-key");
  CHECK(actor.keys[0].owner == actor.id);
  CHECK(actor.keys[0].pem.starts_with("-----BEGIN PUBLIC KEY-----"));
}

TEST_CASE("Misskey's Person has nulls for what it lacks", "[actor_document]") {
  const auto actor = read("misskey_person");
  CHECK(actor.name == "neko");
  CHECK(actor.display_name.empty());
  CHECK(actor.note.empty());
  CHECK(actor.avatar_url.empty());
  CHECK(actor.shared_inbox == "https://misskey.example/inbox");
  CHECK(actor.fields.size() == 1);
}

TEST_CASE("Pleroma's bot, Lemmy's Group and PeerTube's account are actors", "[actor_document]") {
  const auto bot = read("pleroma_person");
  CHECK(bot.type == "Service");
  CHECK(bot.bot);
  CHECK(bot.shared_inbox == "https://pleroma.example/inbox");
  const auto group = read("lemmy_group");
  CHECK(group.type == "Group");
  CHECK(group.url == group.id);
  CHECK(group.note == "<p>On rails</p>\n");
  const auto account = read("peertube_account");
  CHECK(account.url == "https://peertube.example/a/gil");
  CHECK(account.avatar_url == "https://peertube.example/lazy-static/avatars/small.png");
}

TEST_CASE("an actor without a shared inbox has none", "[actor_document]") {
  CHECK(read_actor(person())->shared_inbox.empty());
  CHECK(read_actor(with(person(), "endpoints", "null"))->shared_inbox.empty());
  CHECK(read_actor(with(person(), "endpoints", R"("https://e.example/x")"))->shared_inbox.empty());
  CHECK(read_actor(with(person(), "sharedInbox", R"("https://e.example/inbox")"))->shared_inbox ==
        "https://e.example/inbox");
}

TEST_CASE("upper-case hosts name the same origin", "[actor_document]") {
  const auto actor = read_actor(with(person(), "inbox", R"("https://E.EXAMPLE:443/u/e/inbox")"));
  REQUIRE(actor);
  CHECK(actor->inbox == "https://E.EXAMPLE:443/u/e/inbox");
}

TEST_CASE("A47: an inbox elsewhere is refused", "[actor_document][A47]") {
  for (const auto* bad :
       {R"("https://v.example/u/e/inbox")", R"("http://e.example/u/e/inbox")",
        R"("https://e.example:8443/inbox")", R"(["https://e.example/inbox"])", "{}", "\"\"", "null",
        R"j("javascript:alert(1)")j", R"({"id":"https://v.example/inbox"})", R"("/u/e/inbox")",
        R"("https://e.example@v.example/inbox")", R"("https://e.example.v.example/inbox")"}) {
    CAPTURE(bad);
    CHECK(is_malformed(with(person(), "inbox", bad)));
  }
}

TEST_CASE("A47: other places elsewhere are left blank", "[actor_document][A47]") {
  for (const auto* elsewhere : {R"("https://v.example/x")", R"(["https://e.example/x"])", "\"\"",
                                R"({"id":"https://v.example/x"})", R"j("javascript:alert(1)")j"}) {
    CAPTURE(elsewhere);
    auto document = person();
    for (const auto* place : {"outbox", "followers", "following", "featured", "sharedInbox"})
      document = with(document, place, elsewhere);
    const auto actor = read_actor(document);
    REQUIRE(actor);
    CHECK(actor->outbox + actor->followers + actor->following + actor->featured +
              actor->shared_inbox ==
          "");
    const auto endpoints = R"({"sharedInbox":)" + std::string{elsewhere} + "}";
    CHECK(read_actor(with(person(), "endpoints", endpoints.c_str()))->shared_inbox.empty());
  }
}

TEST_CASE("A48: what is no actor is refused", "[actor_document][A48]") {
  for (const auto* type : {"Person", "Service", "Application", "Group", "Organization"})
    CHECK(read_actor(with(person(), "type", json_value{type}))->type == type);
  CHECK(read_actor(with(person(), "type", R"(["Mystery","Person"])"))->type == "Person");
  for (const auto* type :
       {R"("Note")", R"("Collection")", R"("Tombstone")", R"("person")", "null", "7", "[]"})
    CHECK(is_malformed(with(person(), "type", type)));
}

TEST_CASE("an actor has an id and a name that fits into a handle", "[actor_document][A97]") {
  for (const auto* id : {"null", "\"\"", "7", "\"/u/e\"", R"(["https://e.example/u/e"])"})
    CHECK(is_malformed(with(person(), "id", id)));
  for (const auto* name : {"null", "\"\"", "7", "\"a b\"", "\"a@b\"", "\"a/b\"", "\"a\\nb\"",
                           "\"a\\u202eb\"", "\"a\\u200bb\"", "\"a<b\"", "\"a\\u0000\""})
    CHECK(is_malformed(with(person(), "preferredUsername", name)));
  CHECK(is_malformed(
      with(person(), "preferredUsername", json_value{std::string(actor_name_max + 1, 'a')})));
  for (const auto* name : {"a.b-c_d", "\xd0\xb0lice", "caf\xc3\xa9"})
    CHECK(read_actor(with(person(), "preferredUsername", json_value{name}))->name == name);
}

TEST_CASE("A84: an actor is cut to its limits", "[actor_document][A84]") {
  auto document = with(person(), "name", json_value{std::string(1'000'000, 'n')});
  document = with(document, "summary", json_value{std::string(1'000'000, 's')});
  document =
      with(document, "attachment",
           json_value{repeated(1'000, R"({"type":"PropertyValue","name":"n","value":"v"})")});
  document = with(document, "tag", json_value{repeated(10'000, R"({"type":"Emoji","name":":x:",
                                                  "icon":{"url":"https://e.example/x"}})")});
  document = with(document, "alsoKnownAs", json_value{repeated(1'000, R"("https://o.example/")")});
  document = with(document, "publicKey", json_value{repeated(1'000, R"({"id":"https://e.example/#k",
                                                 "publicKeyPem":"pem"})")});
  const auto actor = read_actor(document);
  REQUIRE(actor);
  CHECK(actor->display_name.size() == actor_name_max);
  CHECK(actor->note.size() == actor_note_bytes_max);
  CHECK(actor->fields.size() == actor_fields_max);
  CHECK(actor->emojis.size() == note_emojis_max);
  CHECK(actor->aliases.size() == actor_aliases_max);
  CHECK(actor->keys.size() == actor_keys_max);
}

TEST_CASE("A84: a text is not cut within a character", "[actor_document][A84]") {
  auto note = std::string{"x"};
  while (note.size() < actor_note_bytes_max + 10)
    note += "\xc3\xa9";
  CHECK(read_actor(with(person(), "summary", json_value{note}))->note.size() ==
        actor_note_bytes_max - 1);
}

TEST_CASE("A84, A94: an emoji's name is a word of at most 2,048 bytes", "[actor_document][A94]") {
  const auto count = [](const std::string& name) {
    auto emoji = *parse_json(R"({"type":"Emoji","icon":{"url":"https://e.example/x"}})");
    (*emoji.as_object())["name"] = name;
    return read_actor(with(person(), "tag", std::move(emoji)))->emojis.size();
  };
  CHECK(count(":blob_cat-2.0:") == 1);
  CHECK(count("blob") == 1);
  CHECK(count(std::string(1'000'000, 'a')) == 0);
  for (const auto* bad : {"", ":", "::", ":a b:", ":a\">:", ":a:b:", "\xf0\x9f\x8e\x89"})
    CHECK(count(bad) == 0);
}

TEST_CASE("A96: a display name is one line that ends with itself", "[actor_document][A96]") {
  const auto shown = [](const std::string& name) {
    return read_actor(with(person(), "name", json_value{name}))->display_name;
  };
  CHECK(shown("a\xe2\x80\xae"
              "b\xe2\x81\xa6"
              "c") == "abc");
  CHECK(shown("a\nb\tc") == "a b c");
  CHECK(shown("\xd7\x90\xe2\x80\x8f!") == "\xd7\x90\xe2\x80\x8f!"); // a mark of direction may stay
  auto zalgo = std::string{"z"};
  for (auto i = 0; i < 500; ++i)
    zalgo += "\xcc\x80";
  CHECK(shown(zalgo).size() == 1 + 8 * 2);
  CHECK(shown("a" + zalgo.substr(1, 4) + "b").size() == 6);
}

TEST_CASE("pictures and pages are http or https", "[actor_document][A87]") {
  for (const auto* bad : {R"j("javascript:alert(1)")j", R"("data:image/png;base64,AA")",
                          R"j({"type":"Image","url":"javascript:alert(1)"})j", "7", "[]", "{}"}) {
    const auto actor = read_actor(with(with(person(), "icon", bad), "url", bad));
    REQUIRE(actor);
    CHECK(actor->avatar_url.empty());
    CHECK(actor->url == actor->id);
  }
  const auto avatar_of = [](const char* icon) {
    return read_actor(with(person(), "icon", icon))->avatar_url;
  };
  CHECK(avatar_of(R"({"url":{"type":"Link","href":"https://e.example/i"}})") ==
        "https://e.example/i");
  // Deeper than any server nests them.
  CHECK(avatar_of(R"({"url":{"url":{"url":{"url":"https://e.example/i"}}}})").empty());
}

TEST_CASE("keys may be a list, and one without text is left out", "[actor_document]") {
  const auto actor = read_actor(with(person(), "publicKey", R"([
      {"id":"https://e.example/u/e#1","owner":"https://e.example/u/e","publicKeyPem":"one"},
      {"id":"https://e.example/u/e#2","publicKeyPem":"two"},
      {"id":"https://e.example/u/e#3"}, "https://e.example/u/e#4", {"publicKeyPem":"five"}, 7])"));
  REQUIRE(actor);
  REQUIRE(actor->keys.size() == 2);
  CHECK(actor->keys[1].owner.empty());
}
