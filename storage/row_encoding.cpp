#include "storage/row_encoding.hpp"

#include "protocol/crypto.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace trunkline {

namespace {

constexpr std::size_t number_bytes = 8;

constexpr auto null_mark = '0';
constexpr auto number_mark = 'i';
constexpr auto text_mark = 't';
constexpr auto bytes_mark = 'b';

void append_number(std::string& to, std::uint64_t number) {
  for (auto shift = 8 * number_bytes; shift > 0; shift -= 8)
    to.push_back(static_cast<char>((number >> (shift - 8)) & 0xffu));
}

void append_string(std::string& to, char mark, std::string_view content) {
  to.push_back(mark);
  append_number(to, content.size());
  to.append(content);
}

void append(std::string& to, const sql_value& value) {
  const auto& content = value.content();
  if (const auto* text = std::get_if<std::string>(&content))
    return append_string(to, text_mark, *text);
  if (const auto* bytes = std::get_if<blob>(&content))
    return append_string(to, bytes_mark, bytes->bytes);
  if (value.is_null())
    return to.push_back(null_mark);
  to.push_back(number_mark);
  append_number(to, static_cast<std::uint64_t>(value.integer()));
}

/// Takes bytes from the front of a text; nothing when there are not enough.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_{bytes} {}

  bool at_end() const { return rest_.empty(); }

  std::optional<std::string_view> take(std::uint64_t count) {
    if (count > rest_.size())
      return std::nullopt;
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::optional<std::uint64_t> take_number() {
    const auto bytes = take(number_bytes);
    if (!bytes)
      return std::nullopt;
    auto number = std::uint64_t{0};
    for (const auto byte : *bytes)
      number = (number << 8) | static_cast<unsigned char>(byte);
    return number;
  }

  std::optional<sql_value> take_value() {
    const auto mark = take(1);
    if (mark == std::string_view{&null_mark, 1})
      return sql_value{};
    const auto number = take_number();
    if (!mark || !number)
      return std::nullopt;
    if (mark->front() == number_mark)
      return sql_value{static_cast<std::int64_t>(*number)};
    const auto content = take(*number);
    if (content && mark->front() == text_mark)
      return sql_value{*content};
    if (content && mark->front() == bytes_mark)
      return sql_value{blob{std::string{*content}}};
    return std::nullopt;
  }

private:
  std::string_view rest_;
};

} // namespace

std::string encode_row(const sql_row& row) {
  auto bytes = std::string{};
  for (const auto& value : row)
    append(bytes, value);
  return bytes;
}

caf::expected<sql_row> decode_row(std::string_view bytes) {
  auto from = byte_reader{bytes};
  auto row = sql_row{};
  while (!from.at_end()) {
    auto value = from.take_value();
    if (!value)
      return make_error(errc::malformed, "row: cannot be read");
    row.push_back(std::move(*value));
  }
  return row;
}

void row_digest::add(const sql_row& row) {
  bytes_ = sha256(bytes_ + encode_row(row));
}

} // namespace trunkline
