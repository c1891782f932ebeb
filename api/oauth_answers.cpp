#include "api/oauth_answers.hpp"

#include "protocol/crypto.hpp"

namespace trunkline {

void refuse_oauth(gateway_state& gateway, const http_reply& reply, int status,
                  std::string_view code, std::string_view words) {
  gateway.services->counters.refused(status == 401 ? errc::unauthenticated : errc::invalid);
  auto response = json_response(json_object{{"error", code}, {"error_description", words}});
  response.status = status;
  if (status == 401)
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"OAuth\"");
  reply(std::move(response));
}

client_credentials read_client(const matched_request& request) {
  auto reader = param_reader{request.params};
  auto client = client_credentials{.id = reader.text("client_id").value_or(""),
                                   .secret = reader.text("client_secret").value_or("")};
  constexpr auto scheme = std::string_view{"Basic "};
  const auto header = request.http.header("Authorization");
  if (!header.starts_with(scheme))
    return client;
  const auto pair = from_base64(header.substr(scheme.size()));
  const auto colon = pair.find(':');
  auto id = std::string{};
  auto secret = std::string{};
  if (colon == std::string::npos || !percent_decode(pair.substr(0, colon), id) ||
      !percent_decode(pair.substr(colon + 1), secret))
    return {};
  return {.id = std::move(id), .secret = std::move(secret)};
}

} // namespace trunkline
