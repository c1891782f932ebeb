#include "protocol/structured_fields.hpp"

#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"
#include "protocol/structured_letters.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace trunkline {

namespace {

constexpr std::size_t integer_digits_max = 15;
constexpr std::size_t decimal_digits_max = 12;
constexpr std::size_t fraction_digits_max = 3;

/// Replaces the value of a key that is there, so that it keeps its place. False: too many.
template <class Value>
bool put(std::vector<std::pair<std::string, Value>>& members, std::string key, Value value) {
  const auto at = std::ranges::find(members, key, &std::pair<std::string, Value>::first);
  if (at != members.end()) {
    at->second = std::move(value);
    return true;
  }
  members.emplace_back(std::move(key), std::move(value));
  return members.size() <= structured_members_max;
}

/// Walks over one field value; each `read_…` returns nothing where the text is wrong.
class field_reader {
public:
  explicit field_reader(std::string_view text) : text_{text} { skip(" "); }

  /// Tells whether nothing but spaces is left.
  bool ends() {
    skip(" ");
    return text_.empty();
  }

  std::optional<structured_item> read_item();
  std::optional<structured_member> read_member();
  std::optional<structured_list> read_list();
  std::optional<structured_dictionary> read_dictionary();

private:
  bool at(char letter) const { return !text_.empty() && text_.front() == letter; }

  bool take(char letter) {
    const auto found = at(letter);
    if (found)
      text_.remove_prefix(1);
    return found;
  }

  void skip(std::string_view letters) {
    text_.remove_prefix(std::min(text_.find_first_not_of(letters), text_.size()));
  }

  /// Takes letters as long as `belongs` holds.
  template <class Belongs>
  std::string_view take_while(const Belongs& belongs) {
    const auto end = std::ranges::find_if_not(text_, belongs);
    const auto taken = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    text_.remove_prefix(taken.size());
    return taken;
  }

  /// Takes the comma behind a member. Nothing: the text is wrong; false: there is none, the end.
  std::optional<bool> take_comma();

  std::optional<std::string> read_key();
  std::optional<structured_parameters> read_parameters();
  std::optional<inner_list> read_inner_list();
  std::optional<bare_item> read_bare_item();
  std::optional<bare_item> read_number();
  std::optional<bare_item> read_string();
  std::optional<bare_item> read_bytes();
  std::optional<bare_item> read_boolean();
  std::optional<bare_item> read_date();
  std::optional<bare_item> read_display_string();

