/// The admin API: how operators watch and run a node. Its own listeners, its own tokens with scope
/// `read` or `operate`, problem+json.
#pragma once

#include "api/admin_operation.hpp"
#include "api/gateway.hpp"

namespace trunkline {

/// Every operation, in the order of the documentation.
std::span<const admin_operation> admin_operations();

/// The admin API as a flavour of the gateway. A unix socket's peer with the node's own user id may
/// do everything; over TCP a token is needed, and a foreign Host or Origin is refused, so that no
/// web page reaches it through somebody's browser. With `test_enabled` there is
/// POST /admin/v1/test:block too, which is no operation.
api_flavour admin_flavour(bool test_enabled);

} // namespace trunkline
