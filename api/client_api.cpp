#include "api/client_api.hpp"

#include "actors/queries_access.hpp"
#include "api/errors.hpp"
#include "protocol/crypto.hpp"

#include <array>

namespace trunkline {

namespace {

void health(gateway_state&, const matched_request&, http_reply reply) {
  reply({.body = "OK", .content_type = "text/plain; charset=utf-8"});
}

constexpr auto routes = std::to_array<route>({
    {http_method::get, "/health", access::open, "", health},
});

/// Returns the token of "Authorization: Bearer TOKEN", or "".
std::string_view bearer_token(const http_request& request) {
  constexpr auto scheme = std::string_view{"bearer "};
  const auto header = request.header("Authorization");
  if (header.size() <= scheme.size())
    return {};
  for (auto i = std::size_t{0}; i < scheme.size(); ++i)
    if ((header[i] | 0x20) != (scheme[i] | 0x20))
      return {};
  return header.substr(scheme.size());
}

caf::expected<caller> known_caller(const caf::expected<token_owner>& owner, std::string hash) {
  if (!owner)
    return owner.error();
  auto scopes = parse_scopes(owner->scopes);
  if (!scopes)
    return scopes.error();
  return caller{.known = true,
                .account = owner->account,
                .app = owner->app,
                .scopes = std::move(*scopes),
                .token = std::move(hash)};
}

void authenticate(gateway_state& gateway, const http_request& request,
                  api_flavour::authenticated then) {
  const auto token = bearer_token(request);
  if (token.empty())
    return then(caller{});
  auto hash = sha256(token);
  ask_storage(
      gateway.self, gateway.services->storage, ask_token(hash),
      [hash, then](const caf::expected<token_owner>& owner) { then(known_caller(owner, hash)); });
}

} // namespace

std::span<const route> client_routes() {
  return routes;
}

api_flavour client_flavour() {
  return {.routes = routes,
          .authenticate = authenticate,
          .error = client_error,
          .shared_with_browsers = true,
          .limited = true};
}

} // namespace trunkline
