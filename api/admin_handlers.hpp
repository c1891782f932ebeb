/// The handlers of the admin API, and what they share. Each is a row of the table in
/// `api/admin_api.cpp`.
#pragma once

#include "api/gateway.hpp"
#include "api/route.hpp"
#include "protocol/json.hpp"

#include <string>
#include <string_view>

namespace trunkline {

/// How long an actor may take to tell how it is; then its last report is shown.
inline constexpr auto report_deadline = std::chrono::milliseconds{250};

// admin_requests.cpp
/// Returns `content` as an answer with `status`.
http_response admin_answer_of(int status, const json_object& content);

/// Returns the JSON object in the body; an empty body is an empty object. Fails with
/// `errc::malformed`.
caf::expected<json_object> read_body(const matched_request& request);

/// Returns the text member `key`, "" when it is missing. Fails with `errc::invalid` when it is no
/// text or longer than 1,024 bytes.
caf::expected<std::string> text_member(const json_object& body, std::string_view key);

/// Returns the value of `key` in the query, percent-decoded, or "".
std::string query_value(const matched_request& request, std::string_view key);

/// Reads `limit`, 1 to 500; 50 when it is missing. Fails with `errc::invalid`.
caf::expected<std::int64_t> read_limit(const matched_request& request);

/// Returns the address of the list that `request` asks for, but for where it goes on: what
/// `add_next_page` completes.
std::string link_to_next(const matched_request& request);

/// Says in `response` that the list goes on after `mark`, which is fit for a URL.
void add_next_page(http_response& response, const std::string& link, const std::string& mark);

// admin_health.cpp
void show_livez(gateway_state&, const matched_request&, http_reply);
void show_readyz(gateway_state&, const matched_request&, http_reply);
void show_startupz(gateway_state&, const matched_request&, http_reply);
void show_metrics(gateway_state&, const matched_request&, http_reply);
void show_version(gateway_state&, const matched_request&, http_reply);
void show_cluster(gateway_state&, const matched_request&, http_reply);
void list_nodes(gateway_state&, const matched_request&, http_reply);
void show_node(gateway_state&, const matched_request&, http_reply);

// admin_page.cpp
void show_page(gateway_state&, const matched_request&, http_reply);
void show_page_script(gateway_state&, const matched_request&, http_reply);
void show_page_style(gateway_state&, const matched_request&, http_reply);

// admin_actors.cpp
void show_actor(gateway_state&, const matched_request&, http_reply);
void show_timeline(gateway_state&, const matched_request&, http_reply);

// admin_filters.cpp
void list_filters(gateway_state&, const matched_request&, http_reply);

// admin_hooks.cpp
void list_hooks(gateway_state&, const matched_request&, http_reply);

// admin_accounts.cpp
void list_accounts(gateway_state&, const matched_request&, http_reply);
void show_account(gateway_state&, const matched_request&, http_reply);
void create_account(gateway_state&, const matched_request&, http_reply);
void disable_account(gateway_state&, const matched_request&, http_reply);
void enable_account(gateway_state&, const matched_request&, http_reply);
void reset_password(gateway_state&, const matched_request&, http_reply);
void create_user_token(gateway_state&, const matched_request&, http_reply);
void create_admin_token(gateway_state&, const matched_request&, http_reply);

// admin_debug.cpp
void block_debug_actor(gateway_state&, const matched_request&, http_reply);

// admin_delivery.cpp
void show_delivery(gateway_state&, const matched_request&, http_reply);

// admin_hosts.cpp
void list_hosts(gateway_state&, const matched_request&, http_reply);
void show_host(gateway_state&, const matched_request&, http_reply);

// admin_orders.cpp
void pause_delivery(gateway_state&, const matched_request&, http_reply);
void resume_delivery(gateway_state&, const matched_request&, http_reply);
void retry_delivery(gateway_state&, const matched_request&, http_reply);
void drain_delivery(gateway_state&, const matched_request&, http_reply);
void flush_delivery(gateway_state&, const matched_request&, http_reply);
void replay_delivery(gateway_state&, const matched_request&, http_reply);
void limit_delivery(gateway_state&, const matched_request&, http_reply);

// admin_queue.cpp
void list_host_queue(gateway_state&, const matched_request&, http_reply);

// admin_dead_letters.cpp
void list_given_up(gateway_state&, const matched_request&, http_reply);
void replay_given_up(gateway_state&, const matched_request&, http_reply);
void discard_given_up(gateway_state&, const matched_request&, http_reply);

// admin_posts.cpp
void show_post_deliveries(gateway_state&, const matched_request&, http_reply);

// admin_audit.cpp
void show_audit(gateway_state&, const matched_request&, http_reply);

// admin_webhooks.cpp
void list_webhooks(gateway_state&, const matched_request&, http_reply);

// admin_domain_blocks.cpp
void list_server_blocks(gateway_state&, const matched_request&, http_reply);
void block_for_all(gateway_state&, const matched_request&, http_reply);
void unblock_for_all(gateway_state&, const matched_request&, http_reply);

} // namespace trunkline
