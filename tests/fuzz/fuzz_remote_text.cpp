/// Plain text of other servers: it is one line of UTF-8 within its limit, and cleaning it once more
/// changes nothing.
#include "protocol/html_sanitizer.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/remote_text.hpp"
#include "protocol/utf8.hpp"

#include <cstdlib>

using namespace trunkline;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

bool has_control(std::string_view text) {
  for (const auto letter : text)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f)
      return true;
  return text.find("\xe2\x80\xae") != text.npos; // U+202E
}

void check_line(const std::string& line, std::string_view text, std::size_t bytes_max) {
  require(line.size() <= bytes_max && line.size() <= text.size());
  require(is_utf8(line) && !has_control(line));
}

void check_lines(std::string_view text, std::size_t bytes_max) {
  const auto clean = clean_text(text, bytes_max);
  check_line(clean, text, bytes_max);
  require(clean_text(clean, bytes_max) == clean);
  const auto shown = display_line(text, bytes_max);
  check_line(shown, text, bytes_max);
  require(display_line(shown, bytes_max) == shown);
}

void check_cuts(const std::string& text, std::size_t limit) {
  const auto bytes = clamp_bytes(text, limit);
  require(bytes.size() <= limit && is_utf8(bytes) && text.starts_with(bytes));
  const auto characters = clamp_characters(text, limit);
  require(characters.size() <= 4 * limit && is_utf8(characters) && text.starts_with(characters));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const auto text = std::string{reinterpret_cast<const char*>(bytes), size};
  if (const auto at = parse_date_time(text))
    require(*at >= time_point{} && *at <= time_point{std::chrono::hours{24 * 366 * 231}});
  if (is_remote_name(text))
    require(text.size() <= remote_name_max && clean_text(text, remote_name_max) == text);
  if (!is_utf8(text)) // parse_json lets none through
    return 0;
  for (const auto limit : {std::size_t{0}, size / 2, std::size_t{255}, size}) {
    check_lines(text, limit);
    check_cuts(text, limit);
  }
  check_lines(html_to_text(text), size);
  return 0;
}
