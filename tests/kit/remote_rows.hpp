/// Accounts and posts of other servers, straight into a database.
#pragma once

#include "storage/database.hpp"
#include "tests/kit/both_databases.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace trunkline::kit {

/// Its id is "https://<host>/<name>", its inbox that with "/inbox"; a host's shared inbox is
/// "https://<host>/inbox". Endpoints have the id of the account, the shared one that of the host.
struct remote_row {
  account_id id;
  std::string name;
  std::string host = "far.example";
  bool has_shared_inbox = true;
};

/// The id of a host's row, and of its shared endpoint.
inline std::int64_t host_row_id(const std::string& host) {
  return 1'000'000 + static_cast<std::int64_t>(std::hash<std::string>{}(host) % 1'000'000);
}

inline endpoint_id shared_endpoint(const std::string& host = "far.example") {
  return {host_row_id(host)};
}

inline endpoint_id own_endpoint(account_id id) {
  return {id.value};
}

inline void add_remote(database& db, const remote_row& row) {
  const auto host = host_row_id(row.host);
  const auto base = "https://" + row.host;
  const auto uri = base + "/" + row.name;
  const auto endpoint = [&](std::int64_t id, const std::string& url, bool shared) {
    must(db.run("INSERT INTO endpoint(id, host_id, url, shared) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                {id, host, url, shared}));
  };
  must(db.run("INSERT INTO host(id, scheme, name, port) VALUES ($1, 'https', $2, 443)"
              " ON CONFLICT DO NOTHING",
              {host, row.host}));
  endpoint(row.id.value, uri + "/inbox", false);
  endpoint(host, base + "/inbox", true);
  must(db.run("INSERT INTO account(id, host_id, name, folded, uri, created_at, inbox_id,"
              " shared_inbox_id, followers_url) VALUES ($1, $2, $3, $3, $4, 1, $1, $5, $6)",
              {row.id, host, row.name, uri, row.has_shared_inbox ? sql_value{host} : sql_value{},
               uri + "/followers"}));
}

/// A public post, whose id is "https://far.example/posts/<id>".
inline void add_remote_post(database& db, post_id id, account_id author, int seen_by = 1) {
  must(db.run("INSERT INTO post(id, author, uri, html, visibility, created_at)"
              " VALUES ($1, $2, $3, 'far', $4, 1)",
              {id, author, "https://far.example/posts/" + to_string(id), seen_by}));
}

} // namespace trunkline::kit
