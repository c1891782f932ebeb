/// The post that every path of the benchmark writes: of middling length, naming nobody.
#pragma once

#include <string>
#include <string_view>

namespace trunkline::bench {

inline constexpr std::string_view sample_text =
    "The quick brown fox jumps over the lazy dog, and then, because nobody was looking, it went "
    "back and did it once more. https://example.org/fox";

inline const std::string sample_html = "<p>" + std::string{sample_text} + "</p>";

inline constexpr std::string_view bench_domain = "bench.invalid";

} // namespace trunkline::bench
