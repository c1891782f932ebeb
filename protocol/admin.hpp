/// What the admin API shows and makes: local accounts and its own tokens.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace trunkline {

/// What a token of the admin API may do; the numbers stand in the database.
enum class admin_scope : std::int64_t { read = 1, operate = 2 };

/// Whose token of the admin API it is, and what it may do.
struct admin_holder {
  admin_scope scope = admin_scope::read;
  std::string name; ///< As it was given when the token was made; may be "".
};

/// The role of a local account; the numbers stand in the database.
enum class account_role : std::int64_t { user = 0, admin = 1 };

/// A local account as an operator makes it.
struct operator_account {
  account_id id;
  std::string name;          ///< As its owner writes it.
  std::string folded;        ///< Lower case; unique.
  std::string uri;           ///< Unique.
  std::string password_hash; ///< As `hash_password` makes it.
  account_role role = account_role::user;
  time_point created_at;
};

/// A local account as an operator sees it.
struct account_overview {
  account_id id;
  std::string name;
  account_role role = account_role::user;
  time_point created_at;
  std::optional<time_point> disabled_at;
  std::optional<time_point> deleted_at;
  std::int64_t posts = 0; ///< Boosts included.
  std::int64_t followers = 0;
  std::int64_t following = 0;
  std::int64_t tokens = 0; ///< Access tokens of clients.
};

} // namespace trunkline
