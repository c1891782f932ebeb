#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"
#include "protocol/structured_fields.hpp"
#include "protocol/structured_letters.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace trunkline {

namespace {

/// Appends values to a text; each `add` returns false for what has no form.
class field_writer {
public:
  bool add(const structured_item& item) {
    return std::visit([this](const auto& value) { return add_bare(value); }, item.value) &&
           add(item.parameters);
  }

  bool add(const inner_list& list);
  bool add(const structured_member& member) {
    return std::visit([this](const auto& value) { return add(value); }, member);
  }

  bool add(const structured_list& list);
  bool add(const structured_dictionary& members);

  std::string take() { return std::move(text_); }

private:
  bool add(const structured_parameters& parameters);
  bool add_key(std::string_view key);
  bool add_bare(std::int64_t integer);
  bool add_bare(double decimal);
  bool add_bare(const std::string& text);
  bool add_bare(const structured_token& token);
  bool add_bare(const structured_bytes& value);
  bool add_bare(bool flag);
  bool add_bare(const structured_date& date);
  bool add_bare(const display_string& value);

  std::string text_;
};

bool field_writer::add_key(std::string_view key) {
  if (key.empty() || !begins_key(key.front()) || !std::ranges::all_of(key, continues_key))
    return false;
  text_ += key;
  return true;
}

bool field_writer::add_bare(std::int64_t integer) {
  if (integer > structured_integer_max || integer < -structured_integer_max)
    return false;
  text_ += std::to_string(integer);
  return true;
}

/// Half a thousandth is rounded to the even one.
bool field_writer::add_bare(double decimal) {
  const auto rounded = std::nearbyint(decimal * 1000);
  if (!(std::abs(rounded) <= static_cast<double>(structured_integer_max)))
    return false;
  const auto thousandths = static_cast<std::int64_t>(rounded);
  const auto size = std::abs(thousandths);
  auto fraction = std::to_string(size % 1000 + 1000).substr(1);
  while (fraction.size() > 1 && fraction.ends_with('0'))
    fraction.pop_back();
  text_ += (thousandths < 0 ? "-" : "") + std::to_string(size / 1000) + "." + fraction;
  return true;
}

bool field_writer::add_bare(const std::string& text) {
  if (!std::ranges::all_of(text, is_printable))
    return false;
  text_ += '"';
  for (const auto letter : text) {
    if (letter == '"' || letter == '\\')
      text_ += '\\';
    text_ += letter;
  }
  text_ += '"';
  return true;
}

bool field_writer::add_bare(const structured_token& token) {
  if (token.text.empty() || !begins_token(token.text.front()) ||
      !std::ranges::all_of(token.text, continues_token))
    return false;
  text_ += token.text;
  return true;
}

bool field_writer::add_bare(const structured_bytes& value) {
  text_ += ":" + to_base64(value.bytes) + ":";
  return true;
}

bool field_writer::add_bare(bool flag) {
  text_ += flag ? "?1" : "?0";
  return true;
}

bool field_writer::add_bare(const structured_date& date) {
  text_ += '@';
  return add_bare(date.seconds);
}

bool field_writer::add_bare(const display_string& value) {
  if (!is_utf8(value.text))
    return false;
  text_ += "%\"";
  for (const auto letter : value.text) {
    if (is_printable(letter) && letter != '%' && letter != '"')
      text_ += letter;
    else
      text_ += "%" + to_hex({&letter, 1});
  }
  text_ += '"';
  return true;
}

bool field_writer::add(const structured_parameters& parameters) {
  for (const auto& [key, value] : parameters) {
    text_ += ';';
    if (!add_key(key))
      return false;
    if (value == bare_item{true})
      continue;
    text_ += '=';
    if (!std::visit([this](const auto& bare) { return add_bare(bare); }, value))
      return false;
  }
  return true;
}

bool field_writer::add(const inner_list& list) {
  text_ += '(';
  for (const auto& item : list.items) {
    if (&item != &list.items.front())
      text_ += ' ';
    if (!add(item))
      return false;
  }
  text_ += ')';
  return add(list.parameters);
}

bool field_writer::add(const structured_list& list) {
  for (const auto& member : list) {
    if (&member != &list.front())
      text_ += ", ";
    if (!add(member))
      return false;
  }
  return true;
}

bool field_writer::add(const structured_dictionary& members) {
  for (const auto& entry : members) {
    const auto& [key, member] = entry;
    if (&entry != &members.front())
      text_ += ", ";
    if (!add_key(key))
      return false;
    const auto* item = std::get_if<structured_item>(&member);
    if (item && item->value == bare_item{true}) {
      if (!add(item->parameters))
        return false;
      continue;
    }
    text_ += '=';
    if (!add(member))
      return false;
  }
  return true;
}

template <class Value>
caf::expected<std::string> written(const Value& value) {
  auto writer = field_writer{};
  if (!writer.add(value))
    return make_error(errc::invalid, "structured field: holds what cannot be written");
  return writer.take();
}

} // namespace

caf::expected<std::string> write_structured(const structured_item& item) {
  return written(item);
}

caf::expected<std::string> write_structured(const inner_list& list) {
  return written(list);
}

caf::expected<std::string> write_structured(const structured_list& list) {
  return written(list);
}

caf::expected<std::string> write_structured(const structured_dictionary& members) {
  return written(members);
}

const bare_item* find_parameter(const structured_parameters& parameters, std::string_view key) {
  const auto at = std::ranges::find(parameters, key, &structured_parameters::value_type::first);
  return at == parameters.end() ? nullptr : &at->second;
}

const structured_member* find_member(const structured_dictionary& members, std::string_view key) {
  const auto at = std::ranges::find(members, key, &structured_dictionary::value_type::first);
  return at == members.end() ? nullptr : &at->second;
}

} // namespace trunkline
