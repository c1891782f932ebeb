#include "engine/cli_calls.hpp"

#include "engine/config.hpp"
#include "engine/exit_codes.hpp"
#include "protocol/errc.hpp"

#include <iostream>

namespace trunkline {

int refuse(const std::string& message, int code) {
  std::cerr << "trunkline: " << message << '\n';
  return code;
}

int refuse(const caf::error& failure) {
  return refuse(context_of(failure), exit_code_of(code_of(failure)));
}

caf::expected<std::string> admin_socket_of(const std::string& config_file) {
  auto config = load_config(
      {config_file.empty() ? default_config_file() : config_file, process_environment(), {}});
  if (!config)
    return std::move(config.error());
  return config->values.admin.socket;
}

caf::expected<json_value> call_admin(const std::string& socket, std::string_view method,
                                     const std::string& path, const json_object& body) {
  auto answer = ask_admin(socket, method, path, body);
  if (!answer)
    return std::move(answer.error());
  if (answer->status / 100 == 2)
    return std::move(answer->body);
  auto detail = text_of(answer->body, "detail");
  if (detail.empty())
    detail = text_of(answer->body, "title");
  const auto code = answer->status == 503 ? errc::unavailable : errc::invalid;
  return make_error(code, detail.empty() ? "the node answered " + std::to_string(answer->status)
                                         : detail);
}

std::string text_of(const json_value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* text = member ? member->as_string() : nullptr;
  return text ? *text : std::string{};
}

} // namespace trunkline
