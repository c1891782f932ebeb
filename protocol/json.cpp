#include "protocol/json.hpp"

#include "protocol/errc.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serializer.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>

namespace trunkline {

namespace {

/// Builds our values from the events of Boost's parser, without a tree in between.
struct builder {
  static constexpr std::size_t max_object_size = json_members_max;
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  using code = boost::json::error_code;

  bool add(json_value value) {
    if (open.empty()) {
      root = std::move(value);
    } else if (auto* items = open.back().as_array()) {
      items->push_back(std::move(value));
    } else {
      open.back().as_object()->append(std::move(keys.back()), std::move(value));
      keys.pop_back();
    }
    return true;
  }

  bool close() {
    auto done = std::move(open.back());
    open.pop_back();
    return add(std::move(done));
  }

  bool on_document_begin(code&) { return true; }
  bool on_document_end(code&) { return true; }
  bool on_object_begin(code&) {
    open.emplace_back(json_object{});
    return true;
  }
  bool on_object_end(std::size_t, code&) {
    open.back().as_object()->keep_last();
    return close();
  }
  bool on_array_begin(code&) {
    open.emplace_back(json_array{});
    return true;
  }
  bool on_array_end(std::size_t, code&) { return close(); }
  bool on_key_part(boost::json::string_view part, std::size_t, code&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_key(boost::json::string_view part, std::size_t, code&) {
    text.append(part.data(), part.size());
    keys.push_back(std::exchange(text, {}));
    return true;
  }
  bool on_string_part(boost::json::string_view part, std::size_t, code&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_string(boost::json::string_view part, std::size_t, code&) {
    text.append(part.data(), part.size());
    return add(std::exchange(text, {}));
  }
  bool on_number_part(boost::json::string_view, code&) { return true; }
  bool on_int64(std::int64_t number, boost::json::string_view, code&) { return add(number); }
  bool on_uint64(std::uint64_t, boost::json::string_view, code& failure) {
    failure = boost::json::error::not_exact;
    return false;
  }
  bool on_double(double number, boost::json::string_view digits, code& failure) {
    // The parser turns an integer that does not fit into a double: that would change its value.
    const auto is_real = digits.find_first_of(".eE") != boost::json::string_view::npos;
    // The parser's own double may be one off in the last place: its text would not come back.
    if (auto exact = 0.0; std::from_chars(digits.begin(), digits.end(), exact).ec == std::errc{})
      number = exact;
    if (is_real && std::isfinite(number))
      return add(number);
    failure = boost::json::error::not_exact;
    return false;
  }
  bool on_bool(bool flag, code&) { return add(flag); }
  bool on_null(code&) { return add(nullptr); }
  bool on_comment_part(boost::json::string_view, code&) { return true; }
  bool on_comment(boost::json::string_view, code&) { return true; }

  json_value root;
  std::vector<json_value> open;
  std::vector<std::string> keys;
  std::string text;
};

void append_string(std::string& out, const std::string& text) {
  auto writer = boost::json::serializer{};
  writer.reset(boost::json::string_view{text.data(), text.size()});
  auto buffer = std::array<char, 1024>{};
  while (!writer.done()) {
    const auto part = writer.read(buffer.data(), buffer.size());
    out.append(part.data(), part.size());
  }
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  auto buffer = std::array<char, 32>{};
  const auto unsigned_zero = number == 0.0 ? 0.0 : number; // "-0" would come back as an integer
  const auto [end, failure] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), unsigned_zero);
  out.append(buffer.data(), end);
  // Without a fraction it would be read as an integer, and none has so many digits.
  constexpr auto integer_max = 9.2e18;
  if (std::abs(number) >= integer_max && std::find(buffer.data(), end, 'e') == end)
    out += ".0";
}

void append_array(std::string& out, const json_array& items) {
  out += '[';
  auto separator = std::string_view{};
  for (const auto& item : items) {
    out += separator;
    append_json(out, item);
    separator = ",";
  }
  out += ']';
}

void append_object(std::string& out, const json_object& members) {
  out += '{';
  auto separator = std::string_view{};
  for (const auto& [key, value] : members) {
    out += separator;
    append_string(out, key);
    out += ':';
    append_json(out, value);
    separator = ",";
  }
  out += '}';
}

} // namespace

json_object::json_object(std::initializer_list<std::pair<std::string, json_value>> members)
    : members_{members} {}

const json_value* json_object::find(std::string_view key) const {
  for (const auto& [name, value] : members_)
    if (name == key)
      return &value;
  return nullptr;
}

json_value* json_object::find(std::string_view key) {
  return const_cast<json_value*>(std::as_const(*this).find(key));
}

json_value& json_object::operator[](std::string_view key) {
  if (auto* value = find(key))
    return *value;
  return members_.emplace_back(std::string{key}, json_value{}).second;
}

bool json_object::empty() const {
  return members_.empty();
}

std::size_t json_object::size() const {
  return members_.size();
}

void json_object::append(std::string key, json_value value) {
  members_.emplace_back(std::move(key), std::move(value));
}

void json_object::keep_last() {
  // A hash pays for objects that nobody writes by hand; the others stay without an allocation.
  constexpr auto hashed_from = std::size_t{17};
  auto hashed = std::unordered_map<std::string_view, std::size_t>{};
  const auto is_hashed = members_.size() >= hashed_from;
  auto kept = std::size_t{0};
  for (auto& member : members_) {
    auto* place = is_hashed ? nullptr : find_before(kept, member.first);
    if (is_hashed)
      if (const auto known = hashed.find(member.first); known != hashed.end())
        place = &members_[known->second].second;
    if (place) {
      *place = std::move(member.second);
      continue;
    }
    if (&members_[kept] != &member)
      members_[kept] = std::move(member);
    if (is_hashed)
      hashed.emplace(members_[kept].first, kept);
    ++kept;
  }
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(kept), members_.end());
}

json_value* json_object::find_before(std::size_t end, std::string_view key) {
  for (auto index = std::size_t{0}; index < end; ++index)
    if (members_[index].first == key)
      return &members_[index].second;
  return nullptr;
}

const json_value* json_value::find(std::string_view key) const {
  const auto* members = as_object();
  return members ? members->find(key) : nullptr;
}

caf::expected<json_value> parse_json(std::string_view text) {
  auto parser = boost::json::basic_parser<builder>{boost::json::parse_options{}};
  auto failure = boost::json::error_code{};
  const auto used = parser.write_some(false, text.data(), text.size(), failure);
  if (!failure && used < text.size())
    failure = boost::json::error::extra_data;
  if (failure)
    return make_error(errc::malformed,
                      "JSON: " + failure.message() + " at byte " + std::to_string(used));
  return std::move(parser.handler().root);
}

std::string to_json(const json_value& value) {
  auto out = std::string{};
  append_json(out, value);
  return out;
}

void append_json(std::string& out, const json_value& value) {
  if (const auto* text = value.as_string())
    append_string(out, *text);
  else if (const auto* number = value.as_int())
    out += std::to_string(*number);
  else if (const auto* members = value.as_object())
    append_object(out, *members);
  else if (const auto* items = value.as_array())
    append_array(out, *items);
  else if (const auto* flag = value.as_bool())
    out += *flag ? "true" : "false";
  else if (const auto* real = value.as_double())
    append_number(out, *real);
  else
    out += "null";
}

} // namespace trunkline
