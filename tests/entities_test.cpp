#include "protocol/entities.hpp"

#include "protocol/emoji_entities.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

namespace {

const auto here = site{.domain = "x.example", .urls = {"https://x.example"}};

const auto ada = account_view{
    .id = account_id{7},
    .name = "ada",
    .domain = "m.example",
    .uri = "https://m.example/users/ada",
    .page = "https://m.example/@ada",
    .display_name = "Ada :gear:",
    .note = "<p>Analyst &amp; more</p>",
    .fields_json = R"([{"name":"Site","value":"<a href=\"https://a.example\">a</a>"}])",
    .avatar_url = "https://files.example/ada.png",
    .header_url = "",
    .emojis_json = R"([{"name":"gear","url":"https://files.example/gear.png"},)"
                   R"({"name":"unused","url":"https://files.example/unused.png"}])"};

std::string text(const json_object& entity, std::string_view member) {
  const auto* value = entity.find(member);
  REQUIRE(value);
  return to_json(*value);
}

post_view post_of(const account_view& author) {
  auto post = post_view{.author = std::make_shared<account_view>(author)};
  post.row.id = post_id{30};
  post.row.author = author.id;
  post.row.html = "<p>hello</p>";
  post.row.uri = "https://m.example/notes/1";
  return post;
}

constexpr auto gear = R"([{"shortcode":"gear","url":"https://files.example/gear.png",)"
                      R"("static_url":"https://files.example/gear.png","visible_in_picker":true}])";

} // namespace

TEST_CASE("an account of another server is shown as its server tells it", "[entities]") {
  const auto entity = to_entity(ada, here);
  CHECK(text(entity, "acct") == R"("ada@m.example")");
  CHECK(text(entity, "url") == R"("https://m.example/@ada")");
  CHECK(text(entity, "uri") == R"("https://m.example/users/ada")");
  CHECK(text(entity, "avatar") == R"("https://files.example/ada.png")");
  CHECK(text(entity, "avatar_static") == R"("https://files.example/ada.png")");
  CHECK(text(entity, "header") == R"("https://x.example/pictures/header.png")");
  CHECK(text(entity, "note") == R"("<p>Analyst &amp; more</p>")");
  CHECK(text(entity, "emojis") == gear);
  // What came is HTML already: to escape it would show its tags.
  CHECK(text(entity, "fields") ==
        R"([{"name":"Site","value":"<a href=\"https://a.example\">a</a>","verified_at":null}])");
}

TEST_CASE("without a page of its own an account is shown by its id", "[entities]") {
  auto plain = ada;
  plain.page.clear();
  CHECK(text(to_entity(plain, here), "url") == R"("https://m.example/users/ada")");
}

TEST_CASE("an account of ours has our page, our pictures and its text made HTML", "[entities]") {
  const auto alice = account_view{.id = account_id{1},
                                  .name = "alice",
                                  .uri = "https://x.example/users/alice",
                                  .note = "a < b",
                                  .fields_json = R"([{"name":"n","value":"a < b"}])"};
  const auto entity = to_entity(alice, here);
  CHECK(text(entity, "url") == R"("https://x.example/@alice")");
  CHECK(text(entity, "avatar") == R"("https://x.example/pictures/avatar.png")");
  CHECK(text(entity, "note") == R"("<p>a &lt; b</p>")");
  CHECK(text(entity, "emojis") == "[]");
  CHECK(text(entity, "fields").find("a &lt; b") != std::string::npos);
}

TEST_CASE("a post of another server leads to its page, and shows its emojis", "[entities]") {
  auto post = post_of(ada);
  post.row.url = "https://m.example/@ada/1";
  post.row.spoiler = "about :gear:";
  post.row.emojis_json = ada.emojis_json;
  post.media.push_back({.id = 1, .kind = medium_kind::image, .url = "https://files.example/a.png"});
  post.mentions.push_back({.id = account_id{8},
                           .name = "neko",
                           .domain = "k.example",
                           .uri = "https://k.example/users/9",
                           .page = "https://k.example/@neko"});
  const auto entity = to_entity(post, account_id{}, here);
  CHECK(text(entity, "url") == R"("https://m.example/@ada/1")");
  CHECK(text(entity, "uri") == R"("https://m.example/notes/1")");
  CHECK(text(entity, "emojis") == gear);
  CHECK(text(entity, "media_attachments").find(R"("remote_url":"https://files.example/a.png")") !=
        std::string::npos);
  CHECK(text(entity, "mentions").find(R"("url":"https://k.example/@neko")") != std::string::npos);
  post.row.url.clear();
  CHECK(text(to_entity(post, account_id{}, here), "url") == R"("https://m.example/notes/1")");
}

TEST_CASE("of a poll whose server counts no voters nobody says how many", "[entities]") {
  auto post = post_of(ada);
  post.row.emojis_json = ada.emojis_json;
  post.poll = poll_view{.options = {":gear:", "no"}, .votes = {2, 1}, .multiple = true};
  const auto shown = text(to_entity(post, account_id{}, here), "poll");
  CHECK(shown.find(R"("voters_count":null)") != std::string::npos);
  CHECK(shown.find(R"("votes_count":3)") != std::string::npos);
  CHECK(shown.find(gear) != std::string::npos);
  post.poll->voters = 2;
  CHECK(text(to_entity(post, account_id{}, here), "poll").find(R"("voters_count":2)") !=
        std::string::npos);
}

TEST_CASE("emojis are read from lists of names and addresses alone", "[entities]") {
  for (const auto* wrong :
       {"", "[]", "{}", "nonsense", "[1]", R"([{"name":"gear"}])", R"([{"name":3,"url":"x"}])"})
    CHECK(emojis_in(wrong, {":gear:"}).empty());
  CHECK(emojis_in(ada.emojis_json, {"gear", ": gear :"}).empty());
  CHECK(emojis_in(ada.emojis_json, {"", "x:gear:y:unused:"}).size() == 2);
}
