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

/// Stores an actor, new or known; its host, inbox and shared inbox with it. `host` is that of its
/// name, which may differ from that of its id. A known account keeps its id, host and name; an
/// account with the same name and host but another id, and one of ours, are failures
/// (`errc::conflict`); one that was deleted is `errc::gone`. Text must be sanitised. It has moved
/// to where it says only when the account there is known and calls it an alias. Follows of a known
/// one are counted at its new inbox.
caf::expected<account_id> store_remote_account(database& db, const remote_actor& actor,
                                               const host_address& host, const fresh_id_source& ids,
                                               time_point now);

/// How long an actor's document must have answered 410 before the account is taken for deleted.
inline constexpr auto gone_for = std::chrono::hours{24};

/// Notes that the document of an actor answers 410. At the second time, `gone_for` after the first,
/// the account is erased, and true is returned. Storing the actor takes the first time back.
caf::expected<bool> note_actor_gone(database& db, const std::string& uri, time_point now);

/// Marks a remote account as deleted: it and its posts are shown no more, follows of and by it end,
/// its id is refused for ever. Its name becomes free.
caf::error erase_remote_account(database& db, const remote_account& account, time_point now);

/// Tells whether the server suspends `host` (a name without port), or a domain above it. Silence is
/// no block.
caf::expected<bool> is_host_blocked(database& db, const std::string& host);

} // namespace trunkline
