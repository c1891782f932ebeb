/// Routes that an embedder has added: tried when no route of ours fits.
///
/// Immutable once the gateways run; any thread.
#pragma once

#include "api/route.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Gets the request in the gateway and must not block. `params` are empty: query and body are the
/// embedder's to read.
using custom_handler = std::function<void(const matched_request&, http_reply)>;

struct custom_route {
  http_method method = http_method::get;
  std::string pattern; ///< As in `route`.
  access who = access::open;
  std::string scope;              ///< "" when any token does.
  std::size_t body_bytes_max = 0; ///< More is answered 413.
  custom_handler handler;
};

class custom_routes {
public:
  explicit custom_routes(std::vector<custom_route> routes);
  custom_routes(const custom_routes&) = delete;
  custom_routes& operator=(const custom_routes&) = delete;

  /// As `find_route`; an earlier row goes before a later one.
  route_match find(http_method method, std::string_view path) const;

  /// What stands behind a row that `find` gave.
  const custom_route& at(const route& row) const;

private:
  const std::vector<custom_route> routes_;
  std::vector<route> table_; ///< Rows that point into `routes_`, in the same order.
};

} // namespace trunkline
