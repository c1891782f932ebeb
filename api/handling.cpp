#include "api/handling.hpp"

#include "protocol/oauth.hpp"

#include <algorithm>

namespace trunkline {

namespace {

bool is_page_parameter(std::string_view parameter) {
  const auto name = parameter.substr(0, parameter.find('='));
  return name == "max_id" || name == "since_id" || name == "min_id";
}

/// Returns the query without what says where in the list it was.
std::string other_parameters(std::string_view query) {
  auto kept = std::string{};
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (!parameter.empty() && !is_page_parameter(parameter))
      kept += std::string{parameter} + "&";
  }
  // What a client sent stands between angle brackets here.
  std::erase_if(kept, [](char c) { return c == '<' || c == '>' || c == '"' || c <= ' '; });
  return kept;
}

} // namespace

void refuse(gateway_state& gateway, const http_reply& reply, const caf::error& failure) {
  gateway.services->counters.refused(code_of(failure));
  reply(gateway.flavour.error(failure));
}

page_request read_page(param_reader& reader, std::int64_t usual, std::int64_t most) {
  auto page = page_request{.max_id = reader.id<post_id>("max_id"),
                           .since_id = reader.id<post_id>("since_id"),
                           .min_id = reader.id<post_id>("min_id")};
  page.limit = std::clamp<std::int64_t>(reader.number("limit").value_or(usual), 1, most);
  return page;
}

std::string link_header(const api_services& services, const http_request& request,
                        const std::vector<post_id>& listed) {
  auto keys = std::vector<std::int64_t>{};
  for (const auto id : listed)
    keys.push_back(id.value);
  return link_header(services, request, keys);
}

std::string link_header(const api_services& services, const http_request& request,
                        const std::vector<std::int64_t>& keys) {
  if (keys.empty())
    return {};
  const auto base = services.options.url + request.path + "?" + other_parameters(request.query);
  return "<" + base + "max_id=" + std::to_string(keys.back()) + ">; rel=\"next\", <" + base +
         "min_id=" + std::to_string(keys.front()) + ">; rel=\"prev\"";
}

http_response list_response(const api_services& services, const http_request& request,
                            const std::vector<std::int64_t>& keys, json_array entities) {
  auto response = json_response(std::move(entities));
  if (auto links = link_header(services, request, keys); !links.empty())
    response.headers.emplace_back("Link", std::move(links));
  return response;
}

list_wish read_list(param_reader& reader, std::int64_t usual, std::int64_t most) {
  const auto page = read_page(reader, usual, most);
  return {.max_key = page.max_id.value,
          .since_key = page.since_id.value,
          .min_key = page.min_id.value,
          .limit = page.limit};
}

} // namespace trunkline
