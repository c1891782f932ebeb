// The pages on which a person logs in and consents. One cookie is both the browser's mark before
// the log-in and its session after; it is replaced at the log-in, so that nobody can plant one.
// Forms carry a hash of it: a foreign page can send a form, but cannot know the hash.
#include "actors/queries_access.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "api/html.hpp"
#include "api/login.hpp"
#include "protocol/crypto.hpp"
#include "protocol/oauth.hpp"
#include "protocol/plain_text.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr auto cookie_name = std::string_view{"trunkline_session"};

/// What an app asks for, kept through log-in and consent.
struct authorization {
  std::string client_id;
  std::string redirect_uri;
  std::string response_type;
  std::string scope;
  std::string state;
  std::string challenge;
  std::string method;
};

/// A visit to the page: what is asked, by which browser, and who it is.
struct visit {
  authorization wanted;
  std::string cookie; ///< "" when the browser has none.
  std::string action; ///< "log_in", "approve", "deny" or "log_out"; "" to look.
  std::string name;
  std::string password;
  std::string peer;
  stored_app app;
  account_id account; ///< 0: not logged in.
};

std::string read_cookie(const http_request& request) {
  auto rest = request.header("Cookie");
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.starts_with(cookie_name) && pair.substr(cookie_name.size()).starts_with('='))
      return std::string{pair.substr(cookie_name.size() + 1)};
  }
  return {};
}

std::string form_token(const std::string& cookie) {
  return to_base64url(sha256("form " + cookie));
}

void set_cookie(const api_options& options, http_response& response, const std::string& cookie) {
  auto text = std::string{cookie_name} + "=" + cookie + "; Path=/oauth; HttpOnly; SameSite=Lax" +
              "; Max-Age=" + std::to_string(options.session_life.count());
  if (options.url.starts_with("https:"))
    text += "; Secure";
  response.headers.emplace_back("Set-Cookie", std::move(text));
}

caf::expected<visit> read_visit(const matched_request& request) {
  auto reader = param_reader{request.params};
  const auto text = [&](std::string_view name) { return reader.text(name).value_or(""); };
  auto made = visit{.wanted = {.client_id = text("client_id"),
                               .redirect_uri = text("redirect_uri"),
                               .response_type = text("response_type"),
                               .scope = text("scope"),
                               .state = text("state"),
                               .challenge = text("code_challenge"),
                               .method = text("code_challenge_method")},
                    .cookie = read_cookie(request.http),
                    .action = text("action"),
                    .name = text("username"),
                    .password = text("password"),
                    .peer = request.http.peer};
  if (reader.failure())
    return reader.failure();
  if (made.wanted.scope.empty())
    made.wanted.scope = "read";
  return made;
}

/// Why an app may not ask for this. What is wrong is shown, never sent to the address it names.
caf::error check_authorization(const authorization& wanted, const std::optional<stored_app>& app) {
  if (!app)
    return make_error(errc::malformed, "Client authentication failed due to unknown client.");
  const auto registered = split_lines(app->redirect_uris);
  if (std::ranges::count(registered, wanted.redirect_uri) == 0)
    return make_error(errc::malformed, "The redirect uri included is not valid.");
  if (wanted.response_type != "code")
    return make_error(errc::malformed,
                      "The authorization server does not support this response type.");
  if (auto failure = check_challenge(wanted.challenge, wanted.method))
    return make_error(errc::malformed, context_of(failure));
  const auto scopes = parse_scopes(wanted.scope);
  const auto held = parse_scopes(app->scopes);
  if (!scopes || !held || !covers_all(*held, *scopes))
    return make_error(errc::malformed, "The requested scope is invalid, unknown, or malformed.");
  return {};
}

std::string hidden_fields(const visit& visit) {
  const auto& wanted = visit.wanted;
  return hidden_field("client_id", wanted.client_id) +
         hidden_field("redirect_uri", wanted.redirect_uri) +
         hidden_field("response_type", wanted.response_type) + hidden_field("scope", wanted.scope) +
         hidden_field("state", wanted.state) + hidden_field("code_challenge", wanted.challenge) +
         hidden_field("code_challenge_method", wanted.method) +
         hidden_field("form_token", form_token(visit.cookie));
}

