#include "kit/activity_fixture.hpp"

#include "protocol/activity.hpp"
#include "protocol/activity_out.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;

namespace {

const auto everyone = std::string{public_collection};

json_value parse(std::string_view text) {
  return *parse_json(text);
}

json_value like() {
  return parse(R"({"id":"https://a.example/l/1","type":"Like","actor":"https://a.example/u/a",
                   "object":"https://b.example/n/1"})");
}

bool is_malformed(const json_value& document) {
  const auto read = read_activity(document);
  return !read && code_of(read.error()) == errc::malformed;
}

json_array many(std::size_t count, const std::string& prefix) {
  auto items = json_array{};
  for (auto i = std::size_t{0}; i < count; ++i)
    items.emplace_back(prefix + std::to_string(i));
  return items;
}

} // namespace

TEST_CASE("Mastodon's Create is read", "[activity]") {
  const auto read = read_activity(fixture("mastodon_create_note"));
  REQUIRE(read);
  CHECK(read->id == "https://mastodon.example/users/ada/statuses/1/activity");
  CHECK(read->type == activity_type::create);
  CHECK(read->actor == "https://mastodon.example/users/ada");
  CHECK(read->object == "https://mastodon.example/users/ada/statuses/1");
  CHECK(read->inlined);
  CHECK(read->to == std::vector{everyone});
  CHECK(read->cc == std::vector<std::string>{"https://mastodon.example/users/ada/followers",
                                             "https://trunk.example/users/bob"});
  CHECK(to_iso8601(*read->published) == "2026-11-01T12:30:45.000Z");
}

TEST_CASE("Mastodon's Delete names the post by a Tombstone", "[activity]") {
  const auto read = read_activity(fixture("mastodon_delete"));
  REQUIRE(read);
  CHECK(read->type == activity_type::remove);
  CHECK(read->object == "https://mastodon.example/users/ada/statuses/1");
}

TEST_CASE("Mastodon's Flag names an account and posts", "[activity]") {
  const auto read = read_activity(fixture("mastodon_flag"));
  REQUIRE(read);
  CHECK(read->type == activity_type::flag);
  CHECK(read->object == "https://trunk.example/users/bob");
  CHECK(read->objects == std::vector<std::string>{"https://trunk.example/users/bob",
                                                  "https://trunk.example/users/bob/statuses/7"});
  CHECK(read->content == "This is spam");
  CHECK(read->to == std::vector<std::string>{"https://trunk.example/users/bob"});
  CHECK_FALSE(read->inlined);
}

TEST_CASE("reactions of Misskey and Akkoma are likes", "[activity]") {
  const auto misskey = read_activity(fixture("misskey_like"));
  REQUIRE(misskey);
  CHECK(misskey->type == activity_type::like);
  CHECK(misskey->content == ":neko_love:");
  const auto akkoma = read_activity(fixture("akkoma_emoji_react"));
  REQUIRE(akkoma);
  CHECK(akkoma->type == activity_type::like);
  CHECK(akkoma->content == "\xf0\x9f\x8e\x89");
  CHECK(akkoma->object == "https://trunk.example/users/bob/statuses/7");
  CHECK(read_activity(with(like(), "_misskey_reaction", R"("x")"))->content == "x");
}

TEST_CASE("Lemmy's Announce wraps a Create", "[activity]") {
  const auto read = read_activity(fixture("lemmy_announce_create_page"));
  REQUIRE(read);
  CHECK(read->type == activity_type::announce);
  CHECK(read->object == "https://lemmy.example/activities/create/1");
  REQUIRE(read->inlined);
  const auto inside = read_activity(*read->inlined);
  REQUIRE(inside);
  CHECK(inside->type == activity_type::create);
  CHECK(inside->actor == "https://lemmy.example/u/eve");
  CHECK(inside->object == "https://lemmy.example/post/9");
}

TEST_CASE("GoToSocial writes single values without a list", "[activity]") {
  const auto read = read_activity(fixture("gotosocial_create_note"));
  REQUIRE(read);
  CHECK(read->to == std::vector{everyone});
  CHECK(read->cc == std::vector<std::string>{"https://gts.example/users/hal/followers"});
  CHECK(to_iso8601(*read->published) == "2026-11-12T11:12:12.000Z");
}

