#include "protocol/request_params.hpp"

#include "protocol/errc.hpp"
#include "protocol/form.hpp"
#include "protocol/media_type.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace trunkline {

namespace {

caf::error wrong(std::string_view path, std::string_view what) {
  return make_error(errc::invalid, std::string{path} + ": must be " + std::string{what});
}

std::optional<std::string> text_of(const json_value& value) {
  if (const auto* text = value.as_string())
    return *text;
  if (const auto* number = value.as_int())
    return std::to_string(*number);
  return std::nullopt;
}

bool is_blank(const json_value& value) {
  const auto* text = value.as_string();
  return value.is_null() || (text && text->empty());
}

std::optional<bool> flag_of(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  static constexpr std::array<std::string_view, 5> yes{"1", "t", "true", "on", "yes"};
  static constexpr std::array<std::string_view, 5> no{"0", "f", "false", "off", "no"};
  if (std::ranges::find(yes, text) != yes.end())
    return true;
  if (std::ranges::find(no, text) != no.end())
    return false;
  return std::nullopt;
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

/// Databases and C libraries cut text at a NUL, so that no value of a client may hold one. The
/// parser bounds the depth.
bool has_nul(const json_value& value) {
  if (const auto* text = value.as_string())
    return has_nul(std::string_view{*text});
  if (const auto* items = value.as_array())
    return std::ranges::any_of(*items, [](const auto& item) { return has_nul(item); });
  if (const auto* members = value.as_object())
    return std::ranges::any_of(*members, [](const auto& member) {
      return has_nul(std::string_view{member.first}) || has_nul(member.second);
    });
  return false;
}

caf::expected<json_object> tree_of(std::vector<form_pair> pairs) {
  json_object root;
  for (auto& [name, value] : pairs)
    if (auto failure = add_form_value(root, name, std::move(value)))
      return failure;
  return root;
}

caf::expected<json_object> parse_form(std::string_view text) {
  auto pairs = parse_query_string(text);
  if (!pairs)
    return pairs.error();
  return tree_of(std::move(*pairs));
}

caf::expected<request_params> parse_json_body(std::string_view body) {
  auto value = parse_json(body);
  if (!value)
    return value.error();
  if (has_nul(*value))
    return make_error(errc::malformed, "body: NUL in a text");
  auto* members = value->as_object();
  if (!members)
    return make_error(errc::malformed, "body: must be a JSON object");
  return request_params{std::move(*members), {}};
}

caf::expected<request_params> parse_multipart_body(std::string_view body,
                                                   std::string_view boundary) {
  auto form = parse_multipart(body, boundary);
  if (!form)
    return form.error();
  auto root = tree_of(std::move(form->fields));
  if (!root)
    return root.error();
  return request_params{std::move(*root), std::move(form->files)};
}

caf::expected<request_params> parse_body(std::string_view content_type, std::string_view body) {
  if (body.empty())
    return request_params{};
  const auto type = parse_media_type(content_type);
  if (!type)
    return make_error(errc::malformed, "Content-Type: missing or malformed");
  if (type->essence == "application/json")
    return parse_json_body(body);
  if (type->essence == "multipart/form-data")
    return parse_multipart_body(body, type->parameter("boundary"));
  if (type->essence != "application/x-www-form-urlencoded")
    return make_error(errc::malformed, "Content-Type: unsupported: " + type->essence);
  auto root = parse_form(body);
  if (!root)
    return root.error();
  return request_params{std::move(*root), {}};
}

} // namespace

const json_value* request_params::find(std::string_view path) const {
  auto dot = path.find('.');
  const auto* value = values_.find(path.substr(0, dot));
  while (value && dot != std::string_view::npos) {
    path.remove_prefix(dot + 1);
    dot = path.find('.');
    value = value->find(path.substr(0, dot));
  }
  return value;
}

caf::expected<std::optional<std::string>> request_params::get_string(std::string_view path) const {
  const auto* value = find(path);
  if (!value || value->is_null())
    return std::optional<std::string>{};
  auto text = text_of(*value);
  if (!text)
    return wrong(path, "a text");
  return text;
}

caf::expected<std::optional<bool>> request_params::get_bool(std::string_view path) const {
  const auto* value = find(path);
  if (!value || is_blank(*value))
    return std::optional<bool>{};
  if (const auto* flag = value->as_bool())
    return std::optional{*flag};
  const auto text = text_of(*value);
  const auto flag = text ? flag_of(*text) : std::nullopt;
  if (!flag)
    return wrong(path, "true or false");
  return flag;
}

caf::expected<std::optional<std::int64_t>> request_params::get_int(std::string_view path) const {
  const auto* value = find(path);
  if (!value || is_blank(*value))
    return std::optional<std::int64_t>{};
  const auto text = text_of(*value);
  std::int64_t number = 0;
  if (!text)
    return wrong(path, "an integer");
  const auto* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end)
    return wrong(path, "an integer");
  return std::optional{number};
}

caf::expected<std::optional<std::vector<std::string>>>
request_params::get_strings(std::string_view path) const {
  const auto* value = find(path);
  if (!value || value->is_null())
    return std::optional<std::vector<std::string>>{};
  const auto* items = value->as_array();
  const auto single = items ? json_array{} : json_array{*value};
  std::vector<std::string> texts;
  for (const auto& item : items ? *items : single) {
    auto text = text_of(item);
    if (!text)
      return wrong(path, "a list of texts");
    texts.push_back(std::move(*text));
  }
  return std::optional{std::move(texts)};
}

caf::expected<request_params> parse_params(std::string_view query, std::string_view content_type,
                                           std::string_view body) {
  auto merged = parse_form(query);
  if (!merged)
    return merged.error();
  auto sent = parse_body(content_type, body);
  if (!sent)
    return sent.error();
  for (const auto& [name, value] : sent->values())
    (*merged)[name] = value;
  return request_params{std::move(*merged), sent->files()};
}

} // namespace trunkline
