#include "engine/config_rules.hpp"

#include "engine/embedding/webhook_rules.hpp"
#include "protocol/errc.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>

namespace trunkline {

namespace {

using problems = std::vector<config_problem>;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  auto number = Number{0};
  const auto* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || stop != end || text.empty())
    return std::nullopt;
  return number;
}

struct literal_address {
  bool is_v6 = false;
  bool loopback = false;
};

std::optional<literal_address> parse_address(const std::string& text) {
  auto bytes = std::array<unsigned char, 16>{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1)
    return literal_address{false, bytes[0] == 127};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1)
    return literal_address{true, text == "::1"};
  return std::nullopt;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](unsigned char c) {
           return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-';
         });
}

/// A lower-case A-label name without trailing dot, or in test mode also with a port.
bool is_domain(std::string_view text, bool port_allowed) {
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    if (!port_allowed || !parse_number<std::uint16_t>(text.substr(colon + 1)))
      return false;
    text = text.substr(0, colon);
  }
  if (text.empty() || text.size() > 253)
    return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot)))
      return false;
    if (dot == std::string_view::npos)
      return true;
    text.remove_prefix(dot + 1);
  }
}

struct own_url {
  bool https = false;
  bool loopback = false;
};

/// An origin without user, path or query.
std::optional<own_url> parse_own_url(std::string_view text) {
  const auto https = text.starts_with("https://");
  if (!https && !text.starts_with("http://"))
    return std::nullopt;
  auto host = text.substr(https ? 8 : 7);
  if (host.starts_with("[")) {
    const auto listen = parse_listen(host);
    return listen ? std::optional{own_url{https, listen->loopback}} : std::nullopt;
  }
  const auto name = host.substr(0, host.find(':'));
  if (!is_domain(host, true))
    return std::nullopt;
  const auto address = parse_address(std::string{name});
  return own_url{https, name == "localhost" || (address && address->loopback)};
}

void check_server(const node_config& c, problems& out) {
  if (c.server.domain.empty())
    out.push_back({"server.domain", "is required: the domain of all accounts, as example.org"});
  else if (!is_domain(c.server.domain, c.test.enabled))
    out.push_back({"server.domain", "must be a lower-case host name without scheme, port and "
                                    "trailing dot, as example.org"});
  const auto url = parse_own_url(c.server.url);
  if (!url && !c.server.domain.empty())
    out.push_back({"server.url", "must be scheme, host and port alone, as https://example.org"});
  if (url && !url->https && !url->loopback && !c.test.enabled)
    out.push_back(
        {"server.url", "may be http only for a loopback host or with test.enabled", true});
  for (const auto& proxy : c.server.trusted_proxies)
    if (!is_address_prefix(proxy))
      out.push_back({"server.trusted_proxies", "'" + proxy +
                                                   "' is no address or prefix, as "
                                                   "127.0.0.1 or 10.0.0.0/8"});
  if (c.server.tls_certificate_file.empty() != c.server.tls_key_file.empty())
    out.push_back(
        {c.server.tls_key_file.empty() ? "server.tls_key_file" : "server.tls_certificate_file",
         "is needed too: a certificate and its key go together"});
}

/// Reads the address of a listener; says what is wrong with it.
std::optional<listen_address> check_listen(const std::string& key, const std::string& text,
                                           config_use use, problems& out) {
  auto address = parse_listen(text);
  const auto is_nowhere = text.empty() && use == config_use::embedded;
  if (!address && !is_nowhere)
    out.push_back(
        {key, text.empty()
                  ? "is needed: without it nobody reaches this program; name an address and a "
                    "port, as 127.0.0.1:3000"
                  : "must be an address and a port, as 127.0.0.1:3000 or [::1]:3000"});
  return address;
}

void check_listeners(const node_config& c, config_use use, problems& out) {
  const auto server = check_listen("server.listen", c.server.listen, use, out);
  const auto admin = check_listen("admin.listen", c.admin.listen, use, out);
  if (server && admin && server->port != 0 && server->port == admin->port &&
      server->host == admin->host)
    out.push_back({"admin.listen", "is the same as server.listen"});
  if (admin && !admin->loopback && !c.admin.allow_remote)
    out.push_back({"admin.listen",
                   "is no loopback address: whoever reaches it can try tokens without TLS; set "
                   "admin.allow_remote = true as well if that is meant",
                   true});
  if (c.test.enabled && ((server && !server->loopback) || (admin && !admin->loopback)))
    out.push_back({"test.enabled",
                   "is refused unless server.listen and admin.listen are on "
                   "loopback",
                   true});
}

void check_paths(const node_config& c, problems& out) {
  // A path relative to nowhere in particular would be another folder at the next start.
  const auto absolute = [&](std::string_view key, const std::string& path) {
    if (!path.empty() && !std::filesystem::path{path}.is_absolute())
      out.push_back({std::string{key}, "must be an absolute path"});
  };
  absolute("storage.folder", c.storage.folder);
  absolute("storage.postgres_url_file", c.storage.postgres_url_file);
  absolute("admin.socket", c.admin.socket);
  absolute("secrets.key_file", c.secrets.key_file);
  absolute("webhooks.secret_file", c.webhooks.secret_file);
  absolute("server.tls_certificate_file", c.server.tls_certificate_file);
  absolute("server.tls_key_file", c.server.tls_key_file);
  absolute("cluster.certificate_file", c.cluster.certificate_file);
  absolute("cluster.key_file", c.cluster.key_file);
  absolute("cluster.authority_file", c.cluster.authority_file);
  absolute("cluster.revoked_file", c.cluster.revoked_file);
  if (c.admin.socket.size() > 107)
    out.push_back({"admin.socket", "is longer than the 107 bytes that a unix socket's name may "
                                   "have; name a shorter one"});
}

