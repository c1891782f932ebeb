#include "protocol/structured_fields.hpp"

#include "protocol/errc.hpp"
#include "protocol/json.hpp"
#include "tests/kit/patience.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

using namespace trunkline;

namespace {

const std::filesystem::path suite =
    std::filesystem::path{TRUNKLINE_SOURCE_DIR} / "../shared/data/structured-fields";

json_array cases_in(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  const auto text = std::string{std::istreambuf_iterator<char>{file}, {}};
  const auto value = parse_json(text);
  REQUIRE(value);
  REQUIRE(value->as_array());
  return *value->as_array();
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  auto files = std::vector<std::filesystem::path>{};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".json")
      files.push_back(entry.path());
  return files;
}

std::string from_base32(const std::string& text) {
  auto bytes = std::string{};
  auto bits = 0U;
  auto held = 0;
  for (const auto letter : text) {
    const auto value = std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"}.find(letter);
    if (value == std::string_view::npos)
      break;
    bits = (bits << 5) | static_cast<unsigned>(value);
    held += 5;
    if (held < 8)
      continue;
    held -= 8;
    bytes += static_cast<char>((bits >> held) & 255);
  }
  return bytes;
}

bare_item typed_value(const json_value& value) {
  const auto& type = *value.find("__type")->as_string();
  const auto& content = *value.find("value");
  if (type == "date")
    return structured_date{*content.as_int()};
  if (type == "token")
    return structured_token{*content.as_string()};
  if (type == "binary")
    return structured_bytes{from_base32(*content.as_string())};
  REQUIRE(type == "displaystring");
  return display_string{*content.as_string()};
}

bare_item bare_of(const json_value& value) {
  if (value.as_object())
    return typed_value(value);
  if (const auto* flag = value.as_bool())
    return *flag;
  if (const auto* integer = value.as_int())
    return *integer;
  if (const auto* decimal = value.as_double())
    return *decimal;
  REQUIRE(value.as_string());
  return *value.as_string();
}

structured_parameters parameters_of(const json_value& value) {
  auto parameters = structured_parameters{};
  for (const auto& pair : *value.as_array())
    parameters.emplace_back(*pair.as_array()->at(0).as_string(), bare_of(pair.as_array()->at(1)));
  return parameters;
}

structured_item item_of(const json_value& value) {
  return {bare_of(value.as_array()->at(0)), parameters_of(value.as_array()->at(1))};
}

structured_member member_of(const json_value& value) {
  const auto& pair = *value.as_array();
  if (!pair.at(0).as_array())
    return item_of(value);
  auto list = inner_list{};
  for (const auto& item : *pair.at(0).as_array())
    list.items.push_back(item_of(item));
  list.parameters = parameters_of(pair.at(1));
  return list;
}

structured_list list_of(const json_value& value) {
  auto list = structured_list{};
  for (const auto& member : *value.as_array())
    list.push_back(member_of(member));
  return list;
}

structured_dictionary dictionary_of(const json_value& value) {
  auto members = structured_dictionary{};
  for (const auto& pair : *value.as_array())
    members.emplace_back(*pair.as_array()->at(0).as_string(), member_of(pair.as_array()->at(1)));
  return members;
}

std::string joined(const json_value* lines) {
  auto text = std::string{};
  for (const auto& line : *lines->as_array()) {
    if (&line != &lines->as_array()->front())
      text += ", ";
    text += *line.as_string();
  }
  return text;
}

bool is_set(const json_value& test, std::string_view key) {
  const auto* flag = test.find(key);
  return flag && flag->as_bool() && *flag->as_bool();
}

/// What was read must be what is expected, and be written in the one canonical form.
template <class Value>
void compare(const json_value& test, const caf::expected<Value>& value, const Value& expected) {
  if (!value && is_set(test, "can_fail"))
    return;
  REQUIRE(value);
  CHECK(*value == expected);
  const auto text = write_structured(*value);
  REQUIRE(text);
  const auto* canonical = test.find("canonical");
  CHECK(*text == joined(canonical ? canonical : test.find("raw")));
}

