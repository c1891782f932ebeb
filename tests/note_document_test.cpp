#include "kit/activity_fixture.hpp"

#include "protocol/activity.hpp"
#include "protocol/errc.hpp"
#include "protocol/loose_members.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;

namespace {

remote_note read(const json_value& document) {
  auto read = read_note(document);
  REQUIRE(read);
  return std::move(*read);
}

/// The object of a Create.
remote_note read_object(const std::string& name) {
  return read(*fixture(name).find("object"));
}

json_value note() {
  return *parse_json(R"({"id":"https://e.example/n/1","type":"Note","content":"<p>hi</p>",
                         "attributedTo":"https://e.example/u/e"})");
}

json_array repeated(std::size_t count, std::string_view item) {
  return json_array(count, *parse_json(item));
}

std::string author_of(const char* attributed_to) {
  return read(with(note(), "attributedTo", attributed_to)).attributed_to;
}

std::string date_of(const char* text) {
  const auto date = read(with(note(), "published", text)).published;
  return date ? to_iso8601(*date) : "none";
}

} // namespace

TEST_CASE("Mastodon's Note is read", "[note_document]") {
  const auto post = read_object("mastodon_create_note");
  CHECK(post.id == "https://mastodon.example/users/ada/statuses/1");
  CHECK(post.type == "Note");
  CHECK(post.attributed_to == "https://mastodon.example/users/ada");
  CHECK(post.url == "https://mastodon.example/@ada/1");
  CHECK(post.has_content);
  CHECK(post.content.find("#<span>Steam</span>") != std::string::npos);
  CHECK(post.spoiler.empty());
  CHECK_FALSE(post.sensitive);
  CHECK(post.language == "en");
  CHECK(to_iso8601(*post.published) == "2026-11-01T12:30:45.000Z");
  CHECK(to_iso8601(*post.updated) == "2026-11-01T13:00:00.250Z");
  CHECK(post.in_reply_to == "https://trunk.example/users/bob/statuses/7");
  CHECK(post.replies == "https://mastodon.example/users/ada/statuses/1/replies");
  CHECK(post.mentions == std::vector<std::string>{"https://trunk.example/users/bob"});
  CHECK(post.tags == std::vector<std::string>{"Steam"});
  REQUIRE(post.emojis.size() == 1);
  CHECK(post.emojis[0].name == "gear");
  REQUIRE(post.attachments.size() == 1);
  CHECK(post.attachments[0].url == "https://files.mastodon.example/media/engine.png");
  CHECK(post.attachments[0].media_type == "image/png");
  CHECK(post.attachments[0].description == "An engine");
  CHECK_FALSE(post.poll);
}

TEST_CASE("Mastodon's poll is read", "[note_document]") {
  const auto post = read(fixture("mastodon_question"));
  CHECK(post.type == "Question");
  CHECK(post.spoiler == "A question of tea");
  CHECK(post.sensitive);
  CHECK(post.language == "en");
  REQUIRE(post.poll);
  CHECK_FALSE(post.poll->multiple);
  CHECK_FALSE(post.poll->closed);
  CHECK(to_iso8601(*post.poll->ends_at) == "2026-11-03T08:00:00.000Z");
  CHECK(post.poll->voters == 9);
  REQUIRE(post.poll->options.size() == 2);
  CHECK(post.poll->options[0].name == "green");
  CHECK(post.poll->options[0].votes == 6);
}

TEST_CASE("Misskey's poll is read", "[note_document]") {
  const auto post = read(fixture("misskey_question"));
  REQUIRE(post.poll);
  CHECK(post.poll->multiple);
  CHECK(post.poll->options[1].votes == 1);
  CHECK(to_iso8601(*post.poll->ends_at) == "2026-11-06T00:00:00.000Z");
  CHECK(visibility_of(post.to, post.cc, "") == visibility::everyone);
}

TEST_CASE("a vote names an option and has no content", "[note_document]") {
  const auto vote = read_object("mastodon_vote");
  CHECK(vote.title == "green");
  CHECK_FALSE(vote.has_content);
  CHECK(vote.in_reply_to == "https://trunk.example/users/bob/statuses/8");
}

