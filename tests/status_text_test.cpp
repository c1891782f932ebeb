#include "protocol/status_text.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace trunkline;

namespace {

using lines = std::vector<std::string>;

/// "@alice", "@bob@example.org", "#cat", "http://…": what was found, in order.
lines found(std::string_view text) {
  auto out = lines{};
  for (const auto& entity : find_entities(text)) {
    const auto whole = text.substr(entity.begin, entity.end - entity.begin);
    switch (entity.kind) {
    case text_entity::kind_of::mention:
      out.push_back("@" + entity.name + (entity.domain.empty() ? "" : "@" + entity.domain));
      CHECK(whole == out.back());
      break;
    case text_entity::kind_of::tag:
      out.push_back("#" + entity.name);
      break;
    case text_entity::kind_of::url:
      out.emplace_back(whole);
      break;
    }
  }
  return out;
}

std::size_t count(std::string_view text) {
  return count_characters(text, find_entities(text));
}

std::string html(std::string_view text, const std::vector<std::string>& links = {}) {
  return render_html(text, find_entities(text), links, urls_of("example.org"));
}

std::string repeat(std::string_view text, std::size_t times) {
  auto out = std::string{};
  while (times-- > 0)
    out += text;
  return out;
}

} // namespace

TEST_CASE("mentions are found where a reader sees them", "[status_text]") {
  CHECK(found("@alice") == lines{"@alice"});
  CHECK(found("hi @alice, @Bob_2!") == lines{"@alice", "@Bob_2"});
  CHECK(found("@bob@example.org.") == lines{"@bob@example.org"});
  CHECK(found("(@a.b@sub.example-x.org)") == lines{"@a.b@sub.example-x.org"});
  CHECK(found("@b\xc3\xbc@b\xc3\xbc"
              "cher.example") == lines{"@b"});
  CHECK(found("@bob@b\xc3\xbc"
              "cher.example") == lines{"@bob@b\xc3\xbc"
                                       "cher.example"});
  CHECK(found("@a@") == lines{"@a"});
  CHECK(found("@a @") == lines{"@a"});
  for (const auto* none : {"", "@", "@@", "@-", "@.a", "alice@example.org", "x/@alice", "=@alice",
                           "@ alice", "\xc3\xa9@alice"}) {
    CAPTURE(none);
    CHECK(found(none).empty());
  }
}

TEST_CASE("tags need something that is no digit", "[status_text]") {
  CHECK(found("#cat #Cat_2 #2cats #caf\xc3\xa9 \xef\xbc\x83wide") ==
        lines{"#cat", "#Cat_2", "#2cats", "#caf\xc3\xa9", "#wide"});
  CHECK(found("#cat's #dog.") == lines{"#cat", "#dog"});
  for (const auto* none : {"#", "##", "#1", "#2026", "#_", "a#b", "# cat", "&#39;", "/#cat"}) {
    CAPTURE(none);
    CHECK(found(none).empty());
  }
}

TEST_CASE("links end where the sentence around them goes on", "[status_text]") {
  CHECK(found("see https://example.org/a?b=c#d.") == lines{"https://example.org/a?b=c#d"});
  CHECK(found("(https://example.org/x_(y))") == lines{"https://example.org/x_(y)"});
  CHECK(found("HTTPS://Example.org:8080/a, more") == lines{"HTTPS://Example.org:8080/a"});
  CHECK(found("https://b\xc3\xbc"
              "cher.example/\xc3\xa9") == lines{"https://b\xc3\xbc"
                                                "cher.example/\xc3\xa9"});
  CHECK(found("https://a.example/@alice/1#cat") == lines{"https://a.example/@alice/1#cat"});
  CHECK(found("<https://a.example>") == lines{"https://a.example"});
  for (const auto* none : {"http://", "https:// x", "https://.a", "ftp://a.example", "xhttp://a.b",
                           "https://alice@evil.example/", "javascript:alert(1)"}) {
    CAPTURE(none);
    CHECK(found(none).empty());
  }
}

TEST_CASE("characters are counted as readers count them", "[status_text]") {
  CHECK(count("") == 0);
  CHECK(count("hello") == 5);
  CHECK(count("caf\xc3\xa9") == 4);
  CHECK(count("cafe\xcc\x81") == 4);                                 // combining accent
  CHECK(count("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7") == 1); // a family
  CHECK(count("\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa") == 1);             // a flag
  CHECK(count("https://example.org/" + std::string(400, 'a')) == 23);
  CHECK(count("http://a.b") == 23);
  CHECK(count("@alice@very.long.domain.example hi") == 9);
  CHECK(count("@alice") == 6);
  CHECK(count("#cat") == 4);
  CHECK(count(repeat("e\xcc\x81", 500)) == 500);
}

