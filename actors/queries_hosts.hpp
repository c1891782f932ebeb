/// Questions of the admin API about remote hosts and the domains that the server blocks, for
/// `ask_storage`.
#pragma once

#include "actors/host_board.hpp"
#include "actors/tasks.hpp"
#include "storage/domain_block_store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

/// The first of `spellings` that has a row; there is at least one. Its line says nothing of what
/// waits. Fails with `not_found`.
query<host_line> ask_host(std::vector<host_address> spellings);

/// Domains that the server blocks, by name; at most `limit` after `after`.
query<std::vector<domain_block_row>> ask_server_blocks(std::string after, std::int64_t limit);

} // namespace trunkline