TEST_CASE("Misskey's Note is read", "[note_document]") {
  const auto post = read_object("misskey_note");
  CHECK(post.sensitive);
  CHECK(post.in_reply_to.empty());
  CHECK(visibility_of(post.to, post.cc, "https://misskey.example/users/9abc/followers") ==
        visibility::unlisted);
  REQUIRE(post.attachments.size() == 1);
  CHECK(post.attachments[0].description.empty());
}

TEST_CASE("Pleroma's attachment is a list of Links", "[note_document]") {
  const auto post = read_object("pleroma_create_note");
  REQUIRE(post.attachments.size() == 1);
  CHECK(post.attachments[0].url == "https://pleroma.example/media/chart.png");
  CHECK(post.attachments[0].media_type == "image/png");
  CHECK(post.tags == std::vector<std::string>{"maps"});
  CHECK(post.language == "fr");
  CHECK_FALSE(post.sensitive);
  CHECK(to_iso8601(*post.published) == "2026-11-08T08:00:00.123Z");
}

TEST_CASE("Pleroma's ChatMessage is no post", "[note_document]") {
  const auto chat = fixture("pleroma_chat_message");
  REQUIRE(read_activity(chat));
  CHECK(code_of(read_note(*chat.find("object")).error()) == errc::malformed);
}

TEST_CASE("Lemmy's Page is shown as its title and a link", "[note_document]") {
  const auto announce = fixture("lemmy_announce_create_page");
  const auto post = read(*announce.find("object")->find("object"));
  CHECK(post.type == "Page");
  CHECK(post.title == "Night trains & <sleepers>");
  CHECK(post.has_content);
  CHECK(post.content ==
        "<p>Night trains &amp; &lt;sleepers&gt;</p><p><a "
        "href=\"https://lemmy.example/post/9\">https://lemmy.example/post/9</a></p>");
  CHECK(post.tags == std::vector<std::string>{"trains"});
  CHECK(post.attachments.empty());
}

TEST_CASE("Pixelfed's and GoToSocial's single values are read", "[note_document]") {
  const auto pixelfed = read_object("pixelfed_create_note");
  CHECK(pixelfed.tags == std::vector<std::string>{"bridges"});
  REQUIRE(pixelfed.attachments.size() == 1);
  CHECK(pixelfed.attachments[0].media_type == "image/jpeg");
  const auto gotosocial = read_object("gotosocial_create_note");
  CHECK(gotosocial.spoiler == "plumbing");
  CHECK(gotosocial.language == "nl");
  REQUIRE(gotosocial.attachments.size() == 1);
  CHECK(gotosocial.attachments[0].description == "a pump");
}

