#include "actors/queries_access.hpp"
#include "api/handlers.hpp"
#include "api/login.hpp"
#include "api/oauth_answers.hpp"
#include "protocol/crypto.hpp"
#include "protocol/oauth.hpp"

namespace trunkline {

namespace {

constexpr auto wrong_client = "Client authentication failed due to unknown client, no client"
                              " authentication included, or unsupported authentication method.";
constexpr auto wrong_grant =
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection"
    " URI used in the authorization request, or was issued to another client.";
constexpr auto wrong_scope = "The requested scope is invalid, unknown, or malformed.";

/// A request for a token, once its client is known to be who it says.
struct token_request {
  stored_app app;
  std::string grant;
  std::string code;
  std::string redirect_uri;
  std::string verifier;
  std::string scope;
  std::string username;
  std::string password;
  std::string peer;
};

caf::expected<token_request> read_token_request(const matched_request& request) {
  auto reader = param_reader{request.params};
  auto wanted = token_request{.grant = reader.text("grant_type").value_or(""),
                              .code = reader.text("code").value_or(""),
                              .redirect_uri = reader.text("redirect_uri").value_or(""),
                              .verifier = reader.text("code_verifier").value_or(""),
                              .scope = reader.text("scope").value_or(""),
                              .username = reader.text("username").value_or(""),
                              .password = reader.text("password").value_or(""),
                              .peer = request.http.peer};
  if (reader.failure())
    return reader.failure();
  return wanted;
}

void answer_token(const http_reply& reply, const std::string& token, const token_owner& owner) {
  reply(json_response(json_object{{"access_token", token},
                                  {"token_type", "Bearer"},
                                  {"scope", owner.scopes},
                                  {"created_at", to_micros(owner.created_at) / 1'000'000}}));
}

/// Hands out a new token for `owner`.
void grant(gateway_state& gateway, const http_reply& reply, const token_owner& owner) {
  const auto token = random_secret();
  ask(gateway, grant_token(sha256(token), owner), reply,
      [reply, token, owner](caf::unit_t) { answer_token(reply, token, owner); });
}

/// Finds the scopes of a token that comes without consent; nothing when the app may not have them.
std::optional<std::string> scopes_for(const token_request& request) {
  const auto wanted = parse_scopes(request.scope.empty() ? "read" : request.scope);
  const auto held = parse_scopes(request.app.scopes);
  if (!wanted || !held || !covers_all(*held, *wanted))
    return std::nullopt;
  return to_string(*wanted);
}

void grant_for_code(gateway_state& gateway, const token_request& request, const http_reply& reply) {
  const auto token = random_secret();
  auto exchange = code_exchange{.code_hash = sha256(request.code),
                                .token_hash = sha256(token),
                                .app = request.app.id,
                                .redirect_uri = request.redirect_uri,
                                .verifier = request.verifier};
  ask(gateway, exchange_code(std::move(exchange)), reply,
      [&gateway, reply, token](const std::optional<token_owner>& owner) {
        if (!owner)
          return refuse_oauth(gateway, reply, 400, "invalid_grant", wrong_grant);
        answer_token(reply, token, *owner);
      });
}

void grant_for_app(gateway_state& gateway, const token_request& request, const http_reply& reply) {
  const auto scopes = scopes_for(request);
  if (!scopes)
    return refuse_oauth(gateway, reply, 400, "invalid_scope", wrong_scope);
  grant(gateway, reply,
        {.app = request.app.id, .scopes = *scopes, .created_at = gateway.services->clock()});
}

/// Only in test mode: clients that cannot show a page.
void grant_for_password(gateway_state& gateway, const token_request& request,
                        const http_reply& reply) {
  const auto scopes = scopes_for(request);
  if (!scopes)
    return refuse_oauth(gateway, reply, 400, "invalid_scope", wrong_scope);
  log_in(gateway, {.name = request.username, .password = request.password, .peer = request.peer},
         [&gateway, reply, app = request.app.id,
          scopes = *scopes](const caf::expected<account_id>& account) {
           if (!account)
             return refuse_oauth(gateway, reply, status_of(code_of(account.error())),
                                 "invalid_grant", public_words(account.error()));
           grant(gateway, reply,
                 {.account = *account,
                  .app = app,
                  .scopes = scopes,
                  .created_at = gateway.services->clock()});
         });
}

void grant_as_asked(gateway_state& gateway, const token_request& request, const http_reply& reply) {
  if (request.grant == "authorization_code")
    return grant_for_code(gateway, request, reply);
  if (request.grant == "client_credentials")
    return grant_for_app(gateway, request, reply);
  if (request.grant == "password" && gateway.services->options.test_enabled)
    return grant_for_password(gateway, request, reply);
  refuse_oauth(gateway, reply, 400,
               request.grant.empty() ? "invalid_request" : "unsupported_grant_type",
               request.grant.empty()
                   ? "Missing required parameter: grant_type."
                   : "The authorization grant type is not supported by the authorization server.");
}

/// Tells whether `client` is `app`, in a time that does not depend on the secret.
bool is_client(const std::optional<stored_app>& app, const client_credentials& client) {
  return app && same_secret(app->secret_hash, sha256(client.secret));
}

} // namespace

void issue_token(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto wanted = read_token_request(request);
  if (!wanted)
    return refuse_oauth(gateway, reply, 400, "invalid_request", context_of(wanted.error()));
  const auto client = read_client(request);
  ask(gateway, ask_app(client.id), reply,
      [&gateway, reply, client, found = *wanted](const std::optional<stored_app>& app) {
        if (!is_client(app, client))
          return refuse_oauth(gateway, reply, 401, "invalid_client", wrong_client);
        auto known = found;
        known.app = *app;
        grant_as_asked(gateway, known, reply);
      });
}

void revoke_token(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto client = read_client(request);
  const auto token = param_reader{request.params}.text("token").value_or("");
  ask(gateway, ask_app(client.id), reply,
      [&gateway, reply, client, token](const std::optional<stored_app>& app) {
        if (!is_client(app, client))
          return refuse_oauth(gateway, reply, 403, "unauthorized_client",
                              "You are not authorized to revoke this token");
        ask(gateway, revoke_token(sha256(token), app->id), reply,
            [reply](caf::unit_t) { reply(json_response(json_object{})); });
      });
}

void describe_oauth(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto& url = gateway.services->options.url;
  auto scopes = json_array{};
  for (const auto& scope : known_scopes())
    scopes.push_back(scope);
  auto grants = json_array{"authorization_code", "client_credentials"};
  if (gateway.services->options.test_enabled)
    grants.push_back("password");
  reply(json_response(json_object{{"issuer", url + "/"},
                                  {"service_documentation", "https://docs.joinmastodon.org/"},
                                  {"userinfo_endpoint", url + "/oauth/userinfo"},
                                  {"authorization_endpoint", url + "/oauth/authorize"},
                                  {"token_endpoint", url + "/oauth/token"},
                                  {"revocation_endpoint", url + "/oauth/revoke"},
                                  {"app_registration_endpoint", url + "/api/v1/apps"},
                                  {"scopes_supported", std::move(scopes)},
                                  {"response_types_supported", json_array{"code"}},
                                  {"response_modes_supported", json_array{"query"}},
                                  {"grant_types_supported", std::move(grants)},
                                  {"token_endpoint_auth_methods_supported",
                                   json_array{"client_secret_basic", "client_secret_post"}},
                                  {"code_challenge_methods_supported", json_array{"S256"}}}));
}

} // namespace trunkline
