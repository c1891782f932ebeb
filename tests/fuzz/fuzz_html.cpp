/// HTML of other servers: what is written has tags and attributes of the list alone, also when it
/// is read once more, and neither time nor room run away. A text that begins with '*' is repeated,
/// which shows work that grows faster than the text.
#include "protocol/html_sanitizer.hpp"
#include "protocol/utf8.hpp"
#include "tests/kit/html_fault.hpp"

#include <cstdlib>

#include <time.h>

using namespace trunkline;

namespace {

constexpr auto repeated_bytes_max = html_bytes_max / 4;
constexpr auto written_bytes_max = 16 * html_bytes_max;
constexpr auto milliseconds_max = 500; ///< Ten times the limit, for the sanitizers.

void require(bool holds) {
  if (!holds)
    std::abort();
}

std::int64_t milliseconds_used() {
  auto used = timespec{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{used.tv_sec} * 1'000 + used.tv_nsec / 1'000'000;
}

std::string repeated(std::string_view part) {
  auto all = std::string{};
  while (!part.empty() && all.size() + part.size() <= repeated_bytes_max)
    all += part;
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  auto html = std::string{reinterpret_cast<const char*>(bytes), size};
  if (html.starts_with('*'))
    html = repeated(std::string_view{html}.substr(1));
  const auto began = milliseconds_used();
  const auto clean = sanitize_html(html);
  const auto text = html_to_text(html);
  require(milliseconds_used() - began < milliseconds_max);
  require(clean.size() <= written_bytes_max && text.size() <= written_bytes_max);
  require(kit::fault_of(clean).empty());
  require(kit::fault_of(sanitize_html(clean)).empty());
  require(!is_utf8(html) || (is_utf8(clean) && is_utf8(text)));
  return 0;
}
