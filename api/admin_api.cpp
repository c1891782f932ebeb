#include "api/admin_api.hpp"

#include "actors/queries_admin.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_services.hpp"
#include "api/bearer_token.hpp"
#include "api/problem.hpp"
#include "protocol/crypto.hpp"

#include <algorithm>

namespace trunkline {

namespace {

void show_description(gateway_state&, const matched_request&, http_reply);

constexpr auto open = access::open;
constexpr auto token = access::token;
constexpr auto get = http_method::get;
constexpr auto post = http_method::post;
constexpr auto del = http_method::del;
constexpr auto json = std::string_view{"application/json"};
constexpr auto plain = std::string_view{"text/plain"};
constexpr auto script = std::string_view{"text/javascript"};
constexpr auto style = std::string_view{"text/css"};

constexpr auto operations = std::to_array<admin_operation>({
    {{get, "/", open, "", show_page},
     "page",
     "The page that names the culprit; it asks for a token",
     200,
     {},
     {},
     "text/html"},
    {{get, "/page.js", open, "", show_page_script},
     "page_script",
     "Of the page",
     200,
     {},
     {},
     script},
    {{get, "/page.css", open, "", show_page_style},
     "page_style",
     "Of the page",
     200,
     {},
     {},
     style},
    {{get, "/livez", open, "", show_livez},
     "livez",
     "Whether the process answers",
     200,
     {},
     {},
     plain},
    {{get, "/readyz", open, "", show_readyz},
     "readyz",
     "Whether the node serves; 503 names what does not",
     200,
     {},
     {{{"verbose", "list every check"}}},
     plain},
    {{get, "/startupz", open, "", show_startupz},
     "startupz",
     "Whether the start is over",
     200,
     {},
     {},
     plain},
    {{get, "/metrics", token, "read", show_metrics},
     "metrics",
     "Prometheus metrics",
     200,
     {},
     {},
     plain},
    {{get, "/admin/v1/version", token, "read", show_version}, "version", "Version and build"},
    {{get, "/admin/v1/openapi.json", token, "read", show_description},
     "openapi",
     "This description"},
    {{get, "/admin/v1/cluster", token, "read", show_cluster},
     "show_cluster",
     "The nodes that share the database, and which of them serves"},
    {{get, "/admin/v1/nodes", token, "read", list_nodes},
     "list_nodes",
     "The nodes of the cluster and how they are"},
    {{get, "/admin/v1/nodes/{}", token, "read", show_node}, "show_node", "One node", 200, {"node"}},
    {{get, "/admin/v1/actors/{}/{}", token, "read", show_actor},
     "show_actor",
     "One actor, asked with 250 ms of patience; then its last report with stale: true",
     200,
     {"kind", "id"}},
    {{get, "/admin/v1/accounts", token, "read", list_accounts},
     "list_accounts",
     "Local accounts by id",
     200,
     {},
     {{{"name", "only the account of this name"},
       {"after", "only ids above this one"},
       {"limit", "1 to 500; default 50"}}}},
    {{post, "/admin/v1/accounts", token, "operate", create_account},
     "create_account",
     "Makes a local account and answers its password, once, unless one is given",
     201,
     {},
     {{{"name", "1 to 30 letters, digits and _", true},
       {"role", "user (default) or admin"},
       {"password", "of at most 256 bytes; empty: nobody can log in; default: one is made"}}}},
    {{get, "/admin/v1/accounts/{}", token, "read", show_account},
     "show_account",
     "One local account",
     200,
     {"account"}},
    {{post, "/admin/v1/accounts/{}:disable", token, "operate", disable_account},
     "disable_account",
     "Stops the account and ends its tokens",
     200,
     {"account"}},
    {{post, "/admin/v1/accounts/{}:enable", token, "operate", enable_account},
     "enable_account",
     "Undoes disable",
     200,
     {"account"}},
    {{post, "/admin/v1/accounts/{}:password", token, "operate", reset_password},
     "reset_password",
     "Gives the account a new password, answers it once and ends its tokens",
     200,
     {"account"}},
    {{post, "/admin/v1/accounts/{}:token", token, "operate", create_user_token},
     "create_user_token",
     "Makes an access token for clients and answers it once",
     200,
     {"account"},
     {{{"scopes", "as in OAuth, parted by spaces; default: read write follow"}}}},
    {{get, "/admin/v1/timelines/{}", token, "read", show_timeline},
     "show_timeline",
     "One timeline: home:ID",
     200,
     {"timeline"}},
    {{get, "/admin/v1/filters", token, "read", list_filters},
     "list_filters",
     "How the filters of the program that embeds this node have decided"},
    {{get, "/admin/v1/hooks", token, "read", list_hooks},
     "list_hooks",
     "How the hooks of the program that embeds this node do"},
    {{get, "/admin/v1/delivery", token, "read", show_delivery},
     "show_delivery",
     "Delivery as a whole: totals, budgets, and the ten hosts that need attention most"},
    {{get, "/admin/v1/hosts", token, "read", list_hosts},
     "list_hosts",
     "Remote hosts and what waits for them",
     200,
     {},
     {{{"sort", "backlog (default), oldest, failures, latency or name"},
       {"state", "only hosts in this state, or paused, or behind"},
       {"q", "only hosts whose name contains this"},
       {"after", "where the last page ended, as its link says"},
       {"limit", "1 to 500; default 50"}}}},
    {{get, "/admin/v1/hosts/{}", token, "read", show_host},
     "show_host",
     "One host: what waits, its last errors, its next try and why then",
     200,
     {"host"}},
    {{get, "/admin/v1/hosts/{}/queue", token, "read", list_host_queue},
     "list_host_queue",
     "What waits for a host, by row of the log",
     200,
     {"host"},
     {{{"after", "where the last page ended, as its link says"},
       {"limit", "1 to 500; default 50"}}}},
    {{post, "/admin/v1/hosts/{}:pause", token, "operate", pause_delivery},
     "pause_host",
     "Sends the host nothing more; what waits is kept",
     200,
     {"host"},
     {},
     json,
     true},
    {{post, "/admin/v1/hosts/{}:resume", token, "operate", resume_delivery},
     "resume_host",
     "Undoes pause and drain, and tries at once",
     200,
     {"host"},
     {},
     json,
     true},
    {{post, "/admin/v1/hosts/{}:retry-now", token, "operate", retry_delivery},
     "retry_host_now",
     "Tries at once, whatever the back-off says; 409 while the host is paused",
     200,
     {"host"},
     {},
     json,
     true},
    {{post, "/admin/v1/hosts/{}:drain", token, "operate", drain_delivery},
     "drain_host",
     "Delivers what waits by now and takes nothing new until it is resumed",
     200,
     {"host"},
     {},
     json,
     true},
    {{post, "/admin/v1/hosts/{}:flush", token, "operate", flush_delivery},
     "flush_host",
     "Cancels what waits, but for Delete, Undo and Block",
     200,
     {"host"},
     {},
     json,
     true},
    {{post, "/admin/v1/hosts/{}:replay", token, "operate", replay_delivery},
     "replay_host",
     "Sends again what the host was owed: exactly one of the three says what",
     200,
     {"host"},
     {{{"from_seq", "everything from this row of the log on", false, "integer"},
       {"from", "everything since a time: 2026-11-25T17:19:45Z"},
       {"post", "the newest activity about one post: its id or URL"}}},
     json,
     true},
    {{post, "/admin/v1/hosts/{}:limit", token, "operate", limit_delivery},
     "limit_host",
     "Bounds what is sent to the host; null lifts a bound, what is not named stays",
     200,
     {"host"},
     {{{"in_flight", "requests at once, from 1", false, "integer"},
       {"per_s", "requests that begin in a second, from 1", false, "integer"}}},
     json,
     true},
    {{get, "/admin/v1/posts/{}/deliveries", token, "read", show_post_deliveries},
     "show_post_deliveries",
     "Where a post is: which hosts have it, which wait, why, and when next; failed ones first",
     200,
     {"post"},
     {{{"state", "only hosts that are dead, exception, pending, cancelled, unclear or delivered"},
       {"after", "where the last page ended, as its link says"},
       {"limit", "1 to 500; default 50"}}}},
    {{get, "/admin/v1/dead-letters", token, "read", list_given_up},
     "list_dead_letters",
     "Deliveries that were given up, the newest first",
     200,
     {},
     {{{"host", "only those of this host"},
       {"after", "where the last page ended, as its link says"},
       {"limit", "1 to 500; default 50"}}}},
    {{post, "/admin/v1/dead-letters:replay", token, "operate", replay_given_up},
     "replay_dead_letters",
     "Tries dead letters of a host once more",
     200,
     {},
     {{{"host", "whose", true},
       {"units", "which, each as `unit` in the list; default: all of the host", false, "array"}}},
     json,
     true},
    {{post, "/admin/v1/dead-letters:discard", token, "operate", discard_given_up},
     "discard_dead_letters",
     "Forgets dead letters of a host",
     200,
     {},
     {{{"host", "whose", true},
       {"units", "which, each as `unit` in the list; default: all of the host", false, "array"}}},
     json,
     true},
    {{get, "/admin/v1/audit", token, "read", show_audit},
     "show_audit",
     "What operators did, and why, the newest first",
     200,
     {},
     {{{"target", "only what was done to this"},
       {"after", "only entries older than this one"},
       {"limit", "1 to 500; default 50"}}}},
    {{get, "/admin/v1/domain_blocks", token, "read", list_server_blocks},
     "list_domain_blocks",
     "Domains that the server blocks for everybody, by name",
     200,
     {},
     {{{"after", "only domains after this one"}, {"limit", "1 to 500; default 50"}}}},
    {{post, "/admin/v1/domain_blocks", token, "operate", block_for_all},
     "block_domain",
     "Blocks a domain and its subdomains for everybody, or changes how",
     200,
     {},
     {{{"domain", "a host name without port", true},
       {"severity", "suspend (default): nothing goes in or out, follows end; silence: shown to "
                    "followers alone"},
       {"comment", "why; for operators"}}}},
    {{del, "/admin/v1/domain_blocks/{}", token, "operate", unblock_for_all},
     "unblock_domain",
     "Ends the block of a domain; follows that ended do not come back",
     200,
     {"domain"}},
    {{get, "/admin/v1/webhooks", token, "read", list_webhooks},
     "list_webhooks",
     "How the webhooks do: what was taken, what failed, what waits"},
    {{post, "/admin/v1/tokens", token, "operate", create_admin_token},
     "create_admin_token",
     "Makes a token of this API and answers it once",
     201,
     {},
     {{{"scope", "read or operate", true}, {"name", "whom it is for"}}}},
});

constexpr auto routes = [] {
  auto rows = std::array<route, operations.size()>{};
  for (auto i = std::size_t{0}; i < operations.size(); ++i)
    rows[i] = operations[i].row;
  return rows;
}();

constexpr auto routes_of_tests = [] {
  auto rows = std::array<route, routes.size() + 1>{};
  std::ranges::copy(routes, rows.begin());
  rows.back() = {post, "/admin/v1/test:block", token, "operate", block_debug_actor};
  return rows;
}();

void show_description(gateway_state& gateway, const matched_request&, http_reply reply) {
  reply({.status = 200, .body = openapi_document(operations, gateway.services->options.version)});
}

/// A name can be pointed at our address by whoever owns it; a literal address cannot.
bool is_safe_host(std::string_view host) {
  if (host.starts_with("["))
    return true;
  const auto name = host.substr(0, host.rfind(':'));
  return name == "localhost" ||
         (!name.empty() && name.find_first_not_of("0123456789.") == std::string_view::npos);
}

caf::error refuse_foreign(const http_request& request) {
  const auto host = request.header("Host");
  if (!request.over_unix_socket && !is_safe_host(host))
    return make_error(errc::forbidden, "Host: must be a literal address or localhost");
  const auto origin = request.header("Origin");
  if (!origin.empty() && origin != "http://" + std::string{host} &&
      origin != "https://" + std::string{host})
    return make_error(errc::forbidden, "Origin: is foreign");
  return {};
}

caller operator_of(admin_scope scope, std::string name) {
  auto who = caller{};
  who.known = true;
  who.name = std::move(name);
  who.scopes = {"read"};
  if (scope == admin_scope::operate)
    who.scopes.emplace_back("operate");
  return who;
}

void authenticate(gateway_state& gateway, const http_request& request,
                  api_flavour::authenticated then) {
  if (auto failure = refuse_foreign(request))
    return then(std::move(failure));
  const auto sent = bearer_token_of(request);
  if (sent.empty() && request.over_unix_socket &&
      request.peer_uid == gateway.services->admin->own_uid)
    return then(operator_of(admin_scope::operate, "socket"));
  if (sent.empty() && !request.header("Authorization").empty())
    return then(make_error(errc::unauthenticated, "Authorization: must be a bearer token"));
  if (sent.empty())
    return then(caller{});
  ask_storage(gateway.self, gateway.services->storage, ask_admin_token(sha256(sent)),
              [then](const caf::expected<admin_holder>& holder) {
                if (!holder)
                  return then(holder.error());
                then(operator_of(holder->scope, "token " + holder->name));
              });
}

} // namespace

std::span<const admin_operation> admin_operations() {
  return operations;
}

api_flavour admin_flavour(bool test_enabled) {
  return {.routes = test_enabled ? std::span<const route>{routes_of_tests} : routes,
          .authenticate = authenticate,
          .error = problem};
}

} // namespace trunkline
