#include "actors/queries_views.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"

namespace trunkline {

namespace {

http_response answer_posts(const api_services& services, const http_request& request,
                           account_id viewer, const post_list_view& list) {
  auto response = json_response(to_entities(list.posts, viewer, services.here));
  if (auto links = link_header(services, request, list.listed); !links.empty())
    response.headers.emplace_back("Link", std::move(links));
  return response;
}

} // namespace

void verify_credentials(gateway_state& gateway, const matched_request& request, http_reply reply) {
  ask(gateway, ask_own_account(request.who.account, gateway.services->counts), reply,
      [&gateway, reply](const own_account_view& account) {
        reply(json_response(to_entity(account, gateway.services->here)));
      });
}

void show_userinfo(gateway_state& gateway, const matched_request& request, http_reply reply) {
  ask(gateway, ask_own_account(request.who.account, gateway.services->counts), reply,
      [&gateway, reply](const own_account_view& own) {
        const auto& here = gateway.services->here;
        const auto& account = own.shown;
        reply(json_response(json_object{
            {"iss", here.urls.origin + "/"},
            {"sub", account.uri},
            {"name", account.display_name.empty() ? account.name : account.display_name},
            {"preferred_username", account.name},
            {"profile", here.urls.profile_page(account.name)},
            {"picture", here.urls.origin + "/pictures/avatar.png"}}));
      });
}

void show_preferences(gateway_state& gateway, const matched_request& request, http_reply reply) {
  ask(gateway, ask_own_account(request.who.account, gateway.services->counts), reply,
      [reply](const own_account_view& account) { reply(json_response(to_preferences(account))); });
}

void show_profile(gateway_state& gateway, const matched_request& request, http_reply reply) {
  const auto id = path_id<account_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  ask(gateway, ask_account_view(*id, gateway.services->counts), reply,
      [&gateway, reply](const account_view& account) {
        reply(json_response(to_entity(account, gateway.services->here)));
      });
}

void look_up_account(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto address = reader.text("acct");
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  ask(gateway,
      ask_account_called(address.value_or(""), gateway.services->options.domain,
                         gateway.services->counts),
      reply, [&gateway, reply](const account_view& account) {
        reply(json_response(to_entity(account, gateway.services->here)));
      });
}

void list_account_statuses(gateway_state& gateway, const matched_request& request,
                           http_reply reply) {
  const auto id = path_id<account_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  auto reader = param_reader{request.params};
  const auto page = read_page(reader, 20, 40);
  const auto wanted =
      account_page{.author = *id,
                   .max_id = page.max_id,
                   .since_id = page.since_id,
                   .min_id = page.min_id,
                   .limit = page.limit,
                   .exclude_replies = reader.flag("exclude_replies").value_or(false),
                   .exclude_boosts = reader.flag("exclude_reblogs").value_or(false),
                   .only_media = reader.flag("only_media").value_or(false),
                   .pinned = reader.flag("pinned").value_or(false),
                   .tag = fold_tag(reader.text("tagged").value_or(""))};
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  const auto viewer = request.who.account;
  ask(gateway, ask_account_posts(viewer, wanted, gateway.services->viewing()), reply,
      [&gateway, reply, viewer, http = request.http](const post_list_view& list) {
        reply(answer_posts(*gateway.services, http, viewer, list));
      });
}

} // namespace trunkline