/// Every request under way may need a connection of its own, those that are no deliveries too.
void check_delivery(const node_config& c, problems& out) {
  const auto needed = client_requests_max(c);
  if (c.delivery.connections_max < needed)
    out.push_back({"delivery.connections_max",
                   "must be at least " + std::to_string(needed) +
                       ": delivery.in_flight_max and delivery.slow_max together and 1024 more"});
}

void check_webhooks(const node_config& c, problems& out) {
  if (!c.webhooks.url.empty() && !is_webhook_url(c.webhooks.url))
    out.push_back({"webhooks.url", "must be https, or http to a loopback address"});
  if (c.webhooks.url.empty() != c.webhooks.secret_file.empty())
    out.push_back({c.webhooks.url.empty() ? "webhooks.url" : "webhooks.secret_file",
                   "is needed too: a URL and a secret go together"});
  if (const auto kinds = read_event_words(c.webhooks.events); !kinds)
    out.push_back({"webhooks.events", context_of(kinds.error())});
}

/// Where others can dial: with a port, which no literal may leave open.
bool is_host_and_port(std::string_view text) {
  if (const auto literal = parse_listen(text))
    return literal->port != 0;
  return text.find(':') != std::string_view::npos && is_domain(text, true);
}

bool names_every_address(const std::string& host) {
  return host == "0.0.0.0" || host == "::";
}

/// Nodes speak with each other under certificates of their own, or not at all.
void check_links(const node_config& c, problems& out) {
  const auto needs = [&](std::string_view key, const std::string& file, std::string_view what) {
    if (file.empty())
      out.push_back({std::string{key}, "is needed with cluster.node: " + std::string{what} +
                                           "; cluster-config/make-certificates.sh makes it"});
  };
  needs("cluster.certificate_file", c.cluster.certificate_file, "nodes prove their names with it");
  needs("cluster.key_file", c.cluster.key_file, "the key of this node's certificate");
  needs("cluster.authority_file", c.cluster.authority_file, "the CA of the other nodes");
  const auto listen = parse_listen(c.cluster.listen);
  if (!listen)
    out.push_back({"cluster.listen", "must be an address and a port, as 10.0.0.1:3002"});
  else if (c.cluster.address.empty() && names_every_address(listen->host))
    out.push_back({"cluster.address", "is needed where cluster.listen names no single address: the "
                                      "others must know where to find this node"});
  if (!c.cluster.address.empty() && !is_host_and_port(c.cluster.address))
    out.push_back({"cluster.address", "must be a name or an address, and a port, as "
                                      "node-1.internal:3002"});
}

/// Several nodes meet in a database that all of them reach.
void check_cluster(const node_config& c, config_use use, problems& out) {
  if (c.cluster.node.empty())
    return;
  if (!is_label(c.cluster.node))
    out.push_back({"cluster.node", "must be at most 63 lower-case letters, digits and hyphens, as "
                                   "node-1"});
  if (use == config_use::program && c.storage.postgres_url_file.empty())
    out.push_back({"cluster.node", "needs storage.postgres_url_file: nodes share a PostgreSQL, and "
                                   "SQLite belongs to one; docs/postgresql.md tells how to move"});
  check_links(c, out);
}

} // namespace

std::optional<listen_address> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  const auto bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  const auto address = parse_address(std::string{host});
  if (!port || !address || address->is_v6 != bracketed)
    return std::nullopt;
  return listen_address{std::string{host}, *port, address->loopback};
}

url_space own_urls(const node_config& config) {
  if (config.test.enabled && !config.server.url.empty())
    return {config.server.url};
  return urls_of(config.server.domain);
}

std::int64_t client_requests_max(const node_config& config) {
  constexpr auto others = std::int64_t{1'024}; // what has no place of its own
  return config.delivery.in_flight_max + config.delivery.slow_max + others;
}

bool is_address_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(std::string{text.substr(0, slash)});
  if (!address || slash == std::string_view::npos)
    return address.has_value();
  const auto bits = parse_number<unsigned>(text.substr(slash + 1));
  return bits && *bits <= (address->is_v6 ? 128U : 32U);
}

std::vector<config_problem> broken_rules(const node_config& config, config_use use) {
  auto out = problems{};
  check_server(config, out);
  check_listeners(config, use, out);
  check_paths(config, out);
  check_delivery(config, out);
  check_cluster(config, use, out);
  check_webhooks(config, out);
  if (!config.test.kill_at.empty() && !config.test.enabled)
    out.push_back({"test.kill_at", "is refused without test.enabled", true});
  for (const auto& prefix : config.federation.allow_addresses)
    if (!is_address_prefix(prefix))
      out.push_back({"federation.allow_addresses", "'" + prefix + "' is no address or prefix"});
  for (const auto& server : config.federation.name_servers)
    if (const auto listen = parse_listen(server); !listen || listen->port == 0)
      out.push_back({"federation.name_servers",
                     "'" + server + "' is no address with a port, as 192.0.2.53:53"});
  return out;
}

} // namespace trunkline
