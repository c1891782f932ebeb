/// Followers, hosts and rows of the log by the thousand and the million, in a few statements.
#pragma once

#include "storage/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline::kit {

/// Hosts `first` to `last`: `%` of `pattern` is the number, so that "h%.test" names h0.test. Each
/// has an actor /users/u and a shared inbox. A number stands for one name in a database.
struct seeded_hosts {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::string pattern;
  std::int64_t port = 0;
};

/// Makes the hosts known, in the state `healthy`, without followers.
caf::error seed_hosts(database& db, const seeded_hosts& hosts);

/// Makes the hosts' actors follow the local account `author`. Local accounts that have no key yet
/// share one that is there.
caf::error seed_followers(database& db, const std::string& author, const seeded_hosts& hosts);

/// Rows of the log that are owed to all followers of their authors.
struct seeded_log {
  std::vector<std::string> authors;
  std::int64_t items = 0;   ///< Of each author.
  std::int64_t fillers = 0; ///< Rows that are owed to nobody, spread between them.
  /// Days ago the rows were written; then every host has a row of backlog instead of being read
  /// from its shard's mark, and is suspended until somebody or something tries it.
  std::int64_t days_behind = 0;
};
caf::error seed_log(database& db, const seeded_log& log);

} // namespace trunkline::kit