TEST_CASE("every type has its word", "[activity]") {
  const auto type_of = [](const char* word) {
    return read_activity(with(like(), "type", json_value{word}))->type;
  };
  CHECK(type_of("Update") == activity_type::update);
  CHECK(type_of("Follow") == activity_type::follow);
  CHECK(type_of("Accept") == activity_type::accept);
  CHECK(type_of("Reject") == activity_type::reject);
  CHECK(type_of("Undo") == activity_type::undo);
  CHECK(type_of("Block") == activity_type::block);
  CHECK(type_of("Add") == activity_type::add);
  CHECK(type_of("Remove") == activity_type::remove_from);
  CHECK(type_of("Move") == activity_type::move);
  CHECK(type_of("as:Like") == activity_type::like);
  CHECK(type_of("https://www.w3.org/ns/activitystreams#Like") == activity_type::like);
  CHECK(type_of("Dislike") == activity_type::unknown);
  CHECK(type_of("like") == activity_type::unknown);
}

TEST_CASE("A83: types may be a list, and unknown ones are no failure", "[activity][A83]") {
  CHECK(read_activity(with(like(), "type", R"(["Emotion","Like"])"))->type == activity_type::like);
  CHECK(read_activity(with(like(), "type", R"([3,"Like"])"))->type == activity_type::like);
  for (const auto* bad : {"null", "7", "[]", "[7]", "{}", "true"})
    CHECK(is_malformed(with(like(), "type", bad)));
}

TEST_CASE("A83: an id that is none counts as absent", "[activity][A83]") {
  for (const auto* bad : {"null", "7", "\"\"", "\"/l/1\"", "\"l/1\"", "[]", "{}", "\"tag:a,1\"",
                          "\"javascript:alert(1)\"", "\"https://a.example/ x\""}) {
    CAPTURE(bad);
    const auto read = read_activity(with(like(), "id", bad));
    REQUIRE(read);
    CHECK(read->id.empty());
  }
}

