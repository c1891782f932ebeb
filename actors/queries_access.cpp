#include "actors/queries_access.hpp"

#include "storage/app_store.hpp"
#include "storage/session_store.hpp"
#include "storage/token_store.hpp"

namespace trunkline {

query<token_owner> ask_token(std::string hash) {
  return {[hash = std::move(hash)](database& db) -> caf::expected<token_owner> {
    auto found = find_token(db, hash);
    if (!found)
      return found.error();
    if (!*found)
      return make_error(errc::unauthenticated, "The access token is invalid");
    return **found;
  }};
}

} // namespace trunkline