TEST_CASE("a medium without a media type is at least what it calls itself", "[note_document]") {
  const auto type_of = [](const char* medium) {
    const auto post = read(with(note(), "attachment", medium));
    REQUIRE(post.attachments.size() == 1);
    return post.attachments[0].media_type;
  };
  CHECK(type_of(R"({"type":"Image","url":"https://e.example/a"})") == "image/*");
  CHECK(type_of(R"({"type":"Video","url":"https://e.example/a"})") == "video/*");
  CHECK(type_of(R"({"type":"Audio","url":"https://e.example/a"})") == "audio/*");
  CHECK(type_of(R"({"type":"Document","url":"https://e.example/a"})").empty());
  CHECK(type_of(R"({"type":"Image","mediaType":"image/gif","url":"https://e.example/a"})") ==
        "image/gif");
  CHECK(type_of(R"({"type":"Image","mediaType":null,"url":"https://e.example/a"})") == "image/*");
}

TEST_CASE("PeerTube's Video belongs to the Person", "[note_document]") {
  const auto video = read(fixture("peertube_video"));
  CHECK(video.type == "Video");
  CHECK(video.attributed_to == "https://peertube.example/accounts/gil");
  CHECK(video.url == "https://peertube.example/w/aaaa");
  CHECK(video.title == "How locks work");
  CHECK(video.content.find("https://peertube.example/w/aaaa") != std::string::npos);
}

TEST_CASE("A39: a post has one author or none", "[note_document][A39]") {
  const auto e = std::string{"https://e.example/u/e"};
  CHECK(author_of(R"("https://e.example/u/e")") == e);
  CHECK(author_of(R"({"id":"https://e.example/u/e"})") == e);
  CHECK(author_of(R"(["https://e.example/u/e"])") == e);
  for (const auto* none :
       {R"(["https://e.example/u/e","https://v.example/u/v"])",
        R"(["https://v.example/u/v","https://e.example/u/e"])",
        R"([{"type":"Person","id":"https://e.example/u/e"},"https://v.example/u/v"])",
        R"([{"type":"Person","id":"https://e.example/u/e"},
            {"type":"Person","id":"https://v.example/u/v"}])",
        R"([{"type":"Group","id":"https://e.example/u/e"},
            {"type":"Group","id":"https://v.example/u/v"}])",
        "null", "7", "[]", "{}", "\"\"", R"({"id":7})", R"([["https://e.example/u/e"]])"}) {
    CAPTURE(none);
    CHECK(author_of(none).empty());
  }
  const auto many =
      with(note(), "attributedTo", json_value{repeated(100'000, R"("https://v.example/")")});
  CHECK(read(many).attributed_to.empty());
}

TEST_CASE("A83: a post has an id and a type", "[note_document][A83]") {
  for (const auto* id : {"null", "7", "\"\"", "\"/n/1\"", "[]", R"(["https://e.example/n/1"])"})
    CHECK(code_of(read_note(with(note(), "id", id)).error()) == errc::malformed);
  for (const auto* type : {"null", "7", "[]", R"("Person")", R"("Tombstone")", R"("Create")"})
    CHECK(code_of(read_note(with(note(), "type", type)).error()) == errc::malformed);
  CHECK(read(with(note(), "type", R"(["Unheard","as:Note"])")).type == "Note");
}

TEST_CASE("a language belongs to the content that is shown", "[note_document]") {
  CHECK(read(with(note(), "contentMap", R"({"en":"x","de":"<p>hi</p>"})")).language == "de");
  CHECK(read(with(note(), "contentMap", R"({"und":"<p>hi</p>"})")).language.empty());
  CHECK(read(with(note(), "contentMap", R"({"\"><b>":"<p>hi</p>"})")).language.empty());
  CHECK(read(with(note(), "contentMap", R"({"en":"x","de":"y"})")).language.empty());
  CHECK(read(with(note(), "contentMap", "7")).language.empty());
  const auto mapped =
      read(with(with(note(), "content", "null"), "contentMap", R"({"fr":"salut"})"));
  CHECK(mapped.content == "salut");
  CHECK(mapped.language == "fr");
}

TEST_CASE("A85: a poll is cut, and its counts make sense", "[note_document][A85]") {
  const auto option = R"({"name":"x","replies":{"totalItems":-5}})";
  auto document = with(note(), "type", R"("Question")");
  document = with(document, "oneOf", json_value{repeated(10'000, option)});
  document = with(with(document, "endTime", R"("9999-12-31T23:59:59Z")"), "votersCount", "-3");
  const auto poll = read(document).poll;
  REQUIRE(poll);
  CHECK(poll->options.size() == poll_options_max);
  CHECK(poll->options[0].votes == 0);
  CHECK(poll->voters == 0);
  CHECK(to_iso8601(*poll->ends_at) == "2200-01-01T00:00:00.000Z");
  CHECK(read(with(document, "closed", "true")).poll->closed);
  CHECK(to_iso8601(*read(with(document, "closed", R"("2026-01-01T00:00:00Z")")).poll->ends_at) ==
        "2026-01-01T00:00:00.000Z");
  CHECK_FALSE(read(with(document, "oneOf", "[]")).poll);
  CHECK_FALSE(read(with(document, "oneOf", R"([7,{},{"name":7}])")).poll);
}

TEST_CASE("A86: dates are clamped, and what is none is none", "[note_document][A86]") {
  CHECK(date_of(R"("1970-01-01T00:00:00Z")") == "1970-01-01T00:00:00.000Z");
  CHECK(date_of(R"("1969-07-20T20:17:40Z")") == "1970-01-01T00:00:00.000Z");
  CHECK(date_of(R"("0000-01-01T00:00:00Z")") == "1970-01-01T00:00:00.000Z");
  CHECK(date_of(R"("9999-12-31T23:59:59Z")") == "2200-01-01T00:00:00.000Z");
  CHECK(date_of(R"("2026-11-28T21:00:00.1234567Z")") == "2026-11-28T21:00:00.123Z");
  CHECK(date_of(R"("2026-11-28t21:00:00z")") == "2026-11-28T21:00:00.000Z");
  CHECK(date_of(R"("2026-11-28T21:00:00+05:30")") == "2026-11-28T15:30:00.000Z");
  CHECK(date_of(R"("2026-11-28T21:00:00-0530")") == "2026-11-29T02:30:00.000Z");
  CHECK(date_of(R"("2026-11-28T21:00:00+02")") == "2026-11-28T19:00:00.000Z");
  CHECK(date_of(R"("2026-11-28 21:00:00")") == "2026-11-28T21:00:00.000Z");
  CHECK(date_of(R"("2026-11-28T21:00")") == "2026-11-28T21:00:00.000Z");
  CHECK(date_of(R"("2026-11-28")") == "2026-11-28T00:00:00.000Z");
  CHECK(date_of(R"("2016-12-31T23:59:60Z")") == "2017-01-01T00:00:00.000Z");
  for (const auto* none :
       {"-1", "0", "1764363600", "null", "\"\"", "\"yesterday\"", R"("2026-13-01T00:00:00Z")",
        R"("2026-02-30T00:00:00Z")", R"("2026-11-28T24:00:00Z")", R"("2026-11-28T21:60:00Z")",
        R"("2026-11-28T21:00:00Zx")", R"("2026-11-28T21:00:00+99:00")", R"("-026-11-28T21:00:00Z")",
        R"("+2026-11-28")", R"("2026-1-1")", R"("2026-11-28T")", R"("20261128T210000Z")",
        R"(["2026-11-28"])"}) {
    CAPTURE(none);
    CHECK(date_of(none) == "none");
  }
}

TEST_CASE("A87: attachments are cut and have web addresses", "[note_document][A87]") {
  const auto of = [](json_value attachment) {
    return read(with(note(), "attachment", std::move(attachment))).attachments;
  };
  CHECK(of(json_value{repeated(1'000, R"({"type":"Document","url":"https://e.example/1"})")})
            .size() == note_attachments_max);
  for (const auto* bad :
       {R"j({"type":"Document","url":"javascript:alert(1)"})j",
        R"j({"type":"Image","url":"data:image/svg+xml,<svg onload=alert(1)>"})j",
        R"({"type":"Document"})", R"({"type":"Document","url":7})",
        R"({"type":"Link","href":"https://e.example/1"})", R"({"url":"https://e.example/1"})",
        R"({"type":"PropertyValue","name":"a","value":"b"})", "null", "7",
        R"("https://e.example")"})
    CHECK(of(*parse_json(bad)).empty());
  CHECK(of(*parse_json(R"({"type":"Document","href":"https://e.example/1"})")).size() == 1);
}

TEST_CASE("A76: mentions and tags are cut", "[note_document][A76]") {
  auto tags = repeated(1'000, R"({"type":"Mention","href":"https://m.example/u/m"})");
  const auto hashtags = repeated(10'000, R"({"type":"Hashtag","name":"#x"})");
  tags.insert(tags.end(), hashtags.begin(), hashtags.end());
  const auto post = read(with(note(), "tag", json_value{std::move(tags)}));
  CHECK(post.mentions.size() == note_mentions_max);
  CHECK(post.tags.size() == note_tags_max);
}

TEST_CASE("texts of a post are cut", "[note_document][A84]") {
  auto document = with(note(), "content", json_value{std::string(1'000'000, 'c')});
  document = with(document, "name", json_value{std::string(1'000'000, 'n')});
  const auto post = read(document);
  CHECK(post.content.size() == note_content_bytes_max);
  CHECK(post.title.size() == 2'048);
}

TEST_CASE("a page that is no web address is replaced by the id", "[note_document]") {
  for (const auto* bad : {R"j("javascript:alert(1)")j", "7", "null", R"([{"href":"magnet:?x"}])"})
    CHECK(read(with(note(), "url", bad)).url == "https://e.example/n/1");
}
