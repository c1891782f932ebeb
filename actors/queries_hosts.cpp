#include "actors/queries_hosts.hpp"

#include <utility>

namespace trunkline {

query<std::vector<host_summary>> ask_hosts(host_list_wish wish) {
  return {[wish = std::move(wish)](database& db) { return list_hosts(db, wish); }};
}

query<host_summary> ask_host(std::vector<host_address> spellings) {
  return {[spellings = std::move(spellings)](database& db) -> caf::expected<host_summary> {
    for (const auto& spelling : spellings) {
      auto found = summary_of(db, spelling);
      if (!found)
        return std::move(found.error());
      if (*found)
        return std::move(**found);
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
