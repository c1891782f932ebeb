/// Sanitises HTML for a test that shows it to a browser: a JSON array of texts comes in, the array
/// of what the sanitiser makes of them goes out.
#include "protocol/html_sanitizer.hpp"
#include "protocol/json.hpp"

#include <iostream>
#include <iterator>
#include <string>

using namespace trunkline;

int main() {
  const auto text = std::string{std::istreambuf_iterator<char>{std::cin}, {}};
  const auto parsed = parse_json(text);
  const auto* list = parsed ? parsed->as_array() : nullptr;
  if (!list) {
    std::cerr << "usage: trunkline_sanitize < an array of texts, as JSON\n";
    return 64;
  }
  auto clean = json_array{};
  for (const auto& html : *list)
    clean.emplace_back(html.as_string() ? sanitize_html(*html.as_string()) : "");
  std::cout << to_json(json_value{std::move(clean)}) << '\n';
}