TEST_CASE("A83: an object may be text, an object, a list or nothing", "[activity][A83]") {
  const auto object_of = [](const char* value) {
    const auto read = read_activity(with(like(), "object", value));
    REQUIRE(read);
    return read->object + (read->inlined ? " inlined" : "");
  };
  CHECK(object_of(R"("https://b.example/1")") == "https://b.example/1");
  CHECK(object_of(R"({"id":"https://b.example/1"})") == "https://b.example/1 inlined");
  CHECK(object_of(R"([{"id":"https://b.example/1"},"https://b.example/2"])") ==
        "https://b.example/1 inlined");
  CHECK(object_of(R"(["https://b.example/1",{"id":"https://b.example/2"}])") ==
        "https://b.example/1");
  CHECK(object_of(R"({"id":7})") == " inlined");
  for (const auto* none : {"null", "[]", "7", "[[\"https://b.example/1\"]]", "\"x\""})
    CHECK(object_of(none).empty());
}

TEST_CASE("an actor is one, and a URL", "[activity][A39]") {
  const auto actor_of = [](const char* value) {
    return read_activity(with(like(), "actor", value))->actor;
  };
  CHECK(actor_of(R"({"type":"Person","id":"https://a.example/u/a"})") == "https://a.example/u/a");
  CHECK(actor_of(R"(["https://a.example/u/a"])") == "https://a.example/u/a");
  for (const auto* bad : {"null", "7", "[]", "\"\"", "\"a\"", "{}", "\"ftp://a.example/\"",
                          R"(["https://a.example/u/a","https://v.example/u/v"])"})
    CHECK(is_malformed(with(like(), "actor", bad)));
  CHECK(is_malformed(with(like(), "actor", json_value{many(100'000, "https://v.example/")})));
}

TEST_CASE("A72: what is no object is no activity", "[activity][A72]") {
  for (const auto* bad : {"[]", "3", "null", "\"\"", "\"x\"", "true"})
    CHECK(is_malformed(parse(bad)));
}

TEST_CASE("A76: recipients are cut at 1,000", "[activity][A76]") {
  const auto document = with(with(like(), "to", json_value{many(100'000, "https://b.example/u/")}),
                             "cc", json_value{many(100'000, "https://c.example/u/")});
  const auto read = read_activity(document);
  REQUIRE(read);
  CHECK(read->to.size() == note_recipients_max);
  CHECK(read->cc.size() == note_recipients_max);
}

TEST_CASE("the public collection has one spelling", "[activity]") {
  for (const auto* spelling :
       {R"("as:Public")", R"("Public")", R"(["as:Public"])", R"({"id":"as:Public"})",
        R"("https://www.w3.org/ns/activitystreams#Public")"})
    CHECK(read_activity(with(like(), "to", spelling))->to == std::vector{everyone});
  CHECK(read_activity(with(like(), "to", R"(["public","x",7,null,{}])"))->to.empty());
}

TEST_CASE("A57: a reaction and a comment are cut", "[activity][A57]") {
  const auto long_text = json_value{std::string(10'000, 'x')};
  CHECK(read_activity(with(like(), "content", long_text))->content.size() == 2'048);
  auto comment = std::string{};
  for (auto i = 0; i < 6'000; ++i)
    comment += "\xc3\xa9";
  const auto flag = with(with(like(), "type", R"("Flag")"), "content", json_value{comment});
  CHECK(read_activity(flag)->content.size() == 2 * flag_comment_max);
}

TEST_CASE("objects are cut at 100", "[activity]") {
  CHECK(read_activity(with(like(), "object", json_value{many(1'000, "https://b.example/")}))
            ->objects.size() == 100);
}

TEST_CASE("A34: a context changes nothing", "[activity][A34]") {
  const auto plain = read_activity(like());
  for (const auto* context :
       {R"("https://e.example/context")", R"({"@import":"https://e.example/context"})",
        R"({"@vocab":"https://e.example/#","actor":"https://e.example/#object"})",
        R"({"Like":"as:Delete","id":"@type","type":"@id"})", "7", "[[[[[]]]]]"}) {
    const auto read = read_activity(with(like(), "@context", context));
    REQUIRE(read);
    CHECK(read->actor == plain->actor);
    CHECK(read->type == plain->type);
    CHECK(read->object == plain->object);
  }
}

TEST_CASE("recipients say who may see", "[activity]") {
  const auto followers = std::string{"https://a.example/u/a/followers"};
  const auto person = std::string{"https://b.example/u/b"};
  CHECK(visibility_of({everyone}, {followers}, followers) == visibility::everyone);
  CHECK(visibility_of({followers}, {everyone}, followers) == visibility::unlisted);
  CHECK(visibility_of({followers}, {person}, followers) == visibility::followers);
  CHECK(visibility_of({person}, {followers}, followers) == visibility::followers);
  CHECK(visibility_of({person}, {}, followers) == visibility::direct);
  CHECK(visibility_of({person}, {}, "") == visibility::direct);
  CHECK(visibility_of({}, {}, "") == visibility::direct);
}

TEST_CASE("Mastodon's replies are read with their first page", "[activity]") {
  const auto page = read_collection(fixture("mastodon_replies"), 500);
  REQUIRE(page);
  CHECK(page->items.size() == 2);
  CHECK(page->first.empty());
  CHECK(page->next == "https://mastodon.example/users/ada/statuses/1/"
                      "replies?only_other_accounts=true&page=true");
}

TEST_CASE("A73: collections are bounded", "[activity][A73]") {
  const auto page = [](const char* next, const char* total) {
    auto document = parse(R"({"id":"https://a.example/c","type":"OrderedCollectionPage"})");
    return *read_collection(with(with(with(document, "next", next), "totalItems", total),
                                 "orderedItems", json_value{many(10'000, "https://a.example/")}),
                            500);
  };
  CHECK(page("null", "3").items.size() == 500);
  CHECK(page(R"("https://a.example/c")", "3").next.empty());
  CHECK(page(R"("https://a.example/d")", "3").next == "https://a.example/d");
  CHECK(page(R"({"id":"https://a.example/d"})", "3").next == "https://a.example/d");
  CHECK(page("7", "3").next.empty());
  CHECK(page("null", "3").total == 3);
  CHECK(page("null", "1000000000000").total == 1'000'000'000);
  CHECK(page("null", "1e300").total == 1'000'000'000);
  CHECK(page("null", "-1").total == 0);
  CHECK(page("null", "-1.5").total == 0);
  CHECK(page("null", "\"x\"").total == 0);
}

TEST_CASE("a collection names its first page or holds it", "[activity]") {
  const auto first =
      read_collection(parse(R"({"type":"Collection","first":"https://a.example/c?page=1"})"), 10);
  CHECK(first->first == "https://a.example/c?page=1");
  const auto whole =
      read_collection(parse(R"({"type":"OrderedCollection","orderedItems":{"id":"x"}})"), 10);
  CHECK(whole->items.size() == 1);
  for (const auto* bad : {"[]", "3", "null", R"({"type":"Note"})", R"({"items":[]})"})
    CHECK(code_of(read_collection(parse(bad), 10).error()) == errc::malformed);
}
