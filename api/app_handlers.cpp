#include "actors/id_source.hpp"
#include "actors/queries_access.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "protocol/crypto.hpp"
#include "protocol/oauth.hpp"
#include "protocol/plain_text.hpp"

namespace trunkline {

namespace {

constexpr std::size_t name_bytes_max = 240;
constexpr std::size_t website_bytes_max = 2'000;
constexpr std::size_t redirect_uris_max = 20;

bool is_web_address(const std::string& text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

/// Reads `redirect_uris`: a list, or one text with an address a line.
std::vector<std::string> read_redirect_uris(param_reader& reader) {
  auto uris = std::vector<std::string>{};
  for (const auto& text : reader.texts("redirect_uris").value_or(std::vector<std::string>{}))
    for (auto& line : split_lines(text)) {
      if (line.ends_with('\r'))
        line.pop_back();
      uris.push_back(std::move(line));
    }
  if (uris.empty())
    reader.fail(make_error(errc::invalid, "Validation failed: Redirect URI can't be blank"));
  if (uris.size() > redirect_uris_max)
    reader.fail(make_error(errc::invalid, "Validation failed: Redirect URI: too many"));
  for (const auto& uri : uris)
    reader.fail(check_redirect_uri(uri));
  return uris;
}

std::string read_name(param_reader& reader) {
  auto name = reader.text("client_name").value_or("");
  if (name.find_first_not_of(" \t\r\n") == std::string::npos)
    reader.fail(make_error(errc::invalid, "Validation failed: Application name can't be blank"));
  if (name.size() > name_bytes_max)
    reader.fail(make_error(errc::invalid, "Validation failed: Application name is too long"));
  return name;
}

std::string read_website(param_reader& reader) {
  auto website = reader.text("website").value_or("");
  if (website.size() > website_bytes_max || (!website.empty() && !is_web_address(website)))
    reader.fail(
        make_error(errc::invalid, "Validation failed: Application website must be a valid URL"));
  return website;
}

std::string read_scopes(param_reader& reader) {
  const auto scopes = parse_scopes(reader.text("scopes").value_or("read"));
  if (!scopes) {
    reader.fail(make_error(errc::invalid, "Validation failed: Scopes doesn't match configured on"
                                          " the server."));
    return {};
  }
  return scopes->empty() ? "read" : to_string(*scopes);
}

caf::expected<stored_app> read_app(const matched_request& request) {
  auto reader = param_reader{request.params};
  auto app = stored_app{.client_id = random_secret()};
  app.name = read_name(reader);
  app.website = read_website(reader);
  for (const auto& uri : read_redirect_uris(reader))
    app.redirect_uris += (app.redirect_uris.empty() ? "" : "\n") + uri;
  app.scopes = read_scopes(reader);
  if (reader.failure())
    return reader.failure();
  return app;
}

} // namespace

void register_app(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto app = read_app(request);
  if (!app)
    return refuse(gateway, reply, app.error());
  const auto id = gateway.services->ids->next();
  if (!id)
    return refuse(gateway, reply, id.error());
  const auto secret = random_secret();
  app->id = app_id{*id};
  app->secret_hash = sha256(secret);
  app->created_at = gateway.services->clock();
  ask(gateway, register_app(*app), reply,
      [reply, app = *app, secret](caf::unit_t) { reply(json_response(to_entity(app, secret))); });
}

void verify_app(gateway_state& gateway, const matched_request& request, http_reply reply) {
  ask(gateway, ask_app(request.who.app), reply,
      [&gateway, reply](const std::optional<stored_app>& app) {
        if (!app)
          return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
        reply(json_response(to_entity(*app, "")));
      });
}

} // namespace trunkline
