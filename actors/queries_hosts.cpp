#include "actors/queries_hosts.hpp"

#include "storage/host_store.hpp"

#include <utility>

namespace trunkline {

query<host_line> ask_host(std::vector<host_address> spellings) {
  return {[spellings = std::move(spellings)](database& db) -> caf::expected<host_line> {
    for (const auto& spelling : spellings) {
      auto found = find_host(db, spelling);
      if (!found)
        return std::move(found.error());
      if (!*found)
        continue;
      auto line = host_line{};
      line.address = spelling;
      line.health.facts = std::move(**found);
      return line;
    }
    return make_error(errc::not_found, "host " + to_name(spellings.front()) +
                                           ": is not known; nothing was ever exchanged with it");
  }};
}

query<std::vector<domain_block_row>> ask_server_blocks(std::string after, std::int64_t limit) {
  return {[after = std::move(after), limit](database& db) {
    return list_domain_blocks(db, whole_server, after, limit);
  }};
}

} // namespace trunkline