void run_parsing_case(const json_value& test) {
  CAPTURE(*test.find("name")->as_string());
  const auto text = joined(test.find("raw"));
  const auto& type = *test.find("header_type")->as_string();
  if (is_set(test, "must_fail")) {
    CHECK((type != "item" || !parse_structured_item(text)));
    CHECK((type != "list" || !parse_structured_list(text)));
    CHECK((type != "dictionary" || !parse_structured_dictionary(text)));
    return;
  }
  const auto& expected = *test.find("expected");
  if (type == "item")
    return compare(test, parse_structured_item(text), item_of(expected));
  if (type == "list")
    return compare(test, parse_structured_list(text), list_of(expected));
  REQUIRE(type == "dictionary");
  compare(test, parse_structured_dictionary(text), dictionary_of(expected));
}

void run_writing_case(const json_value& test) {
  CAPTURE(*test.find("name")->as_string());
  const auto& type = *test.find("header_type")->as_string();
  const auto& expected = *test.find("expected");
  const auto text = type == "item"   ? write_structured(item_of(expected))
                    : type == "list" ? write_structured(list_of(expected))
                                     : write_structured(dictionary_of(expected));
  if (is_set(test, "must_fail")) {
    CHECK(!text);
    return;
  }
  REQUIRE(text);
  CHECK(*text == joined(test.find("canonical")));
}

} // namespace

TEST_CASE("the suite of the HTTP working group is read and written as it says",
          "[structured_fields]") {
  if (!std::filesystem::exists(suite)) {
    std::cerr << "LEFT OUT: ../shared/data/structured-fields is not there; the project's own texts "
                 "below are all that was tried\n";
    return;
  }
  std::size_t parsed = 0;
  std::size_t written = 0;
  for (const auto& file : files_in(suite)) {
    CAPTURE(file.filename().string());
    for (const auto& test : cases_in(file)) {
      run_parsing_case(test);
      ++parsed;
    }
  }
  for (const auto& file : files_in(suite / "serialisation-tests")) {
    CAPTURE(file.filename().string());
    for (const auto& test : cases_in(file)) {
      run_writing_case(test);
      ++written;
    }
  }
  CHECK(parsed == 1591);
  CHECK(written == 544);
}

TEST_CASE("each type of item is read and written", "[structured_fields]") {
  const auto same = std::vector<std::pair<std::string, bare_item>>{
      {"-42", std::int64_t{-42}},
      {"4.5", 4.5},
      {"-0.125", -0.125},
      {R"("a \"b\" \\c")", std::string{R"(a "b" \c)"}},
      {"*a/b:c", structured_token{"*a/b:c"}},
      {":cHJldGVuZA==:", structured_bytes{"pretend"}},
      {"::", structured_bytes{}},
      {"?1", true},
      {"?0", false},
      {"@1659578233", structured_date{1659578233}},
      {R"(%"f%c3%bc%22%25")", display_string{"f\u00fc\"%"}},
  };
  for (const auto& [text, value] : same) {
    CAPTURE(text);
    const auto item = parse_structured_item(text);
    REQUIRE(item);
    CHECK(item->value == value);
    CHECK(write_structured(*item) == text);
  }
}