http_response login_page(const visit& visit, const std::string& problem, int status) {
  auto body = std::string{};
  if (!problem.empty())
    body += "<p class=\"problem\">" + escape_html(problem) + "</p>";
  body += "<p>" + escape_html(visit.app.name) +
          " wants to use your account. Log in to decide.</p>"
          "<form method=\"post\" action=\"/oauth/authorize\">" +
          hidden_fields(visit) +
          "<label>Name or e-mail address<input name=\"username\" autocomplete=\"username\""
          " required></label><label>Password<input type=\"password\" name=\"password\""
          " autocomplete=\"current-password\" required></label>"
          "<button name=\"action\" value=\"log_in\">Log in</button></form>";
  return html_page(status, "Log in", body);
}

http_response consent_page(const visit& visit) {
  auto list = std::string{};
  const auto scopes = parse_scopes(visit.wanted.scope).value();
  for (const auto& scope : scopes)
    list += "<li><code>" + escape_html(scope) + "</code></li>";
  return html_page(200, "Authorize " + visit.app.name,
                   "<p>" + escape_html(visit.app.name) + " asks for these rights:</p><ul>" + list +
                       "</ul><p>It is sent to <code>" + escape_html(visit.wanted.redirect_uri) +
                       "</code></p><form method=\"post\" action=\"/oauth/authorize\">" +
                       hidden_fields(visit) +
                       "<button name=\"action\" value=\"approve\">Authorize</button>"
                       "<button name=\"action\" value=\"deny\">Deny</button>"
                       "<button name=\"action\" value=\"log_out\">Use another account</button>"
                       "</form>");
}

http_response lead_to(const std::string& address) {
  auto response = http_response{.status = 303, .content_type = "text/plain; charset=utf-8"};
  response.headers.emplace_back("Location", address);
  return response;
}

/// Leads the browser back to the app, or shows the answer where the app has no address.
http_response lead_back(const visit& visit, std::string_view name, const std::string& value) {
  const auto& wanted = visit.wanted;
  if (wanted.redirect_uri == out_of_band && name == "code")
    return html_page(200, "Authorization code",
                     "<p>Copy this code into the app:</p><p><code>" + escape_html(value) +
                         "</code></p>");
  if (wanted.redirect_uri == out_of_band)
    return html_page(200, "Denied", "<p>The app got no access.</p>");
  auto address = add_parameter(wanted.redirect_uri, name, value);
  if (!wanted.state.empty())
    address = add_parameter(std::move(address), "state", wanted.state);
  return lead_to(address);
}

std::string address_of(const authorization& wanted) {
  auto address = std::string{"/oauth/authorize"};
  address = add_parameter(std::move(address), "client_id", wanted.client_id);
  address = add_parameter(std::move(address), "redirect_uri", wanted.redirect_uri);
  address = add_parameter(std::move(address), "response_type", wanted.response_type);
  address = add_parameter(std::move(address), "scope", wanted.scope);
  if (!wanted.state.empty())
    address = add_parameter(std::move(address), "state", wanted.state);
  if (!wanted.challenge.empty()) {
    address = add_parameter(std::move(address), "code_challenge", wanted.challenge);
    address = add_parameter(std::move(address), "code_challenge_method", wanted.method);
  }
  return address;
}

/// Whether a form comes from our own page, in the browser that was shown it.
bool is_own_form(const api_options& options, const matched_request& request,
                 const std::string& cookie) {
  const auto origin = request.http.header("Origin");
  if (!origin.empty() && origin != options.url)
    return false;
  const auto token = param_reader{request.params}.text("form_token").value_or("");
  return !cookie.empty() && same_secret(token, form_token(cookie));
}

void problem(gateway_state& gateway, const http_reply& reply, const caf::error& failure) {
  gateway.services->counters.refused(code_of(failure));
  reply(html_problem(status_of(code_of(failure)), public_words(failure)));
}

/// Like `ask`, with a page instead of JSON for failures.
template <class Task, class Then>
void ask_for_page(gateway_state& gateway, Task task, const http_reply& reply, Then then) {
  ask_storage(gateway.self, gateway.services->storage, std::move(task),
              [&gateway, reply, then](const auto& answer) mutable {
                if (!answer)
                  return problem(gateway, reply, answer.error());
                then(content_of(answer));
              });
}

