#include "api/client_api.hpp"

#include "actors/queries_access.hpp"
#include "api/bearer_token.hpp"
#include "api/errors.hpp"
#include "api/handlers.hpp"
#include "protocol/crypto.hpp"

#include <array>

namespace trunkline {

namespace {

constexpr auto get = http_method::get;
constexpr auto post = http_method::post;
constexpr auto put = http_method::put;
constexpr auto patch = http_method::patch;
constexpr auto del = http_method::del;

constexpr auto open = access::open;
constexpr auto token = access::token;
constexpr auto user = access::user;
constexpr auto server = access::server;

constexpr auto routes = std::to_array<route>({
    {get, "/health", open, "", show_health},
    {get, "/", open, "", show_front_page},
    {get, "/page.css", open, "", show_style},
    {get, "/pictures/{}", open, "", show_picture},
    {get, "/@{}", open, "", show_profile_or_actor},
    {get, "/@{}/{}", open, "", show_post_or_page},
    {get, "/users/{}", open, "", show_actor_or_page},
    {post, "/inbox", server, "", receive_for_all},
    {post, "/users/{}/inbox", server, "", receive_for_account},
    {get, "/users/{}/outbox", open, "", show_outbox},
    {get, "/users/{}/followers", open, "", show_followers},
    {get, "/users/{}/following", open, "", show_following},
    {get, "/users/{}/collections/featured", open, "", show_featured},
    {get, "/users/{}/statuses/{}", open, "", show_post},
    {get, "/users/{}/statuses/{}/activity", open, "", show_post_activity},
    {get, "/actor", open, "", show_instance_actor},
    {get, "/actor/outbox", open, "", show_instance_outbox},

    {get, "/.well-known/oauth-authorization-server", open, "", describe_oauth},
    {get, "/.well-known/nodeinfo", open, "", list_nodeinfo},
    {get, "/.well-known/webfinger", open, "", show_webfinger},
    {get, "/.well-known/host-meta", open, "", show_host_meta},
    {get, "/.well-known/host-meta.json", open, "", show_host_meta_json},
    {get, "/nodeinfo/{}", open, "", show_nodeinfo},

    {get, "/oauth/authorize", open, "", show_authorization},
    {post, "/oauth/authorize", open, "", decide_authorization},
    {get, "/oauth/userinfo", user, "profile", show_userinfo},
    {post, "/oauth/userinfo", user, "profile", show_userinfo},
    {post, "/oauth/token", open, "", issue_token},
    {post, "/oauth/revoke", open, "", revoke_token},
    {post, "/api/v1/apps", open, "", register_app},
    {get, "/api/v1/apps/verify_credentials", token, "", verify_app},

    {get, "/api/v1/instance", open, "", show_instance_v1},
    {get, "/api/v2/instance", open, "", show_instance},
    {get, "/api/v1/instance/peers", open, "", list_peers},
    {get, "/api/v1/instance/rules", open, "", show_nothing},
    {get, "/api/v1/custom_emojis", open, "", show_nothing},
    {get, "/api/v1/announcements", user, "", show_nothing},

    {get, "/api/v1/accounts/verify_credentials", user, "profile", verify_credentials},
    {get, "/api/v1/accounts/lookup", open, "read:accounts", look_up_account},
    {get, "/api/v1/accounts/relationships", user, "read:follows", list_relationships},
    {get, "/api/v1/accounts/search", user, "read:accounts", search_for_accounts},
    {patch, "/api/v1/accounts/update_credentials", user, "write:accounts", update_credentials},
    {get, "/api/v1/accounts/{}", open, "read:accounts", show_profile},
    {get, "/api/v1/accounts/{}/statuses", open, "read:statuses", list_account_statuses},
    {post, "/api/v1/accounts/{}/follow", user, "write:follows", follow},
    {post, "/api/v1/accounts/{}/unfollow", user, "write:follows", unfollow},
    {post, "/api/v1/accounts/{}/block", user, "write:blocks", block},
    {post, "/api/v1/accounts/{}/unblock", user, "write:blocks", unblock},
    {post, "/api/v1/accounts/{}/mute", user, "write:mutes", mute},
    {post, "/api/v1/accounts/{}/unmute", user, "write:mutes", unmute},
    {get, "/api/v1/accounts/{}/followers", open, "read:accounts", list_followers},
    {get, "/api/v1/accounts/{}/following", open, "read:accounts", list_following},
    {post, "/api/v1/accounts/{}/remove_from_followers", user, "write:follows", end_being_followed},
    {get, "/api/v1/follow_requests", user, "read:follows", list_follow_requests},
    {post, "/api/v1/follow_requests/{}/authorize", user, "write:follows", authorize_follow},
    {post, "/api/v1/follow_requests/{}/reject", user, "write:follows", reject_follow},
    {get, "/api/v1/blocks", user, "read:blocks", list_blocks},
    {get, "/api/v1/mutes", user, "read:mutes", list_mutes},
    {get, "/api/v1/domain_blocks", user, "read:blocks", list_domain_blocks},
    {post, "/api/v1/domain_blocks", user, "write:blocks", block_domain_of_user},
    {del, "/api/v1/domain_blocks", user, "write:blocks", unblock_domain_of_user},
    {post, "/api/v1/reports", user, "write:reports", report},
    {get, "/api/v1/favourites", user, "read:favourites", list_favourites},
    {get, "/api/v1/bookmarks", user, "read:bookmarks", list_bookmarks},
    {get, "/api/v1/notifications", user, "read:notifications", list_notifications},
    {post, "/api/v1/notifications/clear", user, "write:notifications", clear_notifications},
    {get, "/api/v1/notifications/unread_count", user, "read:notifications", count_notifications},
    {get, "/api/v1/notifications/{}", user, "read:notifications", show_notification},
    {post, "/api/v1/notifications/{}/dismiss", user, "write:notifications", dismiss_notification},
    {get, "/api/v2/search", open, "read:search", search},
    {get, "/api/v1/polls/{}", open, "read:statuses", show_poll},
    {post, "/api/v1/polls/{}/votes", user, "write:statuses", vote},
    {get, "/api/v1/preferences", user, "read:accounts", show_preferences},

    {get, "/api/v1/statuses", open, "read:statuses", show_statuses},
    {post, "/api/v1/statuses", user, "write:statuses", create_status},
    {get, "/api/v1/statuses/{}", open, "read:statuses", show_status},
    {put, "/api/v1/statuses/{}", user, "write:statuses", edit_status},
    {del, "/api/v1/statuses/{}", user, "write:statuses", delete_status},
    {get, "/api/v1/statuses/{}/context", open, "read:statuses", show_context},
    {get, "/api/v1/statuses/{}/source", user, "read:statuses", show_source},
    {get, "/api/v1/statuses/{}/history", open, "read:statuses", show_history},
    {get, "/api/v1/statuses/{}/favourited_by", open, "read:accounts", list_favouriting},
    {get, "/api/v1/statuses/{}/reblogged_by", open, "read:accounts", list_boosting},
    {post, "/api/v1/statuses/{}/favourite", user, "write:favourites", favourite},
    {post, "/api/v1/statuses/{}/unfavourite", user, "write:favourites", unfavourite},
    {post, "/api/v1/statuses/{}/bookmark", user, "write:bookmarks", bookmark},
    {post, "/api/v1/statuses/{}/unbookmark", user, "write:bookmarks", unbookmark},
    {post, "/api/v1/statuses/{}/pin", user, "write:accounts", pin},
    {post, "/api/v1/statuses/{}/unpin", user, "write:accounts", unpin},
    {post, "/api/v1/statuses/{}/reblog", user, "write:statuses", reblog},
    {post, "/api/v1/statuses/{}/unreblog", user, "write:statuses", unreblog},

    {get, "/api/v1/timelines/home", user, "read:statuses", read_home_timeline},
});

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
  const auto shown = bearer_token_of(request);
  if (shown.empty())
    return then(caller{});
  auto hash = sha256(shown);
  const auto& tokens = gateway.services->tokens;
  if (auto owner = tokens ? tokens->find(hash, gateway.self->clock().now()) : std::nullopt)
    return then(known_caller(std::move(*owner), hash));
  const auto version = tokens ? tokens->version() : 0;
  ask_storage(gateway.self, gateway.services->storage, ask_token(hash),
              [hash, then, version, tokens](const caf::expected<token_owner>& owner) {
                if (owner && tokens)
                  tokens->keep(hash, *owner, version);
                then(known_caller(owner, hash));
              });
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
