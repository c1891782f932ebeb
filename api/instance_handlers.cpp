#include "actors/queries_views.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"

#include <algorithm>

namespace trunkline {

namespace {

std::string version_of(const api_options& options) {
  return "4.5.0 (compatible; Trunkline " + options.version + ")";
}

/// Hands the server's figures to `then`, counted anew when the last count is too old.
template <class Then>
void with_figures(gateway_state& gateway, const http_reply& reply, Then then) {
  const auto now = gateway.services->clock();
  if (const auto kept = gateway.services->figures.find(now))
    return then(*kept);
  ask(gateway, ask_server(gateway.services->viewing()), reply,
      [&gateway, now, then](const server_view& counted) {
        gateway.services->figures.store(counted, now);
        then(counted);
      });
}

json_object limits_of_statuses() {
  return {
      {"max_characters", 500}, {"max_media_attachments", 4}, {"characters_reserved_per_url", 23}};
}

json_object limits_of_media() {
  return {{"supported_mime_types", json_array{}}, // media are not offered yet
          {"description_limit", 1'500},
          {"image_size_limit", 0},
          {"image_matrix_limit", 0},
          {"video_size_limit", 0},
          {"video_frame_rate_limit", 0},
          {"video_matrix_limit", 0}};
}

json_object limits_of_polls() {
  return {{"max_options", 4},
          {"max_characters_per_option", 50},
          {"min_expiration", 300},
          {"max_expiration", 2'629'746}};
}

json_object limits_of_accounts() {
  return {{"max_featured_tags", 0}, {"max_pinned_statuses", 5}, {"max_profile_fields", 4}};
}

/// The streaming address is there for clients to parse; it answers 404 until streaming exists.
std::string streaming_address(const api_options& options) {
  auto address = options.url;
  if (address.starts_with("http"))
    address.replace(0, 4, "ws");
  return address;
}

json_object access_everywhere() {
  return {{"local", "public"}, {"remote", "public"}};
}

json_object configuration_of(const api_options& options) {
  return {{"urls", json_object{{"streaming", streaming_address(options)},
                               {"about", options.url + "/"},
                               {"status", nullptr},
                               {"privacy_policy", nullptr},
                               {"terms_of_service", nullptr}}},
          {"vapid", json_object{{"public_key", ""}}},
          {"accounts", limits_of_accounts()},
          {"statuses", limits_of_statuses()},
          {"media_attachments", limits_of_media()},
          {"polls", limits_of_polls()},
          {"translation", json_object{{"enabled", false}}},
          {"timelines_access", json_object{{"live_feeds", access_everywhere()},
                                           {"hashtag_feeds", access_everywhere()},
                                           {"trending_link_feeds", access_everywhere()}}},
          {"limited_federation", false}};
}

json_value contact_of(const server_view& view, const site& here) {
  return view.contact.empty() ? json_value{} : json_value{to_entity(view.contact.front(), here)};
}

json_object instance_of(const api_services& services, const server_view& view) {
  const auto& options = services.options;
  const auto picture = options.url + "/pictures/header.png";
  return {
      {"domain", options.domain},
      {"title", options.domain},
      {"version", version_of(options)},
      {"source_url", options.url + "/"},
      {"description", ""},
      {"usage", json_object{{"users", json_object{{"active_month", view.figures.active_month}}}}},
      {"thumbnail", json_object{{"url", picture},
                                {"blurhash", nullptr},
                                {"description", ""},
                                {"versions", json_object{{"@1x", picture}, {"@2x", picture}}}}},
      {"icon", json_array{}},
      {"languages", json_array{}},
      {"configuration", configuration_of(options)},
      {"registrations", json_object{{"enabled", false},
                                    {"approval_required", false},
                                    {"reason_required", false},
                                    {"message", nullptr},
                                    {"min_age", nullptr},
                                    {"url", nullptr}}},
      {"api_versions", json_object{{"mastodon", 1}}},
      {"contact", json_object{{"email", ""}, {"account", contact_of(view, services.here)}}},
      {"rules", json_array{}}};
}

json_object instance_v1_of(const api_services& services, const server_view& view) {
  const auto& options = services.options;
  return {{"uri", options.domain},
          {"title", options.domain},
          {"short_description", ""},
          {"description", ""},
          {"email", ""},
          {"version", version_of(options)},
          {"urls", json_object{{"streaming_api", streaming_address(options)}}},
          {"stats", json_object{{"user_count", view.figures.accounts},
                                {"status_count", view.figures.posts},
                                {"domain_count", view.figures.domains}}},
          {"thumbnail", options.url + "/pictures/header.png"},
          {"languages", json_array{}},
          {"registrations", false},
          {"approval_required", false},
          {"invites_enabled", false},
          {"configuration", json_object{{"accounts", limits_of_accounts()},
                                        {"statuses", limits_of_statuses()},
                                        {"media_attachments", limits_of_media()},
                                        {"polls", limits_of_polls()}}},
          {"contact_account", contact_of(view, services.here)},
          {"rules", json_array{}}};
}

json_object nodeinfo_of(const api_services& services, const server_view& view,
                        const std::string& version) {
  const auto& figures = view.figures;
  return {
      {"version", version},
      {"software", json_object{{"name", "trunkline"}, {"version", services.options.version}}},
      {"protocols", json_array{"activitypub"}},
      {"services", json_object{{"inbound", json_array{}}, {"outbound", json_array{}}}},
      {"usage", json_object{{"users", json_object{{"total", figures.accounts},
                                                  {"activeMonth", figures.active_month},
                                                  {"activeHalfyear", figures.active_half_year}}},
                            {"localPosts", figures.posts}}},
      {"openRegistrations", false},
      {"metadata", json_object{{"nodeName", services.options.domain}}}};
}

} // namespace

void show_health(gateway_state&, const matched_request&, http_reply reply) {
  reply({.body = "OK", .content_type = "text/plain; charset=utf-8"});
}

void show_instance(gateway_state& gateway, const matched_request&, http_reply reply) {
  with_figures(gateway, reply, [&gateway, reply](const server_view& view) {
    reply(json_response(instance_of(*gateway.services, view)));
  });
}

void show_instance_v1(gateway_state& gateway, const matched_request&, http_reply reply) {
  with_figures(gateway, reply, [&gateway, reply](const server_view& view) {
    reply(json_response(instance_v1_of(*gateway.services, view)));
  });
}

void list_peers(gateway_state& gateway, const matched_request&, http_reply reply) {
  ask(gateway, ask_peers(), reply, [reply](const std::vector<std::string>& names) {
    auto entities = json_array{};
    for (const auto& name : names)
      entities.push_back(name);
    reply(json_response(std::move(entities)));
  });
}

/// For lists of things that an operator of this server cannot make yet: there are none.
void show_nothing(gateway_state&, const matched_request&, http_reply reply) {
  reply(json_response(json_array{}));
}

void list_nodeinfo(gateway_state& gateway, const matched_request&, http_reply reply) {
  auto links = json_array{};
  for (const auto* version : {"2.0", "2.1"})
    links.push_back(
        json_object{{"rel", std::string{"http://nodeinfo.diaspora.software/ns/schema/"} + version},
                    {"href", gateway.services->options.url + "/nodeinfo/" + version}});
  reply(json_response(json_object{{"links", std::move(links)}}));
}

void show_nodeinfo(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto version = request.segment();
  if (version != "2.0" && version != "2.1")
    return refuse(gateway, reply, make_error(errc::not_found, "Record not found"));
  with_figures(gateway, reply, [&gateway, reply, version](const server_view& view) {
    auto response = json_response(nodeinfo_of(*gateway.services, view, version));
    response.content_type = "application/json; profile=\"http://nodeinfo.diaspora.software/ns/"
                            "schema/" +
                            version + "#\"";
    reply(std::move(response));
  });
}

} // namespace trunkline
