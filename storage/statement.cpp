#include "storage/statement.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>

namespace trunkline {

namespace {

/// Parameters a statement may have; SQLite's own limit.
constexpr std::size_t parameters_max = 32'766;

bool is_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

bool same_word(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == b;
  });
}

/// Walks the words and parameters of a statement; quoted text is passed over.
class reader {
public:
  explicit reader(std::string_view sql) : rest_{sql} {}

  /// Returns the next word or `$n`; "" at the end.
  std::string_view next() {
    while (!rest_.empty() && !is_word(rest_.front()) && rest_.front() != '$')
      skip();
    auto length = std::size_t{rest_.empty() ? 0u : 1u};
    while (length < rest_.size() && is_word(rest_[length]))
      ++length;
    return take(length);
  }

private:
  void skip() {
    const auto mark = rest_.front();
    rest_.remove_prefix(1);
    if (mark == '\'' || mark == '"')
      rest_.remove_prefix(std::min(rest_.size(), rest_.find(mark) + 1));
  }

  std::string_view take(std::size_t length) {
    const auto word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

  std::string_view rest_;
};

std::size_t number_of(std::string_view parameter) {
  auto number = std::size_t{0};
  std::from_chars(parameter.data() + 1, parameter.data() + parameter.size(), number);
  return number <= parameters_max ? number : 0;
}

/// Bytes of the sequence that `lead` begins, and the range of its second byte.
struct sequence {
  std::size_t length;
  unsigned char low;
  unsigned char high;
};

sequence sequence_of(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF)
    return {2, 0x80, 0xBF};
  if (lead >= 0xE0 && lead <= 0xEF)
    return {3, static_cast<unsigned char>(lead == 0xE0 ? 0xA0 : 0x80),
            static_cast<unsigned char>(lead == 0xED ? 0x9F : 0xBF)};
  if (lead >= 0xF0 && lead <= 0xF4)
    return {4, static_cast<unsigned char>(lead == 0xF0 ? 0x90 : 0x80),
            static_cast<unsigned char>(lead == 0xF4 ? 0x8F : 0xBF)};
  return {0, 0, 0};
}

/// Returns the length of the well-formed sequence at the start of `text`; 0 for none.
std::size_t well_formed(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto expected = sequence_of(byte(0));
  if (expected.length == 0 || text.size() < expected.length)
    return 0;
  if (byte(1) < expected.low || byte(1) > expected.high)
    return 0;
  for (auto at = std::size_t{2}; at < expected.length; ++at)
    if ((byte(at) & 0xC0u) != 0x80u)
      return 0;
  return expected.length;
}

} // namespace

statement_shape shape_of(std::string_view sql) {
  auto shape = statement_shape{};
  auto seen = std::vector<bool>{};
  auto words = reader{sql};
  auto first = true;
  auto with = false;
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (word.front() == '$') {
      const auto number = number_of(word);
      seen.resize(std::max(seen.size(), number));
      if (number > 0)
        seen[number - 1] = true;
      continue;
    }
    with = with || (first && same_word(word, "WITH"));
    if ((first || with) && !shape.writes && same_word(word, "UPDATE")) {
      shape.writes = true;
      shape.table = words.next();
    }
    if ((first || with) && !shape.writes &&
        (same_word(word, "INSERT") || same_word(word, "DELETE"))) {
      shape.writes = true;
      words.next(); // INTO, FROM
      shape.table = words.next();
    }
    first = false;
  }
  shape.parameters = seen.size();
  shape.uses_all = std::all_of(seen.begin(), seen.end(), [](bool used) { return used; });
  return shape;
}

caf::error check_values(const statement_shape& shape, std::span<const sql_value> values) {
  if (!shape.uses_all || shape.parameters != values.size())
    return make_error(errc::storage_refused, "statement: " + std::to_string(values.size()) +
                                                 " values for parameters up to " +
                                                 std::to_string(shape.parameters) +
                                                 (shape.uses_all ? "" : ", some of them unused"));
  for (const auto& value : values) {
    const auto* text = std::get_if<std::string>(&value.content());
    if (text && !is_storable(*text))
      return make_error(errc::invalid, "text: must be UTF-8 without NUL");
  }
  return {};
}

bool is_storable(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const auto length = lead < 0x80 ? std::size_t{lead != 0} : well_formed(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

} // namespace trunkline
