#include "protocol/host_address.hpp"

#include "protocol/errc.hpp"
#include "protocol/names.hpp"

#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace trunkline {

namespace {

constexpr std::int64_t port_max = 65'535;
constexpr std::int64_t well_known_ports_end = 1'024;

struct port_range {
  std::int64_t first;
  std::int64_t last;
};

// Services that answer to bytes of an HTTP request, or are refused by browsers too.
constexpr auto refused_ports = std::to_array<port_range>({
    {1433, 1434},   // SQL Server
    {1521, 1521},   // Oracle
    {1719, 1720},   // H.323
    {1723, 1723},   // PPTP
    {1883, 1883},   // MQTT
    {2049, 2049},   // NFS
    {2181, 2181},   // ZooKeeper
    {2375, 2380},   // Docker, Swarm, etcd
    {3260, 3260},   // iSCSI
    {3306, 3306},   // MySQL
    {3389, 3389},   // RDP
    {3659, 3659},   // Apple SASL
    {4045, 4045},   // NFS locks
    {4190, 4190},   // ManageSieve
    {4369, 4369},   // epmd
    {5060, 5061},   // SIP
    {5432, 5433},   // PostgreSQL
    {5672, 5672},   // AMQP
    {5900, 5903},   // VNC
    {5984, 5984},   // CouchDB
    {6000, 6063},   // X11
    {6379, 6380},   // Redis
    {6432, 6432},   // PgBouncer
    {6443, 6443},   // Kubernetes
    {6566, 6566},   // SANE
    {6665, 6669},   // IRC
    {6679, 6679},   // IRC
    {6697, 6697},   // IRC
    {8086, 8086},   // InfluxDB
    {8500, 8500},   // Consul
    {9042, 9042},   // Cassandra
    {9200, 9200},   // Elasticsearch
    {9300, 9300},   // Elasticsearch
    {10080, 10080}, // Amanda
    {10250, 10250}, // kubelet
    {11211, 11211}, // memcached
    {27017, 27019}, // MongoDB
});

caf::error bad_url(std::string_view why) {
  return make_error(errc::invalid, "url: " + std::string{why});
}

constexpr bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

constexpr bool is_ascii(char letter) {
  return static_cast<unsigned char>(letter) < 0x80;
}

/// White space, controls and backslashes: parsers disagree about what they mean.
constexpr bool is_forbidden(char letter) {
  return (is_ascii(letter) && letter <= ' ') || letter == '\x7f' || letter == '\\';
}

std::int64_t own_port(std::string_view scheme) {
  return scheme == "http" ? 80 : 443;
}

bool is_own_scheme(std::string_view scheme) {
  return scheme == "https" || scheme == "http";
}

/// Reads a port as it must be written: digits, no sign, no zero in front.
std::optional<std::int64_t> read_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0' ||
      !std::ranges::all_of(text, is_digit))
    return std::nullopt;
  auto port = std::int64_t{0};
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port <= port_max ? std::optional{port} : std::nullopt;
}

/// Tells whether a name claims to be an IPv4 address: resolvers read such names as numbers, in
/// base 8, 10 and 16 and with fewer than four parts.
bool ends_in_number(std::string_view name) {
  const auto last = name.substr(name.rfind('.') + 1);
  return std::ranges::all_of(last, is_digit) || last.starts_with("0x");
}

/// Returns the name in its one spelling; nothing when it has none.
std::optional<std::string> canonical_name(std::string_view text) {
  auto name = canonical_host(text);
  if (!name)
    return std::nullopt;
  if (name->front() == '[') {
    const auto address =
        boost::urls::parse_ipv6_address(std::string_view{*name}.substr(1, name->size() - 2));
    return address ? std::optional{"[" + address->to_string() + "]"} : std::nullopt;
  }
  if (!ends_in_number(*name))
    return std::move(*name);
  const auto address = boost::urls::parse_ipv4_address(*name);
  return address && address->to_string() == *name ? std::optional{std::move(*name)} : std::nullopt;
}

/// Reads "name" or "name:port".
caf::expected<host_address> read_authority(std::string_view text, std::string_view scheme) {
  if (text.find('@') != std::string_view::npos)
    return bad_url("must name no user");
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const auto port = colon == std::string_view::npos ? std::optional{own_port(scheme)}
                                                    : read_port(text.substr(colon + 1));
  if (!port || is_refused_port(*port))
    return bad_url("has a port that no web server has");
  auto name = canonical_name(text.substr(0, colon));
  if (!name)
    return bad_url("its host has no canonical name");
  return host_address{.scheme = std::string{scheme}, .name = std::move(*name), .port = *port};
}

/// What browsers encode in paths and queries instead of refusing it.
constexpr bool is_to_encode(char letter) {
  return !is_ascii(letter) ||
         std::string_view{"\"<>[]^`{|}"}.find(letter) != std::string_view::npos;
}

std::string percent_encode(std::string_view text) {
  constexpr auto digits = std::string_view{"0123456789ABCDEF"};
  auto encoded = std::string{};
  encoded.reserve(text.size());
  for (const auto letter : text) {
    if (!is_to_encode(letter)) {
      encoded += letter;
      continue;
    }
    const auto byte = static_cast<unsigned char>(letter);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

/// Returns path and query as they go into a request; nothing when the grammar refuses them.
std::optional<std::string> read_target(std::string_view text) {
  auto target = percent_encode(text.substr(0, text.find('#')));
  if (!target.starts_with('/'))
    target.insert(target.begin(), '/');
  return boost::urls::parse_origin_form(target) ? std::optional{std::move(target)} : std::nullopt;
}

} // namespace

std::string to_key(const host_address& host) {
  return host.scheme + "://" + host.name + ":" + std::to_string(host.port);
}

std::string to_name(const host_address& host) {
  return host.port == own_port(host.scheme) ? host.name
                                            : host.name + ":" + std::to_string(host.port);
}

caf::expected<host_address> parse_host_name(std::string_view text, std::string_view scheme) {
  if (!is_own_scheme(scheme))
    return bad_url("its scheme is neither https nor http");
  return read_authority(text, scheme);
}

caf::expected<remote_url> parse_remote_url(std::string_view text, url_rules rules) {
  if (text.size() > url_bytes_max)
    return bad_url("is longer than " + std::to_string(url_bytes_max) + " bytes");
  if (std::ranges::any_of(text, is_forbidden))
    return bad_url("holds white space, a control or a backslash");
  const auto colon = text.find("://");
  const auto scheme = fold_name(text.substr(0, colon));
  if (colon == std::string_view::npos || !is_own_scheme(scheme))
    return bad_url("must begin with https://");
  if (scheme == "http" && !rules.allow_http)
    return bad_url("must be https");
  const auto rest = text.substr(colon + 3);
  const auto path = std::min(rest.find_first_of("/?#"), rest.size());
  auto host = read_authority(rest.substr(0, path), scheme);
  if (!host)
    return std::move(host.error());
  auto target = read_target(rest.substr(path));
  if (!target)
    return bad_url("its path or query is malformed");
  return remote_url{
      .host = std::move(*host), .target = std::move(*target), .text = std::string{text}};
}

bool is_refused_port(std::int64_t port) {
  if (port < well_known_ports_end || port > port_max)
    return port != 80 && port != 443;
  return std::ranges::any_of(refused_ports, [port](const auto& range) {
    return range.first <= port && port <= range.last;
  });
}

bool is_same_origin(std::string_view one, std::string_view other, url_rules rules) {
  const auto first = parse_remote_url(one, rules);
  const auto second = parse_remote_url(other, rules);
  return first && second && first->host == second->host;
}

} // namespace trunkline
