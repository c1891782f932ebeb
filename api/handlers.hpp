/// Every handler of the client API, by subject. Each answers its request once, now or later; what
/// it refuses changes nothing. See `api/client_api.cpp` for the route of each.
#pragma once

#include "api/route.hpp"

namespace trunkline {

class gateway_state;

// api/app_handlers.cpp
void register_app(gateway_state&, const matched_request&, http_reply);
void verify_app(gateway_state&, const matched_request&, http_reply);

// api/token_handlers.cpp
void issue_token(gateway_state&, const matched_request&, http_reply);
void revoke_token(gateway_state&, const matched_request&, http_reply);
void describe_oauth(gateway_state&, const matched_request&, http_reply);

// api/authorize_handlers.cpp: the pages on which people log in and consent
void show_authorization(gateway_state&, const matched_request&, http_reply);
void decide_authorization(gateway_state&, const matched_request&, http_reply);

// api/account_handlers.cpp
void verify_credentials(gateway_state&, const matched_request&, http_reply);
void show_userinfo(gateway_state&, const matched_request&, http_reply);
void show_preferences(gateway_state&, const matched_request&, http_reply);
void show_profile(gateway_state&, const matched_request&, http_reply);
void look_up_account(gateway_state&, const matched_request&, http_reply);
void list_account_statuses(gateway_state&, const matched_request&, http_reply);

// api/relation_handlers.cpp
void list_relationships(gateway_state&, const matched_request&, http_reply);
void follow(gateway_state&, const matched_request&, http_reply);
void unfollow(gateway_state&, const matched_request&, http_reply);
void block(gateway_state&, const matched_request&, http_reply);
void unblock(gateway_state&, const matched_request&, http_reply);
void mute(gateway_state&, const matched_request&, http_reply);
void unmute(gateway_state&, const matched_request&, http_reply);

// api/status_handlers.cpp
void create_status(gateway_state&, const matched_request&, http_reply);
void edit_status(gateway_state&, const matched_request&, http_reply);
void delete_status(gateway_state&, const matched_request&, http_reply);
void reblog(gateway_state&, const matched_request&, http_reply);
void unreblog(gateway_state&, const matched_request&, http_reply);

// api/status_views.cpp
void show_status(gateway_state&, const matched_request&, http_reply);
void show_statuses(gateway_state&, const matched_request&, http_reply);
void show_context(gateway_state&, const matched_request&, http_reply);
void show_source(gateway_state&, const matched_request&, http_reply);
void show_history(gateway_state&, const matched_request&, http_reply);
void read_home_timeline(gateway_state&, const matched_request&, http_reply);

// api/instance_handlers.cpp
void show_health(gateway_state&, const matched_request&, http_reply);
void show_instance(gateway_state&, const matched_request&, http_reply);
void show_instance_v1(gateway_state&, const matched_request&, http_reply);
void list_peers(gateway_state&, const matched_request&, http_reply);
void show_nothing(gateway_state&, const matched_request&, http_reply);
void list_nodeinfo(gateway_state&, const matched_request&, http_reply);
void show_nodeinfo(gateway_state&, const matched_request&, http_reply);
void show_webfinger(gateway_state&, const matched_request&, http_reply);

// api/page_handlers.cpp
void show_front_page(gateway_state&, const matched_request&, http_reply);
void show_profile_page(gateway_state&, const matched_request&, http_reply);
void show_post_page(gateway_state&, const matched_request&, http_reply);
void lead_to_profile_page(gateway_state&, const matched_request&, http_reply);
void lead_to_post_page(gateway_state&, const matched_request&, http_reply);
void show_style(gateway_state&, const matched_request&, http_reply);
void show_picture(gateway_state&, const matched_request&, http_reply);

} // namespace trunkline
