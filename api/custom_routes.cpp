#include "api/custom_routes.hpp"

#include <utility>

namespace trunkline {

custom_routes::custom_routes(std::vector<custom_route> routes) : routes_{std::move(routes)} {
  for (const auto& one : routes_)
    table_.push_back({one.method, one.pattern, one.who, one.scope, nullptr});
}

route_match custom_routes::find(http_method method, std::string_view path) const {
  return find_route(table_, method, path);
}

const custom_route& custom_routes::at(const route& row) const {
  return routes_[static_cast<std::size_t>(&row - table_.data())];
}

} // namespace trunkline
