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
void end_being_followed(gateway_state&, const matched_request&, http_reply);
void authorize_follow(gateway_state&, const matched_request&, http_reply);
void reject_follow(gateway_state&, const matched_request&, http_reply);

// api/status_handlers.cpp
void create_status(gateway_state&, const matched_request&, http_reply);
void edit_status(gateway_state&, const matched_request&, http_reply);
void delete_status(gateway_state&, const matched_request&, http_reply);
void reblog(gateway_state&, const matched_request&, http_reply);
void unreblog(gateway_state&, const matched_request&, http_reply);

// api/interaction_handlers.cpp
void favourite(gateway_state&, const matched_request&, http_reply);
void unfavourite(gateway_state&, const matched_request&, http_reply);
void bookmark(gateway_state&, const matched_request&, http_reply);
void unbookmark(gateway_state&, const matched_request&, http_reply);
void pin(gateway_state&, const matched_request&, http_reply);
void unpin(gateway_state&, const matched_request&, http_reply);
void show_poll(gateway_state&, const matched_request&, http_reply);
void vote(gateway_state&, const matched_request&, http_reply);
void report(gateway_state&, const matched_request&, http_reply);

// api/list_handlers.cpp
void list_followers(gateway_state&, const matched_request&, http_reply);
void list_following(gateway_state&, const matched_request&, http_reply);
void list_follow_requests(gateway_state&, const matched_request&, http_reply);
void list_blocks(gateway_state&, const matched_request&, http_reply);
void list_mutes(gateway_state&, const matched_request&, http_reply);
void list_favouriting(gateway_state&, const matched_request&, http_reply);
void list_boosting(gateway_state&, const matched_request&, http_reply);
void list_favourites(gateway_state&, const matched_request&, http_reply);
void list_bookmarks(gateway_state&, const matched_request&, http_reply);
void list_domain_blocks(gateway_state&, const matched_request&, http_reply);
void block_domain_of_user(gateway_state&, const matched_request&, http_reply);
void unblock_domain_of_user(gateway_state&, const matched_request&, http_reply);

// api/notification_handlers.cpp
void count_notifications(gateway_state&, const matched_request&, http_reply);
void list_notifications(gateway_state&, const matched_request&, http_reply);
void show_notification(gateway_state&, const matched_request&, http_reply);
void dismiss_notification(gateway_state&, const matched_request&, http_reply);
void clear_notifications(gateway_state&, const matched_request&, http_reply);

// api/search_handlers.cpp
void search(gateway_state&, const matched_request&, http_reply);
void search_for_accounts(gateway_state&, const matched_request&, http_reply);

// api/profile_handlers.cpp
void update_credentials(gateway_state&, const matched_request&, http_reply);

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

// api/discovery_handlers.cpp
void show_webfinger(gateway_state&, const matched_request&, http_reply);
void show_host_meta(gateway_state&, const matched_request&, http_reply);
void show_host_meta_json(gateway_state&, const matched_request&, http_reply);

// api/actor_handlers.cpp: documents of accounts for other servers
void show_actor_or_page(gateway_state&, const matched_request&, http_reply);
void show_profile_or_actor(gateway_state&, const matched_request&, http_reply);
void show_instance_actor(gateway_state&, const matched_request&, http_reply);
void show_instance_outbox(gateway_state&, const matched_request&, http_reply);
void show_outbox(gateway_state&, const matched_request&, http_reply);
void show_followers(gateway_state&, const matched_request&, http_reply);
void show_following(gateway_state&, const matched_request&, http_reply);
void show_featured(gateway_state&, const matched_request&, http_reply);

// api/inbox_handlers.cpp: what other servers send
void receive_for_all(gateway_state&, const matched_request&, http_reply);
void receive_for_account(gateway_state&, const matched_request&, http_reply);

// api/post_documents.cpp: documents of posts for other servers
void show_post(gateway_state&, const matched_request&, http_reply);
void show_post_or_page(gateway_state&, const matched_request&, http_reply);
void show_post_activity(gateway_state&, const matched_request&, http_reply);

// api/page_handlers.cpp
void show_front_page(gateway_state&, const matched_request&, http_reply);
void show_profile_page(gateway_state&, const matched_request&, http_reply);
void show_post_page(gateway_state&, const matched_request&, http_reply);
void lead_to_profile_page(gateway_state&, const matched_request&, http_reply);
void lead_to_post_page(gateway_state&, const matched_request&, http_reply);
void show_style(gateway_state&, const matched_request&, http_reply);
void show_picture(gateway_state&, const matched_request&, http_reply);

} // namespace trunkline
