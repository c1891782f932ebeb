/// What every command shares that asks the running node: finding it, asking it, saying why not.
#pragma once

#include "engine/admin_client.hpp"
#include "protocol/json.hpp"

#include <caf/expected.hpp>

#include <string>
#include <string_view>

namespace trunkline {

/// Prints `message` to stderr; returns `code`.
int refuse(const std::string& message, int code);

/// Prints the failure to stderr; returns its exit code.
int refuse(const caf::error& failure);

/// Returns where the node of this configuration listens; "" is the default file.
caf::expected<std::string> admin_socket_of(const std::string& config_file);

/// Returns the body of a 2xx answer; everything else is an error with the problem's own words.
caf::expected<json_value> call_admin(const std::string& socket, std::string_view method,
                                     const std::string& path, const json_object& body);

/// Returns the text member `key`, or "".
std::string text_of(const json_value& object, std::string_view key);

} // namespace trunkline
