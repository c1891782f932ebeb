#include "protocol/html_sanitizer.hpp"
#include "protocol/json.hpp"
#include "tests/kit/html_fault.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

using namespace trunkline;
using trunkline::kit::fault_of;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  auto all = std::string{};
  for (auto i = std::size_t{0}; i < times; ++i)
    all += text;
  return all;
}

} // namespace

TEST_CASE("A91: of hostile HTML only tags and attributes of the list are left",
          "[sanitizer][A91]") {
  const auto file =
      std::filesystem::path{TRUNKLINE_SOURCE_DIR} / "../shared/data/hostile-html.json";
  if (!std::filesystem::exists(file)) {
    std::cout << "left out: A91, ../shared/data/hostile-html.json is not here\n";
    return;
  }
  auto stream = std::ifstream{file, std::ios::binary};
  const auto document = parse_json(std::string{std::istreambuf_iterator<char>{stream}, {}});
  REQUIRE(document);
  const auto* cases = document->as_array();
  REQUIRE(cases);
  REQUIRE(cases->size() >= 200);
  for (const auto& hostile : *cases) {
    const auto* payload = hostile.find("payload");
    REQUIRE((payload && payload->as_string()));
    const auto clean = sanitize_html(*payload->as_string());
    INFO(*payload->as_string());
    INFO(clean);
    CHECK(fault_of(clean) == "");
    CHECK(fault_of(sanitize_html(clean)) == "");
  }
}

TEST_CASE("the check of sanitised HTML sees what it must", "[sanitizer]") {
  CHECK(fault_of("<script>") != "");
  CHECK(fault_of("<p onclick=\"x\">") != "");
  CHECK(fault_of("<a href=\"javascript:x\">") != "");
  CHECK(fault_of("<p>text</p>") == "");
}

TEST_CASE("what Mastodon keeps is kept", "[sanitizer]") {
  CHECK(sanitize_html("<p>Hello <strong>you</strong><br>there</p>") ==
        "<p>Hello <strong>you</strong><br>there</p>");
  CHECK(sanitize_html("<h1>Title</h1><p>x</p>") == "<p><strong>Title</strong></p><p>x</p>");
  CHECK(sanitize_html("<ol start=\"3\"><li value=\"7\">x</li></ol>") ==
        "<ol start=\"3\"><li value=\"7\">x</li></ol>");
  CHECK(sanitize_html("a &lt; b &amp; c") == "a &lt; b &amp; c");
  CHECK(sanitize_html("<a class=\"mention evil u-url\" href=\"https://a.example/@b\">@b</a>") ==
        "<a href=\"https://a.example/@b\" class=\"mention u-url\""
        " rel=\"nofollow noopener noreferrer\" target=\"_blank\">@b</a>");
}

TEST_CASE("A93: what is not kept goes, and is not read again as something else",
          "[sanitizer][A93]") {
  CHECK(sanitize_html("<script>alert(1)</script>x") == "x");
  CHECK(sanitize_html("<style>p{}</style><iframe src=\"https://a.example\"></iframe>x") == "x");
  CHECK(sanitize_html("<a href=\"foo://bar\">Test</a>") == "Test");
  CHECK(sanitize_html("<a href=\"foo://\">Test&lt;a href=x&gt;</a>") == "Test&lt;a href=x&gt;");
  CHECK(sanitize_html("<a href=\" java\tscript:alert(1)\">x</a>") == "x");
  CHECK(sanitize_html("<form action=\"https://a.example\"><b>x</b></form>") == "<b>x</b>");
  CHECK(sanitize_html("<svg><script>alert(1)</script></svg>x") == "x");
}

TEST_CASE("A95: the host of a link is never hidden", "[sanitizer][A95]") {
  CHECK(sanitize_html("<a href=\"https://evil.example/a\"><span class=\"invisible\">"
                      "https://evil.example/</span>bank.example</a>")
            .find("invisible") == std::string::npos);
  CHECK(sanitize_html("<a href=\"https://a.example/a\"><span class=\"invisible\">https://</span>"
                      "a.example/a</a>")
            .find("invisible") != std::string::npos);
}

TEST_CASE("A92: markup past the limits is text, whatever it says", "[sanitizer][A92]") {
  CHECK(fault_of(sanitize_html(repeated("<div>", html_tags_max))) == "");
  CHECK(sanitize_html(repeated("<b>", html_tags_max + 1)).starts_with("&lt;b&gt;"));
  CHECK(sanitize_html(repeated("<p>", 100'000)).find('<') == std::string::npos);
  CHECK(sanitize_html("<p " + repeated("a=b ", html_attributes_max + 1) + ">x").find('<') ==
        std::string::npos);
  CHECK(sanitize_html("<math><semantics><annotation>x</annotation></semantics></math>y") == "y");
}

TEST_CASE("A92: letters left open are not copied without end", "[sanitizer][A92]") {
  auto open = std::string{"<p>"};
  for (auto i = 0; i < 600; ++i)
    open += "<b id=" + std::to_string(i) + ">";
  const auto hostile = open + "</p>" + repeated("<p>x", 1'300);
  CHECK(sanitize_html(hostile).starts_with("&lt;p&gt;&lt;b id"));
  CHECK(sanitize_html(hostile).size() < 10 * hostile.size());
  const auto plain = "<p>" + repeated("<b>", 600) + "</p>" + repeated("<p>x", 1'300);
  CHECK(sanitize_html(plain).size() < 10 * plain.size());
  const auto honest = repeated("<p><b>a</b> <i class=\"x\">b</i></p>", 60);
  CHECK(sanitize_html(honest) == repeated("<p><b>a</b> <i>b</i></p>", 60));
}

TEST_CASE("A92 A95: what hides text is looked at up to a limit, and shown past it",
          "[sanitizer][A92][A95]") {
  const auto link = std::string{"<a href=\"https://a.example/\">"};
  const auto span = std::string{"<span class=\"invisible\">"};
  const auto deep = sanitize_html(link + repeated(span, 1'000) + std::string(30'000, 'x'));
  CHECK(deep.find("<span class=\"invisible\">") != std::string::npos);
  CHECK(deep.find("<span>") != std::string::npos);
  const auto often = "<span class=\"" + repeated("invisible ", 1'000) + "\">x</span>";
  CHECK(sanitize_html(link + often).find(" invisible") == std::string::npos);
}

TEST_CASE("the text of HTML is what a reader sees", "[sanitizer]") {
  CHECK(html_to_text("<p>One &amp; two</p><p>three<br>four</p>") == "One & two\nthree\nfour");
  CHECK(html_to_text("<script>x</script>") == "");
}
