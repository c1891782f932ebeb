#include "actors/queries_federation.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "protocol/accept.hpp"
#include "protocol/activity_out.hpp"
#include "protocol/plain_text.hpp"

#include <string>
#include <utility>

namespace trunkline {

namespace {

constexpr auto jrd_media_type = "application/jrd+json; charset=utf-8";

/// Whom a resource of WebFinger names; only what is ours to the letter, so that no spelling of
/// another domain is taken for this one.
struct named_resource {
  std::string name; ///< Of an account; "" when it names none of ours.
  bool is_server = false;
};

named_resource read_address(std::string_view address, const std::string& domain) {
  const auto at = address.find('@');
  if (at == std::string_view::npos || fold_name(address.substr(at + 1)) != domain)
    return {};
  const auto name = std::string{address.substr(0, at)};
  return {.name = name, .is_server = fold_name(name) == instance_name(domain)};
}

named_resource read_resource(const std::string& resource, const api_services& services) {
  constexpr auto scheme = std::string_view{"acct:"};
  if (resource.starts_with(scheme))
    return read_address(std::string_view{resource}.substr(scheme.size()), services.options.domain);
  const auto& urls = services.own_urls;
  if (resource == urls.instance_actor())
    return {.is_server = true};
  for (const auto& base :
       {urls.actor(""), urls.profile_page(""), services.here.urls.profile_page("")})
    if (resource.starts_with(base))
      return {.name = resource.substr(base.size())};
  return {};
}

json_object link_of(const char* relation, const char* type, const std::string& address) {
  return {{"rel", relation}, {"type", type}, {"href", address}};
}

http_response jrd(const json_object& document) {
  auto response = http_response{.body = to_json(document), .content_type = jrd_media_type};
  response.headers.emplace_back("Cache-Control", "public, max-age=600");
  return response;
}

json_object resource_of(const std::string& name, const api_services& services,
                        const std::string& actor, const std::string& page) {
  return {{"subject", "acct:" + name + "@" + services.options.domain},
          {"aliases", json_array{page, actor}},
          {"links", json_array{link_of("http://webfinger.net/rel/profile-page", "text/html", page),
                               link_of("self", "application/activity+json", actor)}}};
}

std::string finger_template(const api_services& services) {
  return services.options.url + "/.well-known/webfinger?resource={uri}";
}

http_response host_meta_json(const api_services& services) {
  return jrd({{"links", json_array{json_object{{"rel", "lrdd"},
                                               {"type", "application/jrd+json"},
                                               {"template", finger_template(services)}}}}});
}

} // namespace

void show_webfinger(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto resource = param_reader{request.params}.text("resource").value_or("");
  if (resource.empty())
    return refuse(gateway, reply, make_error(errc::malformed, "resource: is missing"));
  const auto& services = *gateway.services;
  const auto& urls = services.own_urls;
  const auto named = read_resource(resource, services);
  if (named.is_server)
    return reply(jrd(resource_of(instance_name(services.options.domain), services,
                                 urls.instance_actor(), urls.origin + "/")));
  if (named.name.empty())
    return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
  const auto view = federation_view{.urls = urls, .now = services.clock()};
  ask(gateway, ask_local_actor(named.name, view), reply,
      [&services, reply](const local_actor& actor) {
        const auto& name = actor.document.name;
        reply(jrd(resource_of(name, services, services.own_urls.actor(name),
                              services.own_urls.profile_page(name))));
      });
}

void show_host_meta_json(gateway_state& gateway, const matched_request&, http_reply reply) {
  reply(host_meta_json(*gateway.services));
}

void show_host_meta(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto& services = *gateway.services;
  const auto asks_json = request.http.header("Accept").find("json") != std::string_view::npos;
  auto response =
      asks_json
          ? host_meta_json(services)
          : http_response{.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                  "<XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n"
                                  "  <Link rel=\"lrdd\" type=\"application/jrd+json\" template=\"" +
                                  escape_html(finger_template(services)) + "\"/>\n</XRD>\n",
                          .content_type = "application/xrd+xml; charset=utf-8"};
  response.headers.emplace_back("Vary", "Accept");
  reply(std::move(response));
}

} // namespace trunkline
