#include "protocol/document_rules.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("references are resolved as RFC 3986 section 5.4 says", "[document_rules]") {
  const auto base = std::string{"http://a/b/c/d;p?q"};
  const auto [reference, url] = GENERATE(table<std::string, std::string>({
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      {"https://b.example/x", "https://b.example/x"},
  }));
  CAPTURE(reference);
  CHECK(resolve_reference(base, reference) == url);
}

TEST_CASE("a base without a path gets one", "[document_rules]") {
  CHECK(resolve_reference("https://a", "g") == "https://a/g");
  CHECK(resolve_reference("https://a?q", "g") == "https://a/g");
  CHECK(resolve_reference("", "/g") == "/g");
}
