/// Keys that sign and keys that verify: those of our accounts and of the server itself, encrypted,
/// and the public ones of other servers' accounts.
///
/// Each function belongs in a transaction. Nothing here reads a key; `protocol/signing_key.hpp`
/// does.
#pragma once

#include "storage/database.hpp"
#include "storage/profile_store.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// Who signs for the server itself, beside our accounts.
inline constexpr auto instance_actor = account_id{};

/// The keys of an account of ours as they are stored.
struct own_key_row {
  std::string name;            ///< Of the account; "" for the server itself.
  key_pair_row pair;           ///< Both "" when it has none yet.
  std::string sealed_previous; ///< The key that was replaced; "" for none.
  time_point previous_until;   ///< Until when that one signs.

  bool has_key() const { return !pair.sealed_private.empty(); }
};

/// Returns the keys of `owner`, which may be `instance_actor`; nothing when there is no such
/// account of ours. A deleted account is there for as long as it has a key: its Delete has to be
/// signed.
caf::expected<std::optional<own_key_row>> find_own_key(database& db, account_id owner);

/// Gives `owner` its first key. One that has a key keeps it. Returns what it has then; nothing when
/// there is no such account of ours.
caf::expected<std::optional<own_key_row>> store_first_key(database& db, account_id owner,
                                                          const key_pair_row& pair);

/// A key of another server, as a request names it.
struct named_key {
  std::string key_id;
  std::string host;  ///< In `key_id`, without port.
  std::string actor; ///< Whose it is, where that is known from its document; else "".
};

/// What is known of the owner of a key of another server.
struct known_signer {
  bool host_blocked = false; ///< By this server: the key's host, or that of the account's name.
  bool suspended = false;    ///< By this server: the account.
  std::string actor;         ///< Its id; "" when no account is known that may have the key.
  std::string key_id;        ///< Of the account's key.
  std::string pem;           ///< Likewise.
};

/// Looks for the account that a key belongs to: `actor`, or the one whose id is `key_id` without
/// its fragment, or without its last segment; so all but a few servers name their keys.
caf::expected<known_signer> find_signer(database& db, const named_key& key);

/// The key of an account of another server, as its document names it.
struct signer_key {
  std::string actor;
  std::string key_id;
  std::string pem;
};

/// Puts a key in the place of the one of a known account of another server; `fetched_at` stays, for
/// nothing else was looked at. Returns whether anything changed.
caf::expected<bool> store_signer_key(database& db, const signer_key& key);

} // namespace trunkline
