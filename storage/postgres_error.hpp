/// What PostgreSQL's failures mean to us.
#pragma once

#include "protocol/errc.hpp"

#include <string_view>

namespace trunkline {

/// SQLSTATE of the division by zero with which a batch's fence stops it.
inline constexpr std::string_view fence_state = "22012";

/// Maps the exception that is being handled; call it inside of `catch`. `table` names what the
/// statement wrote to, for the columns of a unique index. The values that were refused and the
/// server's hints are left out.
caf::error postgres_failure(std::string_view table);

/// Maps a failed attempt to connect, likewise. Says nothing of the connection string but what the
/// server is called: it may hold a password.
caf::error postgres_connect_failure();

} // namespace trunkline
