#include "api/admin_handlers.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::int64_t page_default = 50;
constexpr std::int64_t page_max = 500;

} // namespace

http_response admin_answer_of(int status, const json_object& content) {
  return {.status = status, .body = to_json(content)};
}

caf::expected<json_object> read_body(const matched_request& request) {
  if (request.http.body.empty())
    return json_object{};
  auto parsed = parse_json(request.http.body);
  if (!parsed)
    return std::move(parsed.error());
  if (!parsed->as_object())
    return make_error(errc::malformed, "body: must be a JSON object");
  return std::move(*parsed->as_object());
}

caf::expected<std::string> text_member(const json_object& body, std::string_view key) {
  const auto* member = body.find(key);
  if (!member || member->is_null())
    return std::string{};
  if (!member->as_string() || member->as_string()->size() > 1024)
    return make_error(errc::invalid, std::string{key} + ": must be a text of at most 1024 bytes");
  return *member->as_string();
}

std::string query_value(const matched_request& request, std::string_view key) {
  auto query = std::string_view{request.http.query};
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = pair.find('=');
    auto value = std::string{};
    if (equals != std::string_view::npos && pair.substr(0, equals) == key &&
        percent_decode(pair.substr(equals + 1), value))
      return value;
  }
  return {};
}

caf::expected<std::int64_t> read_limit(const matched_request& request) {
  const auto text = query_value(request, "limit");
  if (text.empty())
    return page_default;
  const auto number = parse_id(text);
  if (!number || *number > page_max)
    return make_error(errc::invalid, "limit: must be 1 to 500");
  return *number;
}

std::string link_to_next(const matched_request& request) {
  auto link = request.http.path + "?";
  auto rest = std::string_view{request.http.query};
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    if (end > 0 && !rest.starts_with("after="))
      link.append(rest.substr(0, end)) += '&';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // What a client sent stands between angle brackets here.
  std::erase_if(link, [](char c) { return c == '<' || c == '>' || c == '"' || c <= ' '; });
  return "<" + link + "after=";
}

void add_next_page(http_response& response, const std::string& link, const std::string& mark) {
  response.headers.emplace_back("Link", link + mark + ">; rel=\"next\"");
}

} // namespace trunkline
