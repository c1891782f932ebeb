#include "engine/settings.hpp"

#include "protocol/placement.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>
#include <utility>

namespace trunkline {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t hour_ms = 3'600'000;

// The closure of each row names one member of node_config.
#define TL_AT(member) [](node_config& c) -> setting_ref { return &c.member; }

constexpr auto table = std::to_array<setting>({
    {"server.domain", "the domain of all accounts, for ever: NAME@DOMAIN", TL_AT(server.domain)},
    {"server.listen", "address and port for clients and other servers; port 0 takes a free one",
     TL_AT(server.listen)},
    {"server.url", "where clients reach this node; http only on loopback or in test mode",
     TL_AT(server.url), 0, 0, "https://DOMAIN"},
    {"server.trusted_proxies", "addresses or prefixes whose X-Forwarded-* headers are believed",
     TL_AT(server.trusted_proxies)},
    {"server.tls_certificate_file", "certificate chain (PEM), when no proxy ends TLS",
     TL_AT(server.tls_certificate_file)},
    {"server.tls_key_file", "private key of the certificate (PEM)", TL_AT(server.tls_key_file)},
    {"server.connections_max", "open connections of clients; more are closed at once",
     TL_AT(server.connections_max), 16, 1'000'000},
    {"server.requests_max", "requests under way; more are answered 503", TL_AT(server.requests_max),
     1, 65'536},
    {"server.body_bytes_max", "body of a request; larger ones are answered 413",
     TL_AT(server.body_bytes_max), 1024, 268'435'456},
    {"server.header_bytes_max", "headers of a request; larger ones are answered 431",
     TL_AT(server.header_bytes_max), 1024, 1'048'576},
    {"server.read_timeout", "time for one request to arrive", TL_AT(server.read_timeout), 1000,
     hour_ms},
    {"server.idle_timeout", "time that a connection may wait for its next request",
     TL_AT(server.idle_timeout), 1000, hour_ms},
    {"storage.folder", "everything this node keeps", TL_AT(storage.folder), 0, 0,
     "$XDG_DATA_HOME/trunkline or ~/.local/share/trunkline"},
    {"storage.postgres_url_file", "file that holds the URL of a PostgreSQL; without it: SQLite",
     TL_AT(storage.postgres_url_file)},
    {"storage.readers", "connections to the database that only read; one more writes",
     TL_AT(storage.readers), 1, 64},
    {"storage.batch_max", "changes in one commit", TL_AT(storage.batch_max), 1, 4096},
    {"cluster.node",
     "name of this node among those that share a PostgreSQL; without it: the only one",
     TL_AT(cluster.node)},
    {"cluster.listen", "address and port for the other nodes, TLS; port 0 takes a free one",
     TL_AT(cluster.listen)},
    {"cluster.address", "where the other nodes reach this one, HOST:PORT", TL_AT(cluster.address),
     0, 0, "cluster.listen"},
    {"cluster.certificate_file",
     "certificate (PEM) that names this node: cluster-config/make-certificates.sh",
     TL_AT(cluster.certificate_file)},
    {"cluster.key_file", "private key of that certificate (PEM), for its owner alone",
     TL_AT(cluster.key_file)},
    {"cluster.authority_file",
     "the cluster's own CA (PEM); who has no certificate of it is refused",
     TL_AT(cluster.authority_file)},
    {"cluster.revoked_file", "certificates that are refused nevertheless: a list (CRL, PEM)",
     TL_AT(cluster.revoked_file)},
    {"cluster.account_weight",
     "whether this node may answer clients, against the others; 0: it delivers alone",
     TL_AT(cluster.account_weight), 0, weight_max},
    {"cluster.host_weight", "how many of the remote hosts this node takes, against the others",
     TL_AT(cluster.host_weight), 0, weight_max},
    {"admin.listen", "address and port of the admin API; port 0 takes a free one",
     TL_AT(admin.listen)},
    {"admin.allow_remote", "says a second time that admin.listen may be reached from outside",
     TL_AT(admin.allow_remote)},
    {"admin.socket", "unix socket of the admin API, for the same user only", TL_AT(admin.socket), 0,
     0, "FOLDER/admin.sock"},
    {"secrets.key_file", "key (32 bytes) that encrypts the keys in the database",
     TL_AT(secrets.key_file), 0, 0, "FOLDER/secret.key"},
    {"registrations.open", "whether strangers may sign up", TL_AT(registrations.open)},
    {"rate_limit.requests", "requests of one account in 5 minutes", TL_AT(rate_limit.requests), 1,
     1'000'000},
    {"log.bytes_max", "bodies kept in the log, in bytes", TL_AT(log.bytes_max), 1'000'000,
     1'000'000'000'000'000},
    {"federation.allow_addresses", "private prefixes that may be reached nevertheless",
     TL_AT(federation.allow_addresses)},
    {"federation.authorized_fetch",
     "whether other servers must sign what they read; pages and keys stay open",
     TL_AT(federation.authorized_fetch)},
    {"federation.inbox_waiting_max",
     "arrivals of one server that wait to be applied; more are answered 429",
     TL_AT(federation.inbox_waiting_max), 1, 1'000'000},
    {"federation.name_servers", "name servers, ADDRESS:PORT; without any: those of the system",
     TL_AT(federation.name_servers)},
    {"delivery.in_flight_max",
     "requests to other servers under way that are not slow, to all together; more wait",
     TL_AT(delivery.in_flight_max), 64, 65'536},
    {"delivery.slow_max",
     "slow requests to other servers under way; when there are more, the oldest is ended",
     TL_AT(delivery.slow_max), 64, 65'536},
    {"delivery.lookups_max", "names of other servers looked up at once; more wait",
     TL_AT(delivery.lookups_max), 8, 4'096},
    {"delivery.connections_max",
     "open connections to other servers, in use and kept; at least 1024 more than in_flight_max "
     "and slow_max together",
     TL_AT(delivery.connections_max), 1'152, 1'000'000},
    {"accounts.idle_timeout", "time after which an unused account actor is put away",
     TL_AT(accounts.idle_timeout), 100, 24 * hour_ms},
    {"timelines.idle_timeout", "time after which an unread timeline actor is put away",
     TL_AT(timelines.idle_timeout), 100, 24 * hour_ms},
    {"webhooks.url", "where events are sent, signed; https, or http to a loopback address",
     TL_AT(webhooks.url)},
    {"webhooks.secret_file", "file that holds the key of the signatures, at least 24 bytes",
     TL_AT(webhooks.secret_file)},
    {"webhooks.events",
     "which are sent: activity, post, delivery, host_state, account; without any: all",
     TL_AT(webhooks.events)},
    {"test.enabled",
     "allows http, a password grant and no rate limits; only with every listener on loopback",
     TL_AT(test.enabled),
     0,
     0,
     {},
     true},
    {"test.kill_at",
     "named point of the code at which the process kills itself; only with test.enabled",
     TL_AT(test.kill_at),
     0,
     0,
     {},
     true},
});

#undef TL_AT

std::optional<std::int64_t> parse_integer(std::string_view text) {
  auto number = std::int64_t{0};
  const auto* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || stop != end || text.empty())
    return std::nullopt;
  return number;
}

struct duration_unit {
  std::string_view name;
  std::int64_t ms;
};

constexpr auto duration_units =
    std::to_array<duration_unit>({{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", hour_ms}});

/// "30s", "500ms", "5m", "1h"; nothing for anything else, a number past a year included.
std::optional<milliseconds> parse_duration(std::string_view text) {
  const auto digits = std::find_if_not(text.begin(), text.end(),
                                       [](unsigned char c) { return std::isdigit(c) != 0; });
  const auto length = static_cast<std::size_t>(digits - text.begin());
  const auto number = parse_integer(text.substr(0, length));
  const auto unit = std::find_if(duration_units.begin(), duration_units.end(),
                                 [&](auto& u) { return u.name == text.substr(length); });
  if (!number || unit == duration_units.end() || *number > 366 * 24 * hour_ms)
    return std::nullopt;
  return milliseconds{*number * unit->ms};
}

std::string format_duration(std::int64_t ms) {
  if (ms % 1000 != 0 || ms == 0)
    return std::to_string(ms) + "ms";
  return std::to_string(ms / 1000) + "s";
}

std::vector<std::string> split_list(std::string_view text) {
  auto items = std::vector<std::string>{};
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto item = text.substr(0, comma);
    while (!item.empty() && item.front() == ' ')
      item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ')
      item.remove_suffix(1);
    if (!item.empty())
      items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

} // namespace

std::span<const setting> settings() {
  return table;
}

const setting* find_setting(std::string_view key) {
  const auto row = std::find_if(table.begin(), table.end(), [&](auto& s) { return s.key == key; });
  return row == table.end() ? nullptr : &*row;
}

std::string environment_name(std::string_view key) {
  auto name = "TRUNKLINE_" + std::string{key};
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '.' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
  auto row = std::vector<std::size_t>(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (auto i = std::size_t{0}; i < left.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (auto j = std::size_t{0}; j < right.size(); ++j) {
      const auto replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string_view nearest_key(std::string_view key) {
  if (key.size() > 64)
    return {};
  auto best = std::string_view{};
  auto distance = std::max<std::size_t>(3, key.size() / 3);
  for (const auto& row : table) {
    const auto last = row.key.substr(row.key.find('.') + 1);
    const auto d = std::min(edit_distance(key, row.key), edit_distance(key, last) + 1);
    if (d < distance) {
      distance = d;
      best = row.key;
    }
  }
  return best;
}

std::string describe_type(const setting& row) {
  auto scratch = node_config{};
  const auto ref = row.ref(scratch);
  if (std::holds_alternative<bool*>(ref))
    return "true or false";
  if (std::holds_alternative<std::int64_t*>(ref))
    return "a whole number from " + std::to_string(row.min) + " to " + std::to_string(row.max);
  if (std::holds_alternative<milliseconds*>(ref))
    return "a duration from " + format_duration(row.min) + " to " + format_duration(row.max) +
           ", as \"30s\" (ms, s, m, h)";
  if (std::holds_alternative<std::vector<std::string>*>(ref))
    return "a list of texts";
  return "a text";
}

std::optional<std::string> assign_number(const setting& row, node_config& config,
                                         std::int64_t number) {
  const auto ref = row.ref(config);
  auto* const* target = std::get_if<std::int64_t*>(&ref);
  if (target == nullptr)
    return "must be " + describe_type(row);
  if (number < row.min || number > row.max)
    return std::to_string(number) + " is out of range: must be " + describe_type(row);
  **target = number;
  return std::nullopt;
}

std::optional<std::string> assign_text(const setting& row, node_config& config,
                                       std::string_view text) {
  const auto ref = row.ref(config);
  if (auto* const* target = std::get_if<std::string*>(&ref)) {
    **target = text;
    return std::nullopt;
  }
  if (auto* const* target = std::get_if<std::vector<std::string>*>(&ref)) {
    **target = split_list(text);
    return std::nullopt;
  }
  if (auto* const* target = std::get_if<bool*>(&ref)) {
    if (text != "true" && text != "false")
      return "must be true or false";
    **target = text == "true";
    return std::nullopt;
  }
  if (auto* const* target = std::get_if<milliseconds*>(&ref)) {
    const auto duration = parse_duration(text);
    if (!duration || duration->count() < row.min || duration->count() > row.max)
      return "must be " + describe_type(row);
    **target = *duration;
    return std::nullopt;
  }
  const auto number = parse_integer(text);
  if (!number)
    return "must be " + describe_type(row);
  return assign_number(row, config, *number);
}

std::string quote_toml(std::string_view text) {
  auto out = std::string{"\""};
  for (const auto c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + '"';
}

std::string format_value(const setting& row, const node_config& config) {
  auto copy = config;
  const auto ref = row.ref(copy);
  if (auto* const* flag = std::get_if<bool*>(&ref))
    return **flag ? "true" : "false";
  if (auto* const* number = std::get_if<std::int64_t*>(&ref))
    return std::to_string(**number);
  if (auto* const* duration = std::get_if<milliseconds*>(&ref))
    return quote_toml(format_duration((*duration)->count()));
  if (auto* const* text = std::get_if<std::string*>(&ref))
    return quote_toml(**text);
  auto out = std::string{"["};
  for (const auto& item : **std::get_if<std::vector<std::string>*>(&ref))
    out += (out.size() > 1 ? ", " : "") + quote_toml(item);
  return out + "]";
}

} // namespace trunkline
