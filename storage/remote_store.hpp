/// Accounts and posts of other servers, as they are known here.
///
/// Each function belongs in a transaction. HTML must be sanitised before it comes here.
#pragma once

#include "protocol/activity.hpp"
#include "protocol/host_address.hpp"
#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <functional>
#include <optional>
#include <string>

namespace trunkline {

/// A remote account as far as federation looks at it; `account_facts` tell the rest.
struct remote_account {
  account_id id;
  std::string uri;
  host_address host;
  std::string name;
  std::string followers_url;
  std::string featured_url;
  endpoint_id inbox;        ///< Of the account itself.
  endpoint_id shared_inbox; ///< 0 when it has none.
  std::vector<std::string> aliases;
  account_id moved_to;
  std::string public_key;
  std::string key_id;
  time_point fetched_at;
  bool suspended = false; ///< By this server.

  /// Where bulk goes.
  endpoint_id bulk_endpoint() const { return shared_inbox ? shared_inbox : inbox; }
};

caf::expected<std::optional<remote_account>> find_remote_account(database& db, account_id id);
caf::expected<std::optional<remote_account>> find_remote_account(database& db,
                                                                 const std::string& uri);

/// Returns any account, ours too, by the id of its actor.
caf::expected<std::optional<account_id>> find_account_by_uri(database& db, const std::string& uri);

/// Returns any post, ours too, by its id; `own_origin` begins the URLs of ours.
caf::expected<std::optional<post_id>> find_post_by_uri(database& db, const std::string& uri,
                                                       const std::string& own_origin);

/// Gives a new id; fails with `unavailable`.
using fresh_id_source = std::function<caf::expected<std::int64_t>()>;

/// Stores an actor, new or known; its host, inbox and shared inbox with it. A known account keeps
/// its id and name; an account with the same name and host but another id is a failure
/// (`errc::conflict`).
caf::expected<account_id> store_remote_account(database& db, const remote_actor& actor,
                                               const host_address& host, const fresh_id_source& ids,
                                               time_point now);

} // namespace trunkline
