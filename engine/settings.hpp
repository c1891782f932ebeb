/// Every setting of a node: one table that feeds the reader of the file, the environment, the
/// flags, `--print-config`, the sample file and docs/configuration.md.
///
/// Plain values; any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trunkline {

/// The values a node runs with, defaults included. Empty text means "as the help says".
struct node_config {
  struct {
    std::string domain; ///< The D of every address and URL, for ever; "" until it is set.
    std::string listen = "127.0.0.1:3000";
    std::string url;
    std::vector<std::string> trusted_proxies;
    std::string tls_certificate_file;
    std::string tls_key_file;
    std::int64_t connections_max = 8192;
    std::int64_t requests_max = 2048;
    std::int64_t body_bytes_max = 1'048'576;
    std::int64_t header_bytes_max = 16'384;
    std::chrono::milliseconds read_timeout = std::chrono::seconds{30};
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{60};
  } server;
  struct {
    std::string folder;
    std::string postgres_url_file;
    std::int64_t readers = 3;
    std::int64_t batch_max = 256;
  } storage;
  struct {
    std::string node; ///< "": this node shares its database with no other.
    std::string listen = "127.0.0.1:3002";
    std::string address;
    std::string certificate_file;
    std::string key_file;
    std::string authority_file;
    std::string revoked_file;
    std::int64_t account_weight = 1;
    std::int64_t host_weight = 1;
  } cluster;
  struct {
    std::string listen = "127.0.0.1:3001";
    bool allow_remote = false;
    std::string socket;
  } admin;
  struct {
    std::string key_file;
  } secrets;
  struct {
    bool open = false;
  } registrations;
  struct {
    std::int64_t requests = 300;
  } rate_limit;
  struct {
    std::int64_t bytes_max = 20'000'000'000;
  } log;
  struct {
    std::vector<std::string> allow_addresses;
    bool authorized_fetch = false;
    std::int64_t inbox_waiting_max = 1'000;
    std::vector<std::string> name_servers;
  } federation;
  struct {
    std::int64_t in_flight_max = 1'024;
    std::int64_t slow_max = 2'048;
    std::int64_t lookups_max = 256;
    std::int64_t connections_max = 8'192;
  } delivery;
  struct {
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{120};
  } accounts;
  struct {
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{600};
  } timelines;
  struct {
    std::string url;
    std::string secret_file;
    std::vector<std::string> events;
  } webhooks;
  struct {
    bool enabled = false;
    std::string kill_at;
  } test;
};

/// Where one setting's value lives in a `node_config`.
using setting_ref = std::variant<std::string*, bool*, std::int64_t*, std::vector<std::string>*,
                                 std::chrono::milliseconds*>;

/// One row of the table. Bounds are for numbers (as they are) and durations (milliseconds).
struct setting {
  std::string_view key; ///< "server.listen"
  std::string_view help;
  setting_ref (*ref)(node_config&);
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::string_view computed = {}; ///< What stands in for an empty default, in words.
  bool file_only = false;         ///< Neither the environment nor a flag may set it.
};

/// Returns the table, in the order of the documentation.
std::span<const setting> settings();

/// Returns the row of `key`, or null.
const setting* find_setting(std::string_view key);

/// Returns "TRUNKLINE_SERVER_LISTEN" for "server.listen".
std::string environment_name(std::string_view key);

/// Returns the known key that `key` was probably meant to be, or "".
std::string_view nearest_key(std::string_view key);

/// Returns the edit distance between two short words.
std::size_t edit_distance(std::string_view left, std::string_view right);

/// Returns "a text", "true or false", "a whole number from 1 to 64", ...
std::string describe_type(const setting& row);

/// Assigns what `text` (of the environment or a flag) says. Returns what is wrong, or nothing.
std::optional<std::string> assign_text(const setting& row, node_config& config,
                                       std::string_view text);

/// Assigns a whole number. Returns what is wrong, or nothing.
std::optional<std::string> assign_number(const setting& row, node_config& config,
                                         std::int64_t number);

/// Returns the value as TOML: `"text"`, `12`, `true`, `["a", "b"]`, `"30s"`.
std::string format_value(const setting& row, const node_config& config);

/// Returns `text` as a TOML basic string, quoted and escaped.
std::string quote_toml(std::string_view text);

} // namespace trunkline
