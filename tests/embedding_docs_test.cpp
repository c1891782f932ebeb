// The code in docs/embedding.md is that of the examples, which the tests compile and run.

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using lines = std::vector<std::string>;

lines read_lines(const std::string& file) {
  auto in = std::ifstream{std::string{TRUNKLINE_SOURCE_DIR} + "/" + file};
  REQUIRE(in);
  auto out = lines{};
  for (auto line = std::string{}; std::getline(in, line);)
    out.push_back(line);
  return out;
}

struct code_block {
  std::string source; ///< The example that is named above it; "" when none is.
  lines text;
};

std::vector<code_block> blocks_of(const lines& page) {
  static const auto marker = std::string{"<!-- "};
  auto out = std::vector<code_block>{};
  for (auto at = page.begin(); at != page.end(); ++at) {
    if (*at != "```cpp")
      continue;
    auto next = code_block{};
    if (at != page.begin() && (at - 1)->starts_with(marker))
      next.source = (at - 1)->substr(marker.size(), (at - 1)->find(" -->") - marker.size());
    while (++at != page.end() && *at != "```")
      next.text.push_back(*at);
    out.push_back(std::move(next));
  }
  return out;
}

bool contains(const lines& example, const lines& text) {
  return !text.empty() &&
         std::search(example.begin(), example.end(), text.begin(), text.end()) != example.end();
}

} // namespace

TEST_CASE("the code of docs/embedding.md stands in the examples", "[docs]") {
  const auto blocks = blocks_of(read_lines("docs/embedding.md"));
  REQUIRE(blocks.size() >= 8);
  for (const auto& block : blocks) {
    CAPTURE(block.source, block.text.front());
    REQUIRE(block.source.starts_with("examples/"));
    CHECK(contains(read_lines(block.source), block.text));
  }
}

TEST_CASE("a line that no example has is found", "[docs]") {
  const auto example = lines{"one", "  two", "three"};
  CHECK(contains(example, {"  two", "three"}));
  CHECK_FALSE(contains(example, {"two"}));
  CHECK_FALSE(contains(example, {"one", "three"}));
  CHECK_FALSE(contains(example, {}));
  const auto blocks = blocks_of({"<!-- examples/a.cpp -->", "```cpp", "x", "```", "```cpp", "```"});
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].source == "examples/a.cpp");
  CHECK(blocks[1].source.empty());
}

TEST_CASE("two servers need fewer than 100 lines", "[docs]") {
  CHECK(read_lines("examples/two_servers.cpp").size() < 100);
}