/// Finds the app of a visit, then the person, and hands it to `then` if the app may ask for this.
void examine_person(gateway_state& gateway, visit made, const http_reply& reply,
                    const std::function<void(const visit&)>& then) {
  auto question = ask_session(sha256(made.cookie), gateway.services->clock());
  ask_for_page(gateway, std::move(question), reply,
               [made = std::move(made), then](const std::optional<account_id>& account) mutable {
                 made.account = account.value_or(account_id{});
                 then(made);
               });
}

void examine(gateway_state& gateway, visit shown, const http_reply& reply,
             std::function<void(const visit&)> then) {
  auto question = ask_app(shown.wanted.client_id);
  ask_for_page(gateway, std::move(question), reply,
               [&gateway, reply, made = std::move(shown),
                then = std::move(then)](const std::optional<stored_app>& app) mutable {
                 if (auto failure = check_authorization(made.wanted, app))
                   return problem(gateway, reply, failure);
                 made.app = *app;
                 examine_person(gateway, std::move(made), reply, then);
               });
}

void enter_session(gateway_state& gateway, const visit& made, account_id account,
                   const http_reply& reply) {
  const auto cookie = random_secret();
  const auto& options = gateway.services->options;
  ask_for_page(
      gateway,
      begin_session(sha256(cookie), account, gateway.services->clock() + options.session_life),
      reply, [&gateway, reply, cookie, wanted = made.wanted](caf::unit_t) {
        auto response = lead_to(address_of(wanted));
        set_cookie(gateway.services->options, response, cookie);
        reply(std::move(response));
      });
}

void log_in_visitor(gateway_state& gateway, const visit& made, const http_reply& reply) {
  log_in(gateway, {.name = made.name, .password = made.password, .peer = made.peer},
         [&gateway, made, reply](const caf::expected<account_id>& account) {
           if (account)
             return enter_session(gateway, made, *account, reply);
           const auto code = code_of(account.error());
           gateway.services->counters.refused(code);
           reply(login_page(made, public_words(account.error()), status_of(code)));
         });
}

void approve(gateway_state& gateway, const visit& made, const http_reply& reply) {
  const auto code = random_secret();
  const auto& wanted = made.wanted;
  auto grant =
      code_grant{.app = made.app.id,
                 .account = made.account,
                 .scopes = to_string(*parse_scopes(wanted.scope)),
                 .redirect_uri = wanted.redirect_uri,
                 .challenge = wanted.challenge,
                 .expires_at = gateway.services->clock() + gateway.services->options.code_life};
  ask_for_page(gateway, store_code(sha256(code), std::move(grant)), reply,
               [reply, made, code](caf::unit_t) { reply(lead_back(made, "code", code)); });
}

void log_out(gateway_state& gateway, const visit& made, const http_reply& reply) {
  ask_for_page(gateway, end_session(sha256(made.cookie)), reply,
               [reply, wanted = made.wanted](caf::unit_t) { reply(lead_to(address_of(wanted))); });
}

void decide(gateway_state& gateway, const visit& made, const http_reply& reply) {
  if (made.action == "log_in")
    return log_in_visitor(gateway, made, reply);
  if (!made.account)
    return reply(login_page(made, "Log in first.", 401));
  if (made.action == "approve")
    return approve(gateway, made, reply);
  if (made.action == "deny")
    return reply(lead_back(made, "error", "access_denied"));
  if (made.action == "log_out")
    return log_out(gateway, made, reply);
  problem(gateway, reply, make_error(errc::malformed, "action: is none of this page"));
}

} // namespace

void show_authorization(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto made = read_visit(request);
  if (!made)
    return problem(gateway, reply, made.error());
  examine(gateway, std::move(*made), reply, [&gateway, reply](visit shown) {
    if (shown.account)
      return reply(consent_page(shown));
    if (shown.cookie.empty())
      shown.cookie = random_secret();
    auto response = login_page(shown, "", 200);
    set_cookie(gateway.services->options, response, shown.cookie);
    reply(std::move(response));
  });
}

void decide_authorization(gateway_state& gateway, const matched_request& request,
                          http_reply reply) {
  auto made = read_visit(request);
  if (!made)
    return problem(gateway, reply, made.error());
  if (!is_own_form(gateway.services->options, request, made->cookie))
    return problem(gateway, reply,
                   make_error(errc::forbidden,
                              "This form does not come from this page in this browser. Open the"
                              " page again from the app."));
  examine(gateway, std::move(*made), reply,
          [&gateway, reply](const visit& decided) { decide(gateway, decided, reply); });
}

} // namespace trunkline
