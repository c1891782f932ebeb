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
  if (listed.empty())
    return {};
  const auto base = services.options.url + request.path + "?" + other_parameters(request.query);
  return "<" + base + "max_id=" + to_string(listed.back()) + ">; rel=\"next\", <" + base +
         "min_id=" + to_string(listed.front()) + ">; rel=\"prev\"";
}

} // namespace trunkline