TEST_CASE("what is no item is refused", "[structured_fields]") {
  for (const auto* text : {"",
                           " ",
                           "1 2",
                           "1,",
                           "-",
                           "1234567890123456",
                           "1.",
                           "1.2345",
                           "1234567890123.1",
                           "\"a",
                           "\"\\a\"",
                           "\"\x7f\"",
                           "\"\xc3\xbc\"",
                           ":a:",
                           ":aGVsbG8:",
                           ":iZ==:",
                           ":aGVsbG8=",
                           ":a Gk=:",
                           "?2",
                           "?",
                           "@1.5",
                           "@",
                           "%\"%C3%BC\"",
                           "%\"%c3\"",
                           "%\"%\"",
                           "%a",
                           "a;",
                           "a;A=1",
                           "a;b=",
                           "a ;b",
                           "(a)",
                           "\ta",
                           "!a"}) {
    CAPTURE(text);
    const auto item = parse_structured_item(text);
    REQUIRE(!item);
    CHECK(code_of(item.error()) == errc::malformed);
  }
}

TEST_CASE("dictionaries keep the place of a key and its last value", "[structured_fields]") {
  const auto members = parse_structured_dictionary("a=1, b;x;y=2,\tc=(1 \"2\");z=?0 , a=3");
  REQUIRE(members);
  CHECK(write_structured(*members) == "a=3, b;x;y=2, c=(1 \"2\");z=?0");
  REQUIRE(find_member(*members, "c"));
  const auto* list = std::get_if<inner_list>(find_member(*members, "c"));
  REQUIRE(list);
  CHECK(list->items.size() == 2);
  REQUIRE(find_parameter(list->parameters, "z"));
  CHECK(*find_parameter(list->parameters, "z") == bare_item{false});
  CHECK(!find_parameter(list->parameters, "y"));
  CHECK(!find_member(*members, "d"));
}

TEST_CASE("lists and dictionaries may be empty, and end with no comma", "[structured_fields]") {
  const auto list = parse_structured_list("  ");
  REQUIRE(list);
  CHECK(list->empty());
  CHECK(write_structured(*list) == "");
  const auto members = parse_structured_dictionary("");
  REQUIRE(members);
  CHECK(members->empty());
  CHECK(write_structured(*members) == "");
  for (const auto* text : {",", "a,", "a,,b", "a b", "(a", "(a,b)", "(a(b))", "a=1;"}) {
    CAPTURE(text);
    CHECK(!parse_structured_list(text));
    CHECK(!parse_structured_dictionary(text));
  }
}

TEST_CASE("more members than are taken are refused at once", "[structured_fields]") {
  const auto begin = std::chrono::steady_clock::now();
  auto keys = std::string{};
  auto flags = std::string{"a"};
  for (std::size_t index = 0; index <= structured_members_max; ++index) {
    keys += (index > 0 ? ",k" : "k") + std::to_string(index);
    flags += ";k" + std::to_string(index);
  }
  CHECK(!parse_structured_dictionary(keys));
  CHECK(parse_structured_dictionary(keys.substr(0, keys.rfind(','))));
  CHECK(!parse_structured_list(keys));
  CHECK(!parse_structured_item(flags));
  CHECK(!parse_structured_list("(" + std::string(100'000, ' ')));
  auto items = std::string{"("};
  for (std::size_t index = 0; index <= structured_members_max; ++index)
    items += "a ";
  CHECK(!parse_structured_list(items + ")"));
  CHECK(std::chrono::steady_clock::now() - begin < kit::patient(std::chrono::milliseconds{100}));
}

TEST_CASE("what has no form is not written", "[structured_fields]") {
  const auto values = std::vector<bare_item>{
      std::int64_t{1'000'000'000'000'000},
      1e12,
      std::nan(""),
      HUGE_VAL,
      std::string{"\n"},
      std::string{"\u00fc"},
      structured_token{""},
      structured_token{"1a"},
      structured_token{"a b"},
      structured_date{-1'000'000'000'000'000},
      display_string{"\xff"},
  };
  for (const auto& value : values) {
    const auto text = write_structured(structured_item{value, {}});
    REQUIRE(!text);
    CHECK(code_of(text.error()) == errc::invalid);
  }
  CHECK(!write_structured(structured_item{true, {{"A", true}}}));
  CHECK(!write_structured(structured_dictionary{{"", structured_item{true, {}}}}));
}