TEST_CASE("a text of spaces and invisible letters is blank", "[status_text][A96]") {
  CHECK(is_blank(""));
  CHECK(is_blank(" \t\r\n\xc2\xa0\xe3\x80\x80"));
  CHECK(is_blank("\xe2\x80\x8b\xe2\x80\xae\xef\xbb\xbf")); // zero width, right to left, BOM
  CHECK_FALSE(is_blank(" . "));
  CHECK_FALSE(is_blank("\xf0\x9f\x98\x80"));
}

TEST_CASE("paragraphs and line breaks are Mastodon's", "[status_text]") {
  CHECK(html("one") == "<p>one</p>");
  CHECK(html("one\ntwo") == "<p>one<br />two</p>");
  CHECK(html("one\r\ntwo") == "<p>one<br />two</p>");
  CHECK(html("one\n\n\ntwo\nthree\n") == "<p>one</p><p>two<br />three</p>");
  CHECK(html("\n\none") == "<p>one</p>");
}

TEST_CASE("everything that is no link is escaped", "[status_text][A91]") {
  CHECK(html("<script>alert('1')</script> & \"x\"") ==
        "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;</p>");
  CHECK(html("https://a.example/'><b>") ==
        "<p><a href=\"https://a.example/\" target=\"_blank\" rel=\"nofollow noopener\""
        " translate=\"no\"><span class=\"invisible\">https://</span><span class=\"\">a.example/"
        "</span><span class=\"invisible\"></span></a>&#39;&gt;&lt;b&gt;</p>");
}

TEST_CASE("links show where they lead", "[status_text][A95]") {
  CHECK(html("https://www.example.org/" + std::string(30, 'a')) ==
        "<p><a href=\"https://www.example.org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" target=\"_blank\""
        " rel=\"nofollow noopener\" translate=\"no\"><span class=\"invisible\">https://www.</span>"
        "<span class=\"ellipsis\">example.org/aaaaaaaaaaaaaaaaaa</span><span"
        " class=\"invisible\">aaaaaaaaaaaa</span></a></p>");
}

TEST_CASE("mentions link to whom they name, and are plain when nobody is", "[status_text]") {
  CHECK(html("hi @alice!", {"https://example.org/@alice"}) ==
        "<p>hi <span class=\"h-card\" translate=\"no\"><a href=\"https://example.org/@alice\""
        " class=\"u-url mention\">@<span>alice</span></a></span>!</p>");
  CHECK(html("hi @nobody@a.example", {""}) == "<p>hi @nobody@a.example</p>");
  CHECK(html("hi @nobody") == "<p>hi @nobody</p>");
  CHECK(html("@a", {"https://a.example/\"><script>"}).find("<script>") == std::string::npos);
}

TEST_CASE("tags link to their folded page", "[status_text]") {
  CHECK(html("a #Cat") == "<p>a <a href=\"https://example.org/tags/cat\" class=\"mention hashtag\""
                          " rel=\"tag\">#<span>Cat</span></a></p>");
}

TEST_CASE("hostile texts take linear time and are capped", "[status_text][A99]") {
  const auto texts = lines{"@" + repeat("a.", 50'000),
                           repeat("#tag ", 10'000),
                           repeat("https://a.example/x ", 10'000),
                           repeat("@a@", 33'000),
                           "https://a.example/" + repeat(")", 100'000),
                           "https://a.example/" + repeat("(", 50'000) + repeat(").", 25'000),
                           repeat("http://", 14'000),
                           repeat("http://a@", 11'000),
                           "#" + std::string(100'000, '1'),
                           repeat("@a@-", 25'000),
                           repeat("\n", 100'000) + "x",
                           "e" + repeat("\xcc\x81", 50'000),
                           repeat("\xf0\x9f\x91\xa9\xe2\x80\x8d", 14'000),
                           repeat("&<>\"'", 20'000)};
  for (const auto& text : texts) {
    CAPTURE(text.substr(0, 20));
    const auto began = std::chrono::steady_clock::now();
    const auto entities = find_entities(text);
    (void)count_characters(text, entities);
    (void)render_html(text, entities, {}, urls_of("example.org"));
    const auto took = std::chrono::steady_clock::now() - began;
    CHECK(entities.size() <= entities_max);
    // 10 ms in a release build; the sanitizers make it slower, not quadratic.
    CHECK(took < std::chrono::milliseconds{500});
  }
}

TEST_CASE("an entity that is too long is plain text", "[status_text][A99]") {
  CHECK(found("https://a.example/" + std::string(3'000, 'a')).empty());
  CHECK(found("@" + std::string(3'000, 'a')).empty());
}