  std::string_view text_;
};

std::optional<bool> field_reader::take_comma() {
  skip(" \t");
  if (text_.empty())
    return false;
  if (!take(','))
    return std::nullopt;
  skip(" \t");
  return text_.empty() ? std::nullopt : std::optional{true};
}

std::optional<std::string> field_reader::read_key() {
  if (text_.empty() || !begins_key(text_.front()))
    return std::nullopt;
  return std::string{take_while(continues_key)};
}

std::optional<bare_item> field_reader::read_number() {
  const auto sign = take('-') ? -1 : 1;
  const auto whole = take_while(is_digit);
  if (whole.empty() || whole.size() > integer_digits_max)
    return std::nullopt;
  auto integer = std::int64_t{0};
  std::from_chars(whole.data(), whole.data() + whole.size(), integer);
  if (!take('.'))
    return sign * integer;
  const auto fraction = take_while(is_digit);
  if (whole.size() > decimal_digits_max || fraction.empty() ||
      fraction.size() > fraction_digits_max)
    return std::nullopt;
  auto thousandths = std::int64_t{0};
  for (std::size_t digit = 0; digit < fraction_digits_max; ++digit)
    thousandths = thousandths * 10 + (digit < fraction.size() ? fraction[digit] - '0' : 0);
  return sign * (static_cast<double>(integer * 1000 + thousandths) / 1000);
}

std::optional<bare_item> field_reader::read_string() {
  text_.remove_prefix(1);
  auto text = std::string{};
  while (!text_.empty()) {
    const auto letter = text_.front();
    text_.remove_prefix(1);
    if (letter == '"')
      return text;
    if (!is_printable(letter))
      return std::nullopt;
    if (letter == '\\') {
      if (!at('"') && !at('\\'))
        return std::nullopt;
      text += text_.front();
      text_.remove_prefix(1);
      continue;
    }
    text += letter;
  }
  return std::nullopt;
}

std::optional<bare_item> field_reader::read_bytes() {
  text_.remove_prefix(1);
  const auto letters = take_while([](char letter) { return letter != ':'; });
  if (!take(':'))
    return std::nullopt;
  auto bytes = from_base64(letters);
  if (to_base64(bytes) != letters)
    return std::nullopt;
  return structured_bytes{std::move(bytes)};
}

std::optional<bare_item> field_reader::read_boolean() {
  text_.remove_prefix(1);
  if (take('1'))
    return true;
  if (take('0'))
    return false;
  return std::nullopt;
}

std::optional<bare_item> field_reader::read_date() {
  text_.remove_prefix(1);
  const auto number = read_number();
  const auto* seconds = number ? std::get_if<std::int64_t>(&*number) : nullptr;
  if (!seconds)
    return std::nullopt;
  return structured_date{*seconds};
}

std::optional<bare_item> field_reader::read_display_string() {
  text_.remove_prefix(1);
  if (!take('"'))
    return std::nullopt;
  const auto digit_of = [](char letter) {
    return std::string_view{"0123456789abcdef"}.find(letter);
  };
  auto text = std::string{};
  while (!text_.empty()) {
    const auto letter = text_.front();
    text_.remove_prefix(1);
    if (letter == '"')
      return is_utf8(text) ? std::optional<bare_item>{display_string{std::move(text)}}
                           : std::nullopt;
    if (!is_printable(letter))
      return std::nullopt;
    if (letter != '%') {
      text += letter;
      continue;
    }
    if (text_.size() < 2 || digit_of(text_[0]) > 15 || digit_of(text_[1]) > 15)
      return std::nullopt;
    text += static_cast<char>(digit_of(text_[0]) * 16 + digit_of(text_[1]));
    text_.remove_prefix(2);
  }
  return std::nullopt;
}

std::optional<bare_item> field_reader::read_bare_item() {
  if (text_.empty())
    return std::nullopt;
  switch (const auto letter = text_.front()) {
  case '"':
    return read_string();
  case ':':
    return read_bytes();
  case '?':
    return read_boolean();
  case '@':
    return read_date();
  case '%':
    return read_display_string();
  default:
    if (begins_token(letter))
      return structured_token{std::string{take_while(continues_token)}};
    return read_number();
  }
}

std::optional<structured_parameters> field_reader::read_parameters() {
  auto parameters = structured_parameters{};
  while (take(';')) {
    skip(" ");
    auto key = read_key();
    if (!key)
      return std::nullopt;
    auto value = take('=') ? read_bare_item() : bare_item{true};
    if (!value || !put(parameters, std::move(*key), std::move(*value)))
      return std::nullopt;
  }
  return parameters;
}

std::optional<structured_item> field_reader::read_item() {
  auto value = read_bare_item();
  if (!value)
    return std::nullopt;
  auto parameters = read_parameters();
  if (!parameters)
    return std::nullopt;
  return structured_item{std::move(*value), std::move(*parameters)};
}

std::optional<inner_list> field_reader::read_inner_list() {
  auto list = inner_list{};
  for (skip(" "); !take(')'); skip(" ")) {
    auto item = read_item();
    if (!item || (!at(' ') && !at(')')) || list.items.size() == structured_members_max)
      return std::nullopt;
    list.items.push_back(std::move(*item));
  }
  auto parameters = read_parameters();
  if (!parameters)
    return std::nullopt;
  list.parameters = std::move(*parameters);
  return list;
}

std::optional<structured_member> field_reader::read_member() {
  if (take('('))
    return read_inner_list();
  return read_item();
}

std::optional<structured_list> field_reader::read_list() {
  auto list = structured_list{};
  for (auto more = std::optional{!text_.empty()}; !more || *more; more = take_comma()) {
    auto member = more ? read_member() : std::nullopt;
    if (!member || list.size() == structured_members_max)
      return std::nullopt;
    list.push_back(std::move(*member));
  }
  return list;
}

std::optional<structured_dictionary> field_reader::read_dictionary() {
  auto members = structured_dictionary{};
  for (auto more = std::optional{!text_.empty()}; !more || *more; more = take_comma()) {
    auto key = more ? read_key() : std::nullopt;
    if (!key)
      return std::nullopt;
    auto member = std::optional<structured_member>{};
    if (take('=')) {
      member = read_member();
    } else if (auto parameters = read_parameters()) {
      member = structured_item{true, std::move(*parameters)};
    }
    if (!member || !put(members, std::move(*key), std::move(*member)))
      return std::nullopt;
  }
  return members;
}

template <class Value>
caf::expected<Value> whole(std::optional<Value> value, field_reader& reader, const char* kind) {
  if (!value || !reader.ends())
    return make_error(errc::malformed, std::string{"structured field: is no "} + kind);
  return std::move(*value);
}

} // namespace

caf::expected<structured_item> parse_structured_item(std::string_view text) {
  auto reader = field_reader{text};
  return whole(reader.read_item(), reader, "item");
}

caf::expected<structured_list> parse_structured_list(std::string_view text) {
  auto reader = field_reader{text};
  return whole(reader.read_list(), reader, "list");
}

caf::expected<structured_dictionary> parse_structured_dictionary(std::string_view text) {
  auto reader = field_reader{text};
  return whole(reader.read_dictionary(), reader, "dictionary");
}

} // namespace trunkline
